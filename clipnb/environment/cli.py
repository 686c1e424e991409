"""`clipnb doctor` and `clipnb models`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Commands) -> None:
    """Add the commands that look at this machine."""
    doctor = commands.add_parser("doctor", help="what is here, what is missing, and the command that mends it")
    doctor.set_defaults(run=_doctor)
    models = commands.add_parser("models", help="list the models that have a name")
    models.add_argument("--here", action="store_true", help="only those whose weights are on this machine")
    models.set_defaults(run=_models)


def _doctor(args: argparse.Namespace) -> int:
    del args
    from clipnb.environment.doctor import as_text, examine
    from clipnb.progress import say

    fatal = False
    for finding in examine():
        say(as_text(finding))
        fatal = fatal or finding.fatal
    return 1 if fatal else 0


def _models(args: argparse.Namespace) -> int:
    from clipnb.models.load import list_models, local_models
    from clipnb.progress import progress_bar, say

    if args.here:
        say("\n".join(local_models()))
        return 0
    with progress_bar("measuring architectures", "architecture") as report:
        frame = list_models(report)
    say(frame.to_string(index=False))
    return 0
