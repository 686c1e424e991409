"""Options of commands that read prompts: where they stand, and how they are taken apart."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clipnb.errors import TagsError

if TYPE_CHECKING:
    from clipnb.prompts.read import Prompts


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add `PATH...` and where prompts stand there."""
    paths = "file, folder (captions and pictures too) or glob with prompts; - is standard input"
    parser.add_argument("paths", nargs="+", metavar="PATH", help=paths)
    add = parser.add_argument_group("how prompts are read").add_argument
    add("--column", default="prompt", metavar="NAME", help="where prompts stand in tables (default: %(default)s)")
    add("--repeats", default="auto", metavar="HOW", help="keep, once, or auto: once in text files alone")
    add(
        "--kind",
        default="auto",
        metavar="KIND",
        help="what the files are where names do not tell; a wrong one lists all",
    )
    add("--encoding", metavar="NAME", help="of texts that are no UTF-8, such as cp1252")
    add("--strict", action="store_true", help="stop at what cannot be read instead of skipping it")


def add_splitting(parser: argparse.ArgumentParser) -> None:
    """Add how prompts are taken apart."""
    add = parser.add_argument_group("how prompts become tags").add_argument
    add(
        "--dialect",
        default="plain",
        metavar="NAME",
        help="such as tags, a1111; auto finds out (default: %(default)s)",
    )
    add("--tags-only", action="store_true", help="in plain: lines are tags only, without a subject")
    add(
        "--clean",
        nargs="?",
        const="quotes,brackets,weights,parameters",
        default="",
        metavar="WHAT",
        help="in plain: strip quotes,brackets,weights,parameters (all, or the ones named)",
    )
    add("--aliases", metavar="F.csv", help="tags that count as others: a CSV file with tag,becomes")
    add("--underscores", action="store_true", help="long_hair and long hair are one tag")


def read_given(args: argparse.Namespace, paths: Sequence[str] | None = None) -> Prompts:
    """Read the prompts of the arguments, or of some paths among them.

    Raises:
        PromptsError: as `read_prompts`.
    """
    from clipnb.prompts.read import read_prompts

    options = {name: getattr(args, name) for name in ("repeats", "kind", "encoding", "strict")}
    return read_prompts(args.paths if paths is None else paths, args.column, **options)


def splitting_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return how prompts are taken apart, as `TagCounts` takes it.

    Raises:
        TagsError: options that do nothing in the dialect, or something that cannot be stripped.
        PromptsError: an alias file that cannot be read.
    """
    from clipnb.prompts.spelling import read_aliases
    from clipnb.prompts.splitting import Cleaning

    options: dict[str, Any] = {"dialect": args.dialect, "underscores": args.underscores}
    if args.aliases is not None:
        options["aliases"] = read_aliases(args.aliases)
    if args.dialect == "plain":
        return options | {"head": not args.tags_only, "clean": Cleaning.named(filter(str.strip, args.clean.split(",")))}
    if args.tags_only or args.clean:
        option = "--tags-only" if args.tags_only else "--clean"
        raise TagsError(f"{option} belongs to the dialect plain, and --dialect {args.dialect} was given; leave one out")
    return options
