"""The command line: parse, call, print. Each room brings its own commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import clipnb.bundle.cli as bundle_cli
import clipnb.demo.cli as demo_cli
import clipnb.environment.cli as environment_cli
import clipnb.interrogate.cli as interrogate_cli
import clipnb.optimise.cli as optimise_cli
import clipnb.prompts.cli as prompts_cli
import clipnb.tags.cli as tags_cli
from clipnb import __version__
from clipnb.errors import ClipnbError, reason, shortened
from clipnb.options import Parser
from clipnb.progress import give_up, tell

_ROOMS = (demo_cli, environment_cli, optimise_cli, interrogate_cli, prompts_cli, tags_cli, bundle_cli)
_MISTAKE, _INTERRUPTED = 2, 130


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands; imports nothing heavy."""
    parser = Parser(
        prog="clipnb",
        description="Live image optimisation, interrogation and tag graphs around CLIP-like encoders.",
        epilog="Start with: clipnb demo",
    )
    parser.add_argument("--version", action="version", version=f"clipnb {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for room in _ROOMS:
        room.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what the user typed after `clipnb`; the process's own arguments when None.

    Returns:
        Exit status: 0 done, 1 done but something is wrong, 2 a mistake of the user's (one line on standard
        error), 130 interrupted.
    """
    args = make_parser().parse_args(arguments)
    try:
        status: int = args.run(args)
        if sys.stdout is not None:  # as it is when it was closed
            sys.stdout.flush()
    except ClipnbError as error:
        tell(f"clipnb: {error}")
        return _MISTAKE
    except KeyboardInterrupt:
        tell("clipnb: interrupted")
        return _INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        give_up(sys.stdout)
        return 0
    except OSError as error:  # a path that the user named: not permitted, too long, a link to itself, a full disk
        if error.filename is None and error.errno is None:
            raise
        place = "the output" if error.filename is None else shortened(str(error.filename), 200)
        if error.filename is None and sys.stdout is not None:
            give_up(sys.stdout)
        tell(f"clipnb: cannot read or write {place}: {reason(error)}; choose another place")
        return _MISTAKE
    return status


if __name__ == "__main__":
    sys.exit(main())
