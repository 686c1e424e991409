"""The commands `optimise`, `rate`, `schema` and `reference`."""

from __future__ import annotations

import argparse

from clipnb.errors import listed
from clipnb.optimise.optimisers import OPTIMISERS
from clipnb.options import UsageError, add_device, add_model, add_output, add_seed, add_verbose, refuse_together
from clipnb.progress import say, tell

_CHANGES = (
    "recipe", "output", "epochs", "learnrate", "optimizer", "snapshot_interval", "device", "model", "judge", "seed",
    "verbose",
)  # fmt: skip
_MOST_TIMES = 1_000_000_000


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser of all commands."""
    _add_optimise(subparsers)
    _add_rate(subparsers)
    _add_convert(subparsers)
    schema = subparsers.add_parser("schema", help="print the JSON schema of experiments, for editors")
    schema.set_defaults(run=_schema)
    reference = subparsers.add_parser("reference", help="print the reference of the experiment language (Markdown)")
    reference.set_defaults(run=_reference)


def _add_optimise(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "optimise",
        aliases=["optimize"],
        help="make a picture from texts or images",
        description="Make a picture as YAML files describe it, or quickly from a text.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="experiments, merged in order; - is standard input")
    parser.add_argument(
        "-t",
        "--text",
        help="make a picture of this text by a recipe, without a file; several with weights: "
        '"a lighthouse:2 | storm | blurry:-0.5", in double quotes what is one text as it is',
    )
    parser.add_argument(
        "--recipe", metavar="NAME", help="lite, das, cutouts, or auto (by the model): gives all keys that are not set"
    )
    parser.add_argument("--resume", metavar="FILE.yaml", help="go on with a run that was interrupted, by its YAML")
    add_output(parser, "DIR|FILE.png", "folder or file to save to; never overwrites")
    parser.add_argument("-e", "--epochs", metavar="N", help="number of steps")
    parser.add_argument("--frames", type=_at_least_one, metavar="N", help="a film of N frames instead of a picture")
    parser.add_argument("-r", "--resolution", nargs="+", metavar=("W", "H"), help="size in pixels")
    parser.add_argument("-lr", "--learnrate", metavar="X", help="learning rate; 1 is sensible for every optimiser")
    parser.add_argument("-opt", "--optimizer", metavar="NAME", help=", ".join(OPTIMISERS))
    parser.add_argument("-s", "--snapshot-interval", type=_seconds, metavar="SECONDS", help="time between snapshots")
    add_device(parser, None)
    add_model(parser, default=None)
    judges = "encoders that only look, and tell whether the picture fools the one that guides it, such as lite2"
    parser.add_argument("--judge", nargs="+", metavar="NAME", help=judges)
    parser.add_argument(
        "--sheet",
        nargs="*",
        metavar="RECIPE",
        help="several pictures, by --repeat seeds (4) and by these recipes, and all of them on one sheet with rates",
    )
    parser.add_argument(
        "--sweep",
        nargs="+",
        metavar=("KEY", "VALUE"),
        help="a sheet of pictures by the values of one key, one after another: `--sweep learnrate 0.5 1 2`",
    )
    parser.add_argument("--repeat", type=_at_least_one, default=1, metavar="N", help="number of pictures to make")
    add_seed(parser, "all random draws; counts up with --repeat")
    add_verbose(parser, "statistics too", None)
    parser.set_defaults(run=_optimise)


def _add_rate(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "rate",
        help="table of similarities of pictures to texts and reference pictures",
        description="Print how similar pictures are to texts and to reference pictures (cosine x 100).",
    )
    parser.add_argument("pictures", nargs="+", metavar="IMAGE", help="pictures to rate: paths or URLs")
    parser.add_argument("-t", "--text", nargs="+", default=[], help="texts to compare with")
    parser.add_argument("-i", "--image", nargs="+", default=[], help="reference pictures to compare with")
    parser.add_argument("-tf", "--text-file", metavar="FILE", help="file with a text on each line")
    parser.add_argument("-k", "--sort", type=int, metavar="COLUMN", help="sort by a column, from 1; -1: falling")
    add_output(parser, "FILE.csv", "write the table as CSV too; never overwrites")
    add_model(parser, "encoders, such as lite, lite2 or ViT-B-32/openai", nargs="+")
    add_device(parser)
    parser.set_defaults(run=_rate)


def _add_convert(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "convert",
        help="turn another tool's command line or settings into an experiment",
        description="Turn a command line or a file of settings of pytti, aphantasia, deep-daze, big-sleep or pixray "
        "into an experiment in YAML. What is not mapped is said, and stands in the YAML as a comment.",
    )
    parser.add_argument(
        "source", metavar="FILE|COMMANDLINE", help="a file, - for standard input, or the command line in quotes"
    )
    parser.add_argument("--from", dest="tool", required=True, metavar="TOOL", help="name of the tool")
    add_output(parser, "FILE.yaml", "write it there instead of printing it; never overwrites")
    parser.set_defaults(run=_convert)


def _optimise(args: argparse.Namespace) -> int:
    from clipnb.optimise.saved_run import SavedRun, read_experiment

    changes = {key: value for key in _CHANGES if (value := getattr(args, key)) is not None}
    if args.resolution:
        changes["resolution"] = " ".join(args.resolution)
    if args.frames is not None:
        changes["frames"] = {"count": args.frames}
    if "model" in changes:
        changes["models"] = []
    if args.resume is not None:
        refuse_together(args, "resume", ("text", "repeat", "seed", "sheet"), "it goes on with one run as it is")
        if args.files:
            raise UsageError(f"--resume goes on by its own YAML; leave out {listed(args.files)}")
        return 0 if SavedRun.resumed(args.resume, changes, say).run() else 130
    if args.sheet is not None or args.sweep is not None:
        return _optimise_sheet(args, changes)
    config, stem = read_experiment(args.files, args.text, changes)
    finished = all(SavedRun(config, stem, turn, say).run() for turn in range(args.repeat))
    return 0 if finished else 130


def _optimise_sheet(args: argparse.Namespace, changes: dict[str, object]) -> int:
    from clipnb.images import save_image
    from clipnb.optimise.language.yaml_source import read_yaml
    from clipnb.optimise.saved_run import SavedRun, read_experiment
    from clipnb.optimise.variants import Variant, variants_of, variants_sheet

    if args.sheet:
        refuse_together(args, "sheet", ("recipe",), "both name recipes")
    key, *values = args.sweep or [""]
    sweep = {key: [read_yaml(f"value: {value}", "--sweep")[0]["value"] for value in values]} if key else None
    repeat = args.repeat if "repeat" in args.given else 1 if sweep else 4
    variants: list[Variant] = []
    for recipe in args.sheet or [None]:
        own = changes if recipe is None else {**changes, "recipe": recipe}
        config, stem = read_experiment(args.files, args.text, own)
        first = 1 if config.seed is None else config.seed
        seeds = range(first, first + repeat)
        variants += variants_of(config, seeds, sweep=sweep, named=recipe or "")
    made = []
    finished = True
    for variant in variants:
        run = SavedRun(variant.config, stem, 0, say)
        finished = run.run()
        if run.newest is not None and run.picture is not None:
            made.append((variant.label, run.newest))
            place = run.picture.with_name(f"{stem}-sheet.png")
        if not finished:
            break
    if made:
        say(str(save_image(variants_sheet(made), place)))
    return 0 if finished else 130


def _rate(args: argparse.Namespace) -> int:
    from pathlib import Path

    from clipnb.errors import printable
    from clipnb.files import claim, given_back, write_atomically
    from clipnb.models.load import load_model
    from clipnb.optimise.judging.rating import rate, read_texts
    from clipnb.spreadsheet import write_frame

    texts = [*args.text, *(read_texts(args.text_file) if args.text_file else [])]
    target = claim(Path(args.output)) if args.output else None  # before the work: no place, no work
    with given_back(*[target] if target else []):
        names = [args.model] if isinstance(args.model, str) else args.model
        encoders = [load_model(name, args.device) for name in names]
        table = rate(args.pictures, texts, args.image, *encoders, sort=args.sort)
        if target:
            with write_atomically(target) as temporary:
                write_frame(table, temporary, index=True)
    shown = table.rename(index=printable, columns=printable)  # before they are laid out: escapes have their width
    say(shown.to_string(float_format=lambda value: f"{value:.2f}"))
    if target:
        say(str(target))
    return 0


def _convert(args: argparse.Namespace) -> int:
    from pathlib import Path

    from clipnb.files import write_new
    from clipnb.optimise.importers import convert

    converted = convert(args.source, args.tool)
    for line in converted.lost:
        tell(line)
    if not args.output:
        say(converted.as_yaml())
        return 0
    with write_new(Path(args.output)) as (target, temporary):
        temporary.write_text(converted.as_yaml(), encoding="utf-8")
    say(str(target))
    return 0


def _schema(args: argparse.Namespace) -> int:
    import json

    from clipnb.optimise.language.manual.reference import json_schema

    del args
    say(json.dumps(json_schema(), indent=2))
    return 0


def _reference(args: argparse.Namespace) -> int:
    from clipnb.optimise.language.manual.reference import markdown

    del args
    say(markdown())
    return 0


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a number of seconds such as 0.5 is needed, not {text!r}") from None


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or not 1 <= (number := int(text)) <= _MOST_TIMES:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {_MOST_TIMES:,} is needed, not {text!r}")
    return number
