"""`clipnb demo`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Commands) -> None:
    """Add the command that shows the three jobs."""
    demo = commands.add_parser(
        "demo",
        help="do the three jobs on real input and show the results on one page",
        description="Makes a picture from a text, prompts from photographs, and a graph of the sample prompts' tags, "
        "without network, and writes one page that shows them.",
    )
    demo.add_argument("folder", metavar="DIR", nargs="?", type=Path, default=Path("clipnb-demo"), help="where to")
    demo.add_argument("--text", default="a jellyfish in the deep sea", help="what the picture shows (%(default)s)")
    demo.add_argument("--model", default="auto", help="which encoder (%(default)s)")
    demo.add_argument("--seed", type=int, default=1, help="of the picture (%(default)s)")
    demo.add_argument("--quiet", action="store_true", help="no progress bars")
    demo.set_defaults(run=_demo)


def _demo(args: argparse.Namespace) -> int:
    from clipnb.demo.tour import give_tour
    from clipnb.progress import say

    page = give_tour(args.folder, text=args.text, model=args.model, seed=args.seed, quiet=args.quiet)
    say(f"Done. Open {page}")
    return 0
