"""What `clipnb interrogate` prints, where nothing is written to a file."""

from __future__ import annotations

import argparse
import json
from collections import Counter

from clipnb.errors import ClipnbError, ImageError, listed
from clipnb.image_names import passed_over
from clipnb.images import open_image, read_image_file
from clipnb.interrogate.folder.contrast import contrast
from clipnb.interrogate.folder.image_files import find_images, refuse_recursive
from clipnb.interrogate.folder.manifest import RunOptions
from clipnb.interrogate.folder.set_worker import describe_sets, find_sets
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.result import Interrogation
from clipnb.interrogate.settings import Settings
from clipnb.options import DETAILS
from clipnb.progress import say, tell


def print_each(args: argparse.Namespace, settings: Settings) -> int:

    if args.recursive:
        refuse_recursive(args.paths)
    kinds: Counter[str] = Counter()
    names = [one.source for path in args.paths for one in find_images([path], recursive=args.recursive, unread=kinds)]
    if kinds:
        tell(passed_over(kinds))
    # A single image is opened first, so that a mistake shows before models are loaded for nothing.
    opened: list[str | bytes] = list(names)
    if len(names) == 1:
        opened = [content := read_image_file(names[0])]
        open_image(content, names[0])
    worker = Interrogator(labels=args.labels, settings=settings)
    unread = 0
    wishes = {"max_flavors": args.max_flavors, "known": args.known}
    for name, picture in zip(names, opened, strict=True):
        try:
            result = worker.interrogate(picture, args.mode, args.caption, **wishes)
        except ImageError as error:
            tell(f"clipnb: {error}")
            unread += 1
            continue
        say(_shown(result, name, args.show, details=args.verbose >= DETAILS))
    return 1 if unread else 0


def print_sets(args: argparse.Namespace, settings: Settings) -> int:

    if args.recursive:
        refuse_recursive([*args.paths, *(args.against or ())])
    kinds: Counter[str] = Counter()
    found = [
        find_images(paths, recursive=args.recursive, unread=kinds) for paths in (args.paths, args.against) if paths
    ]
    if kinds:
        tell(passed_over(kinds))
    worker = Interrogator(labels=args.labels, settings=settings)
    if args.against:
        first, second = ([one.source for one in images] for images in found)
        names = listed(args.paths), listed(args.against)
        wishes = {"max_flavors": args.max_flavors, "seed": args.seed or 0}
        separated = contrast(first, second, names=names, interrogator=worker, **wishes)
        prompts = "\n".join(side.prompt for side in separated.sides)
        shown = {"prompt": prompts, "json": json.dumps(separated.to_dict(), allow_nan=False), "text": str(separated)}
        say(shown[args.show])
        return 0
    sets = find_sets(found[0])
    unread = 0
    for name, one in describe_sets(worker, sets, RunOptions(args.mode, args.caption, args.max_flavors), sets):
        if isinstance(one, ClipnbError):
            tell(f"clipnb: {one}")
            unread += 1
        else:
            say(_shown(one, name, args.show, details=args.verbose >= DETAILS))
    return 1 if unread else 0


def _shown(found: Interrogation, image: str, show: str, *, details: bool) -> str:
    if show == "prompt":
        return found.prompt
    if show == "json":
        # ASCII: safe to print, and whole in any encoding
        return json.dumps({"image": image, **found.to_dict()}, allow_nan=False)
    added = [f"  {100 * reason.added:+6.1f} {reason.phrase}" for reason in found.reasons] if details else []
    times = [f"  {part}: {seconds:.2f} s" for part, seconds in found.times.items()] if details else []
    return "\n".join([image, str(found), *added, *times, ""])
