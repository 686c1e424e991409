"""Options of all commands: each short one means the same everywhere, and none is ignored or given twice."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, _ArgumentGroup
from collections.abc import Iterable
from typing import Any, NoReturn

from clipnb.errors import ClipnbError, told

Options = ArgumentParser | _ArgumentGroup

_MISTAKE = 2  # exit status

SILENT, PROGRESS, DETAILS = 0, 1, 2
"""Values of `--verbose`."""


class UsageError(ClipnbError, ValueError):
    """An option that would do nothing in company of the others."""


class Parser(ArgumentParser):
    """Refuses what is blank, and an option that is given twice or in front of a command; tells a mistake in one line.

    What it returns has `given`, a dict from destinations to the options that were typed for them.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in (None, "store", "store_const", "store_true", "store_false"):
            self.register("action", name, _once(self._registry_get("action", name)))
        self.register("action", "append", _once(self._registry_get("action", "append"), repeats=True))
        self.register("action", "parsers", _Commands)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        namespace = argparse.Namespace() if namespace is None else namespace
        namespace.given = {}  # of this command; a default would be shared by all calls
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        line = " ".join(told(message).split())
        self.exit(_MISTAKE, f"clipnb: {line}; `{self.prog} --help` lists what there is\n")


def _once(kind: type[argparse.Action], *, repeats: bool = False) -> type[argparse.Action]:
    class Once(kind):  # type: ignore[misc, valid-type]
        def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
            if option_string is not None:
                if self.dest in namespace.given and not repeats:
                    raise argparse.ArgumentError(self, "given twice; give it once")
                namespace.given[self.dest] = option_string
            given = values if isinstance(values, list) else [values]
            if any(isinstance(value, str) and not value.strip() for value in given) and (
                option_string is None or self.nargs != "?"
            ):  # as a path it would be the folder one is in
                raise argparse.ArgumentError(self, "is empty; put something there, or leave it out")
            super().__call__(parser, namespace, values, option_string)

    return Once


class _Commands(argparse._SubParsersAction):  # type: ignore[type-arg]  # which has no types when it runs
    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        for option in namespace.given.values():
            parser.error(f"{option} stands in front of the command {values[0]}; put behind it what belongs to it")
        super().__call__(parser, namespace, values, option_string)


def require_company(args: argparse.Namespace, options: Iterable[str], company: Iterable[str]) -> None:
    """Raise `UsageError` where one of some options is given, and none of those that it belongs to.

    Args:
        args: what a `Parser` returned.
        options: destinations, such as "batch_size".
        company: destinations, of which one is enough.
    """
    idle = next((name for name in options if name in args.given), None)
    if idle is not None and not any(name in args.given for name in company):
        needed = " or ".join(f"--{name.replace('_', '-')}" for name in company)
        raise UsageError(f"{args.given[idle]} belongs to {needed}; add that, or leave this out")


def refuse_together(args: argparse.Namespace, option: str, others: Iterable[str], why: str = "") -> None:
    """Raise `UsageError` where an option and one of others are given, of which one would do nothing."""
    other = next((name for name in others if name in args.given), None)
    if option in args.given and other is not None:
        told = f": {why}" if why else ""
        raise UsageError(f"{args.given[option]} and {args.given[other]} do not go together{told}; leave one out")


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
