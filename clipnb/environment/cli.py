"""`clipnb doctor`, `clipnb models`, `clipnb lab` and `clipnb app`."""

from __future__ import annotations

import argparse
from itertools import chain
from typing import TYPE_CHECKING

from clipnb.environment.app import LOCAL, PANELS, run_app
from clipnb.progress import say

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Commands) -> None:
    """Add the commands that look at this machine, and those that open notebooks or panels."""
    doctor = commands.add_parser("doctor", help="what is here, what is missing, and the command that mends it")
    doctor.add_argument("-m", "--model", metavar="NAME", help="load this model too, and look at what it tells apart")
    doctor.set_defaults(run=_doctor)
    models = commands.add_parser("models", help="list the models that have a name")
    models.add_argument("--here", action="store_true", help="only those whose weights are on this machine")
    models.set_defaults(run=_models)
    lab = commands.add_parser("lab", help="open the notebooks in JupyterLab, beginning with 00-start-here")
    lab.add_argument(
        "folder",
        nargs="?",
        default="clipnb-notebooks",
        help="where the notebooks are copied to; those that are there stay as they are (%(default)s)",
    )
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.set_defaults(run=_lab)
    app = commands.add_parser("app", help="open the panels in the browser as a page of their own, without a notebook")
    app.add_argument("panel", nargs="?", choices=PANELS, help="only this one; all three are tabs")
    app.add_argument("--no-browser", action="store_true", help="only print the address")
    app.add_argument("--port", type=int, default=0, metavar="N", help="where it is reached (a free one)")
    app.add_argument(
        "--address", default=LOCAL, metavar="IP", help="this machine's address for others; 0.0.0.0 is all (%(default)s)"
    )
    app.set_defaults(run=_app)


def _doctor(args: argparse.Namespace) -> int:
    from clipnb.environment.doctor import as_text, examine, examine_model

    fatal = False
    for finding in chain(examine(), examine_model(args.model) if args.model else ()):
        say(as_text(finding))
        fatal = fatal or finding.fatal
    return 1 if fatal else 0


def _models(args: argparse.Namespace) -> int:
    from clipnb.models.load import list_models, local_models
    from clipnb.progress import progress_bar

    if args.here:
        say("\n".join(local_models()))
        return 0
    with progress_bar("measuring architectures", "architecture") as report:
        frame = list_models(report)
    say(frame.to_string(index=False))
    return 0


def _lab(args: argparse.Namespace) -> int:
    from clipnb.environment.lab import copy_notebooks, is_root, start_lab
    from clipnb.files import expanded

    if is_root():
        say("clipnb: you are root, so JupyterLab starts with --allow-root; better run it as another user")
    return start_lab(copy_notebooks(expanded(args.folder)), browser=not args.no_browser)


def _app(args: argparse.Namespace) -> int:
    return run_app([args.panel] if args.panel else PANELS, args.address, args.port, browser=not args.no_browser)
