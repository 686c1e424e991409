"""`clipnb captions`: look at and edit the captions beside the images of a folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipnb.errors import PromptsError, counted, listed
from clipnb.progress import say, tell

if TYPE_CHECKING:
    from clipnb.prompts.caption_preview import Preview
    from clipnb.prompts.caption_set import CaptionSet

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Commands) -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser(
        "captions",
        help="count, find and edit the captions beside images",
        description="Count, find and edit the captions beside the images of a folder: picture.txt of picture.png. "
        "Images are never changed. The last 20 edits can be undone, and one that was killed is finished by the next "
        "command.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="the images' folder, with all folders in it")
    actions = parser.add_subparsers(title="what to do", metavar="ACTION", required=True)
    _add_looking(actions)
    tags: dict[str, Any] = {"nargs": "+", "metavar": "TAG", "help": "one or several, also between commas"}
    replace = _action(actions, "replace", "replace a tag; where the new one is there already, the old one goes")
    replace.add_argument("old", nargs="?", metavar="OLD")
    replace.add_argument("new", nargs="?", metavar="NEW")
    replace.add_argument("--mapping", metavar="FILE", help="CSV file with the columns tag,becomes")
    _action(actions, "remove", "remove tags").add_argument("tags", **tags)
    _action(actions, "append", "add tags at the end of captions that lack them").add_argument("tags", **tags)
    _action(actions, "prepend", "add tags in front of captions that lack them").add_argument("tags", **tags)
    _action(actions, "triggers", "move trigger words to the front").add_argument("tags", **tags)
    ban = _action(actions, "ban", "remove the tags of a list")
    ban.add_argument("list", metavar="FILE", help="text file, one tag a line or between commas; # begins comments")
    _action(actions, "sort", "sort the tags of each caption by name")
    _action(actions, "unique", "remove tags that a caption repeats")
    underscores = _action(actions, "underscores", "write tags with _ (on) or with blanks (off)")
    underscores.add_argument("to", choices=("on", "off"))
    undo = _place(actions.add_parser("undo", help="take back the last edit that was saved"))
    undo.set_defaults(run=_undo)


def _add_looking(actions: Commands) -> None:
    count = _place(actions.add_parser("count", help="list tags with the number of their captions"))
    count.add_argument("--top", type=int, metavar="N", help="only the N most frequent")
    count.set_defaults(run=_count)
    find = _place(actions.add_parser("find", help="list images by the tags of their captions"))
    find.add_argument("tags", nargs="*", metavar="TAG", help="all of these")
    find.add_argument("--any", nargs="+", default=[], metavar="TAG", help="at least one of these")
    find.add_argument("--none", nargs="+", default=[], metavar="TAG", help="none of these")
    find.set_defaults(run=_find)
    check = _place(actions.add_parser("check", help="list images without captions, and captions without images"))
    check.set_defaults(run=_check)


def _action(actions: Commands, name: str, help_: str) -> argparse.ArgumentParser:
    parser = _place(actions.add_parser(name, help=help_))
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would change, and write nothing")
    if name != "triggers":
        parser.add_argument("--triggers", metavar="TAGS", help="trigger words, which are moved and kept in front")
    parser.set_defaults(run=_edit, action=name)
    return parser


def _place(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--suffix", help="of the captions (default: .txt, else .caption)")
    parser.add_argument("--captions", metavar="DIR", help="where the captions are, if not beside the images")
    parser.add_argument("--encoding", metavar="NAME", help="of captions that are no UTF-8, such as cp1252")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bars")
    return parser


def _read(args: argparse.Namespace) -> CaptionSet:
    from clipnb.prompts.caption_set import CaptionSet

    captions = CaptionSet(args.folder, args.suffix, captions=args.captions, encoding=args.encoding, quiet=args.quiet)
    tell(
        f"{counted(len(captions), 'caption')} of {counted(len(captions.images), 'image')}; "
        f"{counted(len(captions.without_caption), 'image')} without a caption, "
        f"{counted(len(captions.without_image), 'caption')} without an image"
    )
    if captions.skipped:
        lines = [f"{one.source}: {one.why}" for one in captions.skipped]
        tell(f"{len(lines):,} not read and left alone:\n  " + listed(lines, between="\n  "))
    return captions


def _count(args: argparse.Namespace) -> int:
    if args.top is not None and args.top < 1:
        raise PromptsError(f"--top is {args.top}, but must be at least 1")
    captions = _read(args)
    rows = list(captions.count().items())[: args.top]
    if rows:
        say("\n".join(f"{tag} | {number}" for tag, number in rows))
    return bool(captions.skipped)


def _find(args: argparse.Namespace) -> int:
    if not (args.tags or args.any or args.none):
        raise PromptsError("find what? Name tags, or use --any and --none")
    captions = _read(args)
    found = captions.find(all=args.tags, any=args.any, none=args.none)
    if found:
        say("\n".join(found))
    tell(counted(len(found), "image"))
    return bool(captions.skipped)


def _check(args: argparse.Namespace) -> int:
    captions = _read(args)
    for what, names in (("without a caption", captions.without_caption), ("without an image", captions.without_image)):
        if names:
            say(f"{what}:\n  " + "\n  ".join(names))
    return bool(captions.skipped or captions.without_caption or captions.without_image)


def _edit(args: argparse.Namespace) -> int:
    if args.action == "replace" and (args.new is None if args.mapping is None else args.old is not None):
        raise PromptsError("replace takes two tags, OLD NEW, or else --mapping FILE")
    captions = _read(args)
    if args.action != "triggers" and args.triggers is not None:
        captions.triggers(args.triggers)
    made = _edited(captions, args)
    changes = captions.changes() if args.action != "triggers" and args.triggers is not None else made
    say(str(changes))
    if args.dry_run:
        say("nothing is written (--dry-run)")
        return bool(captions.skipped)
    try:
        written = captions.save(quiet=args.quiet)
    except KeyboardInterrupt:
        tell("interrupted while captions were written: the next command finishes it, and `undo` takes it back")
        raise
    say(str(written))
    return bool(captions.skipped or written.skipped)


def _edited(captions: CaptionSet, args: argparse.Namespace) -> Preview:
    if args.action == "replace":
        return captions.replace(args.old if args.mapping is None else Path(args.mapping), args.new or "")
    if args.action == "ban":
        return captions.ban(Path(args.list))
    if args.action == "underscores":
        return captions.underscores(args.to == "on")
    if args.action == "sort":
        return captions.sort()
    if args.action == "unique":
        return captions.unique()
    by_name = {
        "remove": captions.remove,
        "append": captions.append,
        "prepend": captions.prepend,
        "triggers": captions.triggers,
    }
    return by_name[args.action](args.tags)


def _undo(args: argparse.Namespace) -> int:
    written = _read(args).undo(quiet=args.quiet)
    say(str(written))
    return bool(written.skipped)
