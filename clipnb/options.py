"""Options that several commands have: each short one means the same in every command."""

from __future__ import annotations

from argparse import ArgumentParser, _ArgumentGroup
from typing import Any

Options = ArgumentParser | _ArgumentGroup

SILENT, PROGRESS, DETAILS = 0, 1, 2
"""Values of `--verbose`."""


def add_output(to: Options, metavar: str, help_: str, default: str | None = None) -> None:
    """Add `-o`: where the result is written."""
    to.add_argument("-o", "--output", metavar=metavar, default=default, help=help_)


def add_model(to: Options, help_: str = "encoder, such as lite or ViT-B-32/openai", **more: Any) -> None:
    """Add `-m`: the encoder; `more` as `add_argument` takes it, such as another default than "auto"."""
    default = more.setdefault("default", "auto")
    to.add_argument("-m", "--model", metavar="NAME", help=help_ + " (%(default)s)" * bool(default), **more)


def add_device(to: Options, default: str | None = "auto") -> None:
    """Add `-d`: where models run."""
    shown = " (%(default)s)" if default else ""
    to.add_argument("-d", "--device", default=default, help=f"auto, cpu, cuda, cuda:1 or mps{shown}")


def add_verbose(to: ArgumentParser, details: str = "", default: int | None = PROGRESS) -> None:
    """Add `-v`, how much is said beside results and mistakes, and `--quiet`, which is `-v 0`; dest is `verbose`."""
    group = to.add_mutually_exclusive_group()
    said = "what is said beside results: 0 nothing, 1 progress" + f", 2 {details}" * bool(details)
    levels = (SILENT, PROGRESS, DETAILS)
    shown = "" if default is None else " (%(default)s)"
    group.add_argument("-v", "--verbose", type=int, choices=levels, default=default, help=said + shown)
    quiet: Any = {"action": "store_const", "const": SILENT, "dest": "verbose", "default": default}
    group.add_argument("-q", "--quiet", help="the same as -v 0", **quiet)


def add_seed(to: Options, of: str, default: int | None = None) -> None:
    """Add `--seed`: where random draws begin."""
    shown = "" if default is None else " (%(default)s)"
    to.add_argument("--seed", type=int, metavar="N", default=default, help=f"seed of {of}{shown}")
