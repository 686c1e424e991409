"""`clipnb lab`: the notebooks, opened in JupyterLab."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Commands) -> None:
    """Add the command that opens the notebooks."""
    lab = commands.add_parser("lab", help="open the notebooks in JupyterLab, beginning with 00-start-here")
    lab.add_argument(
        "folder",
        nargs="?",
        default="clipnb-notebooks",
        help="where the notebooks are copied to; those that are there stay as they are (%(default)s)",
    )
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.set_defaults(run=_lab)


def _lab(args: argparse.Namespace) -> int:
    from clipnb.environment.lab import copy_notebooks, is_root, start_lab
    from clipnb.files import expanded
    from clipnb.progress import say

    if is_root():
        say("clipnb: you are root, so JupyterLab starts with --allow-root; better run it as another user")
    return start_lab(copy_notebooks(expanded(args.folder)), browser=not args.no_browser)
