"""What another tool can be told, as tables; and what somebody told it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

FLAG, ONE, TWO, MANY = 0, 1, 2, -1
"""How many values an option takes on a command line; a flag may be given one."""


@dataclass(frozen=True)
class Option:
    """An option of another tool.

    Attributes:
        spellings: on a command line, as one text parted by blanks, longest last; that without dashes is its name.
        default: what the tool does without it; its type says how a value is read (None: as text).
        to: our key that it becomes; "" where it becomes none.
        why: why it becomes none.
        count: of its values.
    """

    spellings: str
    default: Any = None
    to: str = ""
    why: str = ""
    count: int = ONE

    @property
    def name(self) -> str:
        return self.spellings.split()[-1].lstrip("-").replace("-", "_")


def dropped(why: str, *options: Option) -> tuple[Option, ...]:
    """Return options that become none of our keys, for one reason."""
    return tuple(Option(one.spellings, one.default, "", why, one.count) for one in options)


@dataclass
class Given:
    """What somebody told a tool: the values of all its options, with its defaults for the others.

    Attributes:
        values: by name.
        told: names of those that were given.
        lost: what of a mapped option could not be kept, and why.
    """

    values: Mapping[str, Any]
    told: frozenset[str]
    lost: list[tuple[str, str]] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def lose(self, what: str, why: str) -> None:
        """Note that something is not mapped."""
        if (what, why) not in self.lost:
            self.lost.append((what, why))


@dataclass(frozen=True)
class Tool:
    """Another tool.

    Attributes:
        programs: names of its programs, with the options that each has.
        build: makes an experiment, as `ExperimentConfig.from_dict` takes it, of what was given.
        plain: option that words without one are for; "" where none may stand.
        takes_settings: whether settings in YAML are read.
        takes_commands: whether command lines are.
    """

    programs: Mapping[str, tuple[Option, ...]]
    build: Callable[[Given], dict[str, Any]]
    plain: str = ""
    takes_settings: bool = False
    takes_commands: bool = True

    @property
    def options(self) -> tuple[Option, ...]:
        """Those of its first program."""
        return next(iter(self.programs.values()))
