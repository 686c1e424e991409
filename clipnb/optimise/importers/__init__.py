"""Other tools' command lines and settings, turned into experiments: every option mapped, or named as not mapped."""

from clipnb.optimise.importers.convert import TOOLS, Converted, convert

__all__ = ["TOOLS", "Converted", "convert"]
