"""`clipnb demo`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from clipnb.options import SILENT, add_device, add_model, add_seed, add_verbose

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
    text = "a jellyfish in the deep sea"
    demo.add_argument("-t", "--text", default=text, help="what the picture shows (%(default)s)")
    add_model(demo)
    add_device(demo)
    add_seed(demo, "the picture", 1)
    add_verbose(demo)
    demo.set_defaults(run=_demo)


def _demo(args: argparse.Namespace) -> int:
    from clipnb.demo.tour import give_tour
    from clipnb.progress import say

    quiet = args.verbose == SILENT
    page = give_tour(args.folder, text=args.text, model=args.model, device=args.device, seed=args.seed, quiet=quiet)
    say(f"Done. Open {page}")
    return 0
