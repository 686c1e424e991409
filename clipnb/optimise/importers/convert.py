"""From what somebody told another tool to an experiment, with notes of what became of every option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clipnb.errors import ConfigError, nearest, printable, quoted
from clipnb.optimise.importers.aphantasia import APHANTASIA
from clipnb.optimise.importers.big_sleep import BIG_SLEEP
from clipnb.optimise.importers.deep_daze import DEEP_DAZE
from clipnb.optimise.importers.options import Given, Tool
from clipnb.optimise.importers.pixray import PIXRAY
from clipnb.optimise.importers.pytti import PYTTI
from clipnb.optimise.importers.reading import read_command, read_settings
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.language.yaml_source import read_source, read_yaml
from clipnb.optimise.results import to_yaml

TOOLS: Mapping[str, Tool] = {
    "pytti": PYTTI,
    "aphantasia": APHANTASIA,
    "deep-daze": DEEP_DAZE,
    "big-sleep": BIG_SLEEP,
    "pixray": PIXRAY,
}
"""Tools whose command lines or settings are understood, by their names."""


@dataclass(frozen=True)
class Converted:
    """An experiment that came from another tool.

    Attributes:
        config: the experiment.
        tool: name of the tool.
        mapped: what each option that was given became: "--steps: epochs".
        lost: what is not mapped, and why: "translate: not mapped: write the text in English".
    """

    config: ExperimentConfig
    tool: str
    mapped: tuple[str, ...]
    lost: tuple[str, ...]

    def as_yaml(self) -> str:
        """Return the experiment as YAML, with what became of every option as comments."""
        notes = [f"from {self.tool}; learning rates are relative to its own default", *self.mapped, *self.lost]
        lines = (f"# {' '.join(printable(note).split())}\n" for note in notes)
        return "".join(lines) + to_yaml(self.config.as_dict(defaults=False))


def convert(given: str, tool: str) -> Converted:
    """Turn a command line or a file of another tool into an experiment.

    Args:
        given: path of a file that holds a command line or settings in YAML ("-" is standard input), or the command
            line itself.
        tool: name of the tool, one of `TOOLS`.

    Raises:
        ConfigError: the tool is not known, has no such option, or what was given cannot be read.
    """
    if tool not in TOOLS:
        raise ConfigError(f"experiments come from {', '.join(TOOLS)}; not from {quoted(tool)}; {nearest(tool, TOOLS)}?")
    read = _read(given, tool, TOOLS[tool])
    config = ExperimentConfig.from_dict(TOOLS[tool].build(read))
    mapped, lost = _what_became(read, TOOLS[tool])
    return Converted(config, tool, tuple(mapped), tuple(lost))


def _read(given: str, name: str, tool: Tool) -> Given:
    is_settings = given.lower().endswith((".yaml", ".yml"))
    if given != "-" and not is_settings and not _is_file(given):
        if not tool.takes_commands:
            raise ConfigError(f"{name} is told by a file of settings; there is no file {quoted(given)}")
        return read_command(given, name, tool)
    text = read_source(given)
    if is_settings or not tool.takes_commands:
        if not tool.takes_settings:
            raise ConfigError(f"{name} takes a command line, not settings in YAML")
        settings, places = read_yaml(text, given)
        return read_settings(settings, name, tool, places)
    try:
        return read_command(text.strip(), name, tool)
    except ConfigError as error:
        raise ConfigError(f"{given}: {error}") from None


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except (OSError, ValueError):
        return False


def _what_became(given: Given, tool: Tool) -> tuple[list[str], list[str]]:
    options = {option.name: option for options in tool.programs.values() for option in options}
    mapped = [f"{name}: {options[name].to}" for name in given.values if name in given.told and options[name].to]
    reasons: dict[str, list[str]] = {}
    for what, why in given.lost:
        reasons.setdefault(why, []).append(what)
    for name in given.values:
        if name in given.told and not options[name].to:
            reasons.setdefault(options[name].why, []).append(name)
    return mapped, [f"not mapped: {', '.join(names)}: {why}" for why, names in reasons.items()]
