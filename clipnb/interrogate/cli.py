"""The command `clipnb interrogate`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipnb.images import ImageSource
    from clipnb.interrogate.result import Interrogation

_SHOWN = ("text", "prompt", "json")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser(
        "interrogate",
        help="describe pictures by prompts",
        description="Describe each picture by a prompt, and say why.",
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="file or URL of a picture")
    parser.add_argument(
        "--mode", default="classic", help="classic, fast, best, negative, caption or beam (default: %(default)s)"
    )
    parser.add_argument(
        "--model", default="auto", metavar="NAME", help="encoder, such as ViT-L-14/openai (default: %(default)s)"
    )
    parser.add_argument("--caption", metavar="TEXT", help="what the prompt begins with, in place of a made one")
    parser.add_argument(
        "--captioner", metavar="NAME", help="makes captions: blip-base, blip-large, ..., a hub id or a folder"
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        help="your own labels in place of the built-in ones: a file, a folder of them, or package:clip_interrogator",
    )
    parser.add_argument("--max-flavors", type=int, metavar="N", help="phrases at most (default: the mode's own)")
    parser.add_argument(
        "--lazy", action="store_true", help="score only a chain's likely phrases: less work, may end a little lower"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    parser.add_argument(
        "--show", choices=_SHOWN, default="text", help="what to print of each result (default: %(default)s)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from clipnb.errors import ImageError
    from clipnb.images import open_image
    from clipnb.interrogate.interrogator import Interrogator
    from clipnb.interrogate.registry import find_mode
    from clipnb.interrogate.settings import Settings

    find_mode(args.mode)
    settings = Settings(
        clip_model_name=args.model,
        caption_model_name=args.captioner,
        device=args.device,
        lazy=args.lazy,
        quiet=args.quiet,
    )
    # A single picture is opened first, so that a mistake shows before models are loaded for nothing.
    pictures: list[ImageSource] = [open_image(args.images[0])] if len(args.images) == 1 else args.images
    worker = Interrogator(labels=args.labels, settings=settings)
    unread = 0
    for name, picture in zip(args.images, pictures, strict=True):
        try:
            found = worker.interrogate(picture, args.mode, args.caption, max_flavors=args.max_flavors)
        except ImageError as error:
            print(f"clipnb: {error}", file=sys.stderr)
            unread += 1
            continue
        print(_shown(found, name, args.show), flush=True)
    return 1 if unread else 0


def _shown(found: Interrogation, image: str, show: str) -> str:
    if show == "prompt":
        return found.prompt
    if show == "json":
        return json.dumps({"image": image, **found.to_dict()}, ensure_ascii=False)
    return f"{image}\n{found}\n"
