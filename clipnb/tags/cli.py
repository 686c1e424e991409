"""`clipnb tags`: count the tags of prompts, write their graph; tagnet's own spelling too."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from clipnb.errors import TagsError
from clipnb.progress import say

if TYPE_CHECKING:
    from clipnb.tags.counts import TagCounts

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_TAGNET_MODES = ("count_tags", "display_graph", "export_graph")


def add_parser(commands: Commands) -> None:
    """Add the commands about tags."""
    tags = commands.add_parser(
        "tags",
        help="count the tags of prompts and draw how they go together",
        description="Count the tags of prompts and draw how they go together.",
    )
    forms = tags.add_subparsers(title="commands", metavar="COMMAND")
    _add_count(forms)
    _add_graph(forms)
    old = tags.add_argument_group("tagnet's own spelling, in place of a command")
    old.add_argument("--path", metavar="DIR", help="file or folder with prompts")
    old.add_argument("--mode", choices=_TAGNET_MODES, default="count_tags")
    old.add_argument("--filter", metavar="'>1'", help="only tags whose count passes")
    old.add_argument("--output_file", metavar="F", help="write to this file")
    tags.set_defaults(run=_tagnet)


def _add_count(forms: Commands) -> None:
    count = forms.add_parser("count", help="list tags, most frequent first")
    _add_reading(count)
    count.add_argument("--filter", metavar="'>=5'", help="only tags whose count passes: = == > < >= <=")
    count.add_argument("--top", type=int, metavar="N", help="only the N most frequent")
    count.add_argument("-o", "--output", metavar="F.csv", help="write a CSV file instead of listing")
    count.set_defaults(run=_count)


def _add_graph(forms: Commands) -> None:
    graph = forms.add_parser("graph", help="write the graph of tags that occur together")
    _add_reading(graph)
    graph.add_argument(
        "-o",
        "--output",
        default="tags.html",
        metavar="F",
        help="its name tells the form: .html (page), .json, .graphml, .gexf, .csv, .png, .svg, .pdf, or a folder "
        "(ends with /) for a page with its data; default tags.html",
    )
    graph.add_argument("--min-count", type=int, default=1, metavar="N", help="leave out rarer tags")
    graph.add_argument("--min-edge", type=int, default=1, metavar="N", help="leave out pairs in fewer prompts")
    graph.add_argument("--top", type=int, metavar="N", help="only the N most frequent tags")
    graph.add_argument("--weight", default="count", help="weight of a pair, such as npmi; a wrong name lists all")
    graph.add_argument("--backbone", type=float, metavar="ALPHA", help="only pairs that stand out, such as 0.05")
    graph.add_argument("--max-nodes", type=int, metavar="N", help="draw the N most frequent tags at most")
    graph.add_argument("--title", default="Tags", help="heading of a page")
    graph.set_defaults(run=_graph)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder or glob with prompts")
    parser.add_argument("--column", default="prompt", help="where prompts stand in tables; default prompt")
    parser.add_argument("--tags-only", action="store_true", help="lines are tags only, without a subject")
    parser.add_argument(
        "--clean",
        nargs="?",
        const="quotes,brackets,weights,parameters",
        default="",
        metavar="WHAT",
        help="strip quotes,brackets,weights,parameters (all, or the ones named)",
    )


def _count(args: argparse.Namespace) -> int:
    from clipnb.tags.export import export_counts

    counts = _read(args)
    rows = counts.filter(args.filter) if args.filter else counts.most_common()
    rows = rows[: _checked_top(args.top)]
    if args.output:
        _tell(f"wrote {export_counts(counts, args.output, rows)}")
    else:
        _list(rows)
    return 0


def _graph(args: argparse.Namespace) -> int:
    from clipnb.tags.export import check_form, export_graph, export_web
    from clipnb.tags.graph import build_graph

    web = args.output.endswith(("/", "\\")) or os.path.isdir(args.output)  # noqa: PTH112 - pathlib's raises for names that are too long
    if not web:
        check_form(args.output)
    counts = _read(args)
    graph = build_graph(counts, args.min_count, args.min_edge, args.top, args.weight, args.backbone)
    if web:
        target = export_web(graph, args.output, args.max_nodes or 300, args.title)
    else:
        target = export_graph(graph, args.output, args.max_nodes, args.title)
    _tell(f"wrote {target}: {graph.number_of_nodes():,} tags, {graph.number_of_edges():,} pairs")
    return 0


def _tagnet(args: argparse.Namespace) -> int:
    if args.path is None:
        raise TagsError("no command: use `clipnb tags count PATH` or `clipnb tags graph PATH -o tags.html`")
    from clipnb.prompts.read import load_prompts
    from clipnb.tags.counts import TagCounts
    from clipnb.tags.export import export_graph, export_rows
    from clipnb.tags.graph import build_graph

    counts = TagCounts(load_prompts(args.path))
    if args.mode == "count_tags":
        rows = counts.filter(args.filter) if args.filter else counts.most_common()
        if args.output_file:
            _tell(f"wrote {export_rows(rows, args.output_file)}")
        else:
            _list(rows)
        return 0
    output = args.output_file or ("tags.html" if args.mode == "display_graph" else "graph.json")
    graph = build_graph(counts, weight="tagnet", condition=args.filter)
    _tell(f"wrote {export_graph(graph, output)}")
    return 0


def _read(args: argparse.Namespace) -> TagCounts:
    from clipnb.prompts.read import load_prompts
    from clipnb.prompts.splitting import Cleaning
    from clipnb.tags.counts import TagCounts
    from clipnb.tags.hints import head_hint

    clean = Cleaning.named(name for name in args.clean.split(",") if name.strip())
    prompts = load_prompts(args.paths, args.column)
    counts = TagCounts(prompts, head=not args.tags_only, clean=clean)
    _tell(f"{len(prompts):,} prompts from {len(prompts.files):,} files, {len(counts):,} tags")
    if prompts.replaced:
        _tell(f"{prompts.replaced:,} bytes were no UTF-8 and stand as \ufffd")
    if hint := head_hint(counts):
        _tell(f"hint: {hint}")
    return counts


def _checked_top(top: int | None) -> int | None:
    if top is not None and top < 1:
        raise TagsError(f"--top is {top}, but must be at least 1")
    return top


def _list(rows: list[tuple[str, int]]) -> None:
    if rows:
        say("\n".join(" ".join(tag.splitlines()) + f" | {count}" for tag, count in rows))


def _tell(text: str) -> None:
    say(text, sys.stderr)
