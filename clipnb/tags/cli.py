"""`clipnb tags`: count the tags of prompts, draw, compare and follow them; tagnet's own spelling too."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from clipnb.errors import TagsError, counted, listed, printable, shortened
from clipnb.options import add_output
from clipnb.progress import say, tell
from clipnb.prompts.reading_options import add_reading, add_splitting, read_given, splitting_of

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.prompts.read import Prompts
    from clipnb.tags.counting.counts import TagCounts

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_TAGNET_MODES = ("count_tags", "display_graph", "export_graph")
_WHOLE = (".json", ".graphml", ".gexf", ".csv", ".parquet")  # hold all tags
_LISTED, _GROUPS_LISTED = 20, 12
_LONGEST_CELL = 100  # characters of a tag in a listing, whose columns are as wide as the longest; files hold it whole
_PERIODS = ("auto", "value", "day", "week", "month", "quarter", "year")
_TABLE = "F.csv|F.json"


def add_parser(commands: Commands) -> None:
    """Add the commands about tags."""
    tags = commands.add_parser(
        "tags",
        help="count the tags of prompts, draw how they go together, compare and follow them",
        description="Count the tags of prompts, draw how they go together, compare and follow them.",
    )
    forms = tags.add_subparsers(title="commands", metavar="COMMAND")
    for add in (_add_count, _add_graph, _add_suggest, _add_neighbours, _add_compare, _add_trends):
        add(forms)
    old = tags.add_argument_group("tagnet's own spelling, in place of a command")
    old.add_argument("--path", metavar="DIR", help="file or folder with prompts")
    old.add_argument("--mode", choices=_TAGNET_MODES, default="count_tags")
    old.add_argument("--filter", metavar="'>1'", help="only tags whose count passes")
    old.add_argument("--output_file", metavar="F", help="write to this file")
    tags.set_defaults(run=_tagnet)


def _add_count(forms: Commands) -> None:
    count = forms.add_parser("count", help="list tags, most frequent first")
    _add_prompts(count)
    count.add_argument("--filter", metavar="'>=5'", help="only tags whose count passes: = == > < >= <=")
    count.add_argument("--top", type=int, metavar="N", help="only the N most frequent")
    add_output(count, "F.csv|F.json", "write a table instead of listing")
    count.set_defaults(run=_count)


def _add_graph(forms: Commands) -> None:
    graph = forms.add_parser("graph", help="write the graph of tags that occur together")
    _add_prompts(graph)
    kinds = ".html (page), .json, .graphml, .gexf, .csv, .parquet, .png, .svg, .pdf, or a folder (ends with /)"
    add_output(graph, "F", f"its name tells the form: {kinds} for a page with its data (%(default)s)", "tags.html")
    graph.add_argument("--min-count", type=int, default=1, metavar="N", help="leave out rarer tags")
    graph.add_argument("--min-edge", type=int, default=1, metavar="N", help="leave out pairs in fewer prompts")
    graph.add_argument("--top", type=int, metavar="N", help="only the N most frequent tags")
    graph.add_argument("--weight", default="count", help="weight of a pair, such as npmi; a wrong name lists all")
    graph.add_argument("--backbone", type=float, metavar="ALPHA", help="only pairs that stand out, such as 0.05")
    graph.add_argument("--chance", type=float, metavar="P", help="only pairs beyond chance (G-test), such as 0.001")
    graph.add_argument("--max-nodes", type=int, metavar="N", help="draw the N most frequent tags at most")
    graph.add_argument("--title", default="Tags", help="heading of a page")
    graph.add_argument("--examples", type=int, default=300, metavar="N", help="prompts a page keeps as text; 0: none")
    graph.add_argument("--positions", metavar="F", help="positions that a page saved: tags stand where they stood")
    graph.set_defaults(run=_graph)


def _add_suggest(forms: Commands) -> None:
    suggest = forms.add_parser("suggest", help="list what usually goes with some tags beyond chance")
    suggest.add_argument("tags", metavar="TAGS", help="one tag, or several with commas between")
    _add_prompts(suggest)
    _add_table(suggest)
    suggest.set_defaults(run=_suggest)


def _add_neighbours(forms: Commands) -> None:
    near = forms.add_parser("neighbours", aliases=["neighbors"], help="list the tags that stand together with one")
    near.add_argument("tag", metavar="TAG", help="in any case")
    _add_prompts(near)
    near.add_argument("--weight", default="surprise", help="what orders them, such as npmi; a wrong name lists all")
    _add_table(near)
    near.set_defaults(run=_neighbours)


def _add_compare(forms: Commands) -> None:
    compare = forms.add_parser(
        "compare",
        help="list the tags that tell two collections apart",
        description="List the tags that tell two collections apart: those of two paths, or the prompts that have one "
        "and the other value in a column.",
    )
    _add_prompts(compare)
    compare.add_argument("--by", metavar="COLUMN", help="compare two values of a column, such as Model")
    compare.add_argument("--values", nargs=2, metavar=("A", "B"), help="the two values")
    _add_table(compare)
    compare.set_defaults(run=_compare)


def _add_trends(forms: Commands) -> None:
    trends = forms.add_parser("trends", help="follow tags over time, or over the values of a column")
    _add_prompts(trends)
    trends.add_argument("--by", required=True, metavar="COLUMN", help="such as date or Sampler")
    trends.add_argument("--every", choices=_PERIODS, default="auto", help="what is one group (default: %(default)s)")
    trends.add_argument("--communities", action="store_true", help="follow communities of tags in place of tags")
    _add_table(trends, "F.html|F.csv|F.json", "write a figure or the whole table instead of listing")
    trends.set_defaults(run=_trends)


def _add_prompts(parser: argparse.ArgumentParser) -> None:
    add_reading(parser)
    add_splitting(parser)


def _add_table(parser: argparse.ArgumentParser, files: str = _TABLE, help_: str = "write the whole table") -> None:
    parser.add_argument("--top", type=int, metavar="N", help=f"the first N rows; {_LISTED} when listed")
    add_output(parser, files, help_)


def _count(args: argparse.Namespace) -> int:
    from clipnb.tags.export import check_table, export_counts

    if args.output:
        check_table(args.output)
    counts = _read(args)
    rows = counts.filter(args.filter) if args.filter else counts.most_common()
    rows = rows[: _checked_top(args.top)]
    if args.output:
        tell(f"wrote {export_counts(counts, args.output, rows)}")
    else:
        _list(rows)
    return 0


def _graph(args: argparse.Namespace) -> int:
    from clipnb.tags.export import check_form, export_graph, export_web
    from clipnb.tags.graph import build_graph

    web = args.output.endswith(("/", "\\")) or os.path.isdir(args.output)  # noqa: PTH112 - pathlib's raises for names that are too long
    if not web:
        check_form(args.output)
        form = os.path.splitext(args.output)[1].lower()  # noqa: PTH122
        of_pages = ((option, form != ".html") for option in ("title", "examples", "positions"))
        for option, idle in (*of_pages, ("max_nodes", form in _WHOLE)):
            if idle and option in args.given:
                raise TagsError(
                    f"{args.given[option]} does nothing in a file {form}; leave it out, or write a page (.html)"
                )
    counts = _read(args)
    graph = build_graph(counts, args.min_count, args.min_edge, args.top, args.weight, args.backbone, chance=args.chance)
    of_page = {"title": args.title, "examples": args.examples, "positions": args.positions}
    if web:
        target = export_web(graph, args.output, 300 if args.max_nodes is None else args.max_nodes, **of_page)
    else:
        target = export_graph(graph, args.output, args.max_nodes, **of_page)
    drawn = f"{counted(graph.number_of_nodes(), 'tag')}, {counted(graph.number_of_edges(), 'pair')}"
    tell(f"wrote {target}: {drawn}")
    return 0


def _suggest(args: argparse.Namespace) -> int:
    from clipnb.prompts.tag_line import TagLine
    from clipnb.tags.relations import suggest

    _check_table(args)
    counts = _read(args)
    return _show(suggest(counts, TagLine.parse(args.tags).tags, len(counts)), args)


def _neighbours(args: argparse.Namespace) -> int:
    from clipnb.tags.graph import build_graph
    from clipnb.tags.relations import neighbours
    from clipnb.tags.weights import find_weight

    _check_table(args)
    find_weight(args.weight)
    return _show(neighbours(build_graph(_read(args), weight=args.weight), args.tag, None), args)


def _compare(args: argparse.Namespace) -> int:
    from clipnb.tags.comparison import compare

    _check_table(args)
    if (args.by is None) != (args.values is None):
        raise TagsError("--by and --values go together, such as --by Model --values sdxl flux")
    if args.by is not None:
        prompts = read_given(args)
        names = args.values
        sides = [prompts.where(args.by, value) for value in names]
    elif len(set(args.paths)) == len(args.paths) == 2:
        names, sides = args.paths, [read_given(args, [path]) for path in args.paths]
    else:
        raise TagsError("two different paths are compared; or two values, by --by COLUMN --values A B")
    first = _counted(args, sides[0])
    args.dialect = first.dialect  # of both, or ways of reading would be compared
    second = _counted(args, sides[1])
    tell(f"first: {names[0]}, {len(first.prompts):,} prompts; second: {names[1]}, {len(second.prompts):,} prompts")
    return _show(compare(first, second), args)


def _trends(args: argparse.Namespace) -> int:
    from clipnb.tags.charts import plot_trends
    from clipnb.tags.communities import communities
    from clipnb.tags.export import export_figure
    from clipnb.tags.graph import build_graph
    from clipnb.tags.trends import counts_by

    drawn = args.output is not None and args.output.lower().endswith(".html")
    if not drawn:
        _check_table(args)
    top = _checked_top(args.top)
    prompts = read_given(args)
    counts = _counted(args, prompts)
    groups = communities(build_graph(counts, top=2_000)) if args.communities else None
    trends = counts_by(prompts, args.by, args.every, of=groups, counts=counts)
    tell(str(trends))
    if drawn:
        tell(f"wrote {export_figure(plot_trends(trends, top or 6), args.output)}")
        return 0
    table = trends.to_frame(None)
    if args.output is None and len(trends.groups) > _GROUPS_LISTED:
        half = _GROUPS_LISTED // 2
        table = table.drop(columns=table.columns[3 + half : -half])
        tell(f"the first and the last {half} of {len(trends.groups):,} groups; -o writes all")
    return _show(table, args)


def _tagnet(args: argparse.Namespace) -> int:
    if args.path is None:
        raise TagsError("no command: use `clipnb tags count PATH` or `clipnb tags graph PATH -o tags.html`")
    from clipnb.prompts.read import read_prompts
    from clipnb.tags.counting.counts import TagCounts
    from clipnb.tags.export import export_graph, export_rows
    from clipnb.tags.graph import build_graph

    prompts = read_prompts(args.path)
    tell(prompts.report())
    counts = TagCounts(prompts)
    if args.mode == "count_tags":
        rows = counts.filter(args.filter) if args.filter else counts.most_common()
        if args.output_file:
            tell(f"wrote {export_rows(rows, args.output_file)}")
        else:
            _list(rows)
        return 0
    output = args.output_file or ("tags.html" if args.mode == "display_graph" else "graph.json")
    graph = build_graph(counts, weight="tagnet", condition=args.filter)
    tell(f"wrote {export_graph(graph, output)}")
    return 0


def _read(args: argparse.Namespace) -> TagCounts:
    return _counted(args, read_given(args))


def _counted(args: argparse.Namespace, prompts: Prompts) -> TagCounts:
    from clipnb.tags.counting.counts import TagCounts
    from clipnb.tags.counting.hints import hints

    counts = TagCounts(prompts, **splitting_of(args))
    chosen = "" if args.dialect == "plain" else f", dialect {counts.dialect}"
    tell(f"{prompts.report()}; {counted(len(counts), 'tag')}{chosen}")
    if counts.networks:
        tell(f"networks, which are no tags: {listed([name for name, _ in counts.networks])}")
    for hint in hints(counts):
        tell(f"hint: {hint}")
    return counts


def _check_table(args: argparse.Namespace) -> None:
    from clipnb.tags.export import check_table

    _checked_top(args.top)
    if args.output is not None:
        check_table(args.output)


def _show(table: pd.DataFrame, args: argparse.Namespace) -> int:
    """List the first rows of a table, or write it."""
    from clipnb.tags.export import export_table

    if args.output is not None:
        tell(f"wrote {export_table(table.head(args.top) if args.top else table, args.output)}")
        return 0
    shown = table.head(args.top or _LISTED)
    cells = [list(shown.columns), *shown.itertuples(index=False)]
    rows = [[printable(_cell(value)) for value in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        numbers = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        say("  ".join((first.ljust(widths[0]), *numbers)))
    if len(table) > len(shown):
        tell(f"and {len(table) - len(shown):,} more; --top N lists more, -o writes all")
    return 0


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else shortened(" ".join(str(value).split()), _LONGEST_CELL)


def _checked_top(top: int | None) -> int | None:
    if top is not None and top < 1:
        raise TagsError(f"--top is {top}, but must be at least 1")
    return top


def _list(rows: list[tuple[str, int]]) -> None:
    if rows:
        say("\n".join(" ".join(tag.splitlines()) + f" | {count}" for tag, count in rows))
