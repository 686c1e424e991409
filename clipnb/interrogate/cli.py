"""The command `clipnb interrogate`."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any

from clipnb.interrogate.modes import MODES, find_mode, refuse_captions
from clipnb.options import (
    SILENT,
    add_device,
    add_model,
    add_output,
    add_verbose,
    refuse_together,
    require_company,
)

if TYPE_CHECKING:
    from clipnb.interrogate.folder.caption_writing import CaptionOptions
    from clipnb.interrogate.modes import Mode
    from clipnb.interrogate.settings import Settings

_OF_CAPTIONS = ("prepend", "append", "existing", "captions_to")
_OF_MODES = {
    "lazy": "lazy",
    "tolerance": "tolerance",
    "diverse": "diverse",
    "least_certainty": "least_certainty",
    "collection": "collection",
    "column": "collection_column",
    "second_model": "second_model_name",
    "second_threshold": "second_threshold",
    "pool": "pooled_weights",
    "power": "pooled_power",
    "threshold": "tag_thresholds",
    "tag_form": "tag_form",
    "set_by": "set_by",
}
"""Options of some modes, and the settings that they are."""
_OF_CHOICE = ("without", "avoid", "require", "trigger", "max_tokens", "max_words", "max_characters")
_OF_FILES = ("batch_size", "workers", "no_similarity", "retry_errors", "engine")
_OF_CAPTIONER = {
    "instruction": "caption_instruction",
    "caption_length": "caption_max_length",
    "no_repeat": "caption_no_repeat_ngram_size",
    "repetition_penalty": "caption_repetition_penalty",
    "bits": "caption_bits",
    "tag_threshold": "caption_tag_threshold",
    "character_threshold": "caption_character_threshold",
}
_SHOWN = ("text", "prompt", "json")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser(
        "interrogate",
        help="describe images by prompts",
        description="Describe each image by a prompt, and say why; with -o, write a row about each to a file. "
        "A run that was ended goes on where it was when it is started again.",
    )
    modes = "; ".join(f"{name}: {mode.summary}" for name, mode in MODES.items()).replace("%", "%%")

    add = parser.add_argument
    add("paths", nargs="+", metavar="PATH", help="file or URL of an image, or a folder of images")
    add_output(parser, "FILE", "write rows to FILE.csv, FILE.jsonl or FILE.parquet (a folder of shards)")
    add("-R", "--recursive", action="store_true", help="search folders in folders too")
    add("--mode", default="classic", help=f"{modes} (default: %(default)s)")
    add_model(parser)
    add_device(parser)
    add_verbose(parser, "what each phrase added, and how long each part took")
    add("--seed", type=int, help=argparse.SUPPRESS)
    add("--caption", metavar="TEXT", help="what the prompt begins with, in place of a made one")
    add("--captioner", metavar="NAME", help="makes captions, such as blip-base; a hub id or a folder")
    add(
        "--labels",
        metavar="FILE",
        help="your own labels in place of the built-in ones: a file, a folder of them, or package:clip_interrogator",
    )
    add("--max-flavors", type=int, metavar="N", help="phrases at most (default: the mode's own)")
    add("--known", action="store_true", help="compare with the prompt that the picture carries inside")
    add("--backdrop", metavar="COLOUR", default="auto", help="behind transparent pictures (default: %(default)s)")
    add("--show", choices=_SHOWN, default="text", help="what to print of each result (default: %(default)s)")
    add = parser.add_argument_group("what may and must stand in prompts").add_argument
    several: Any = {"action": "append", "default": []}
    add("--without", metavar="TABLE,...", help="tables that take no part, such as artists,trendings", **several)
    add("--avoid", metavar="WORDS|FILE|TABLE", help="nothing that contains these is chosen; may be repeated", **several)
    add("--require", metavar="WORDS", help="words behind the caption, where it lacks them; may be repeated", **several)
    add("--trigger", default="", metavar="TEXT", help="what each prompt begins with")
    add("--max-tokens", type=int, metavar="N", help="longest prompt in the encoder's tokens, begin and end included")
    add("--max-words", type=int, metavar="N", help="longest prompt in words")
    add("--max-characters", type=int, metavar="N", help="longest prompt in characters")
    add = parser.add_argument_group("with some modes").add_argument
    add(
        "--tolerance",
        type=_tolerance,
        metavar="COS|none",
        help=f"by how much a phrase may lower the similarity; none: whatever ranks first ({_able('tolerance')}; "
        "default: 0)",
    )
    add("--no-diverse", dest="diverse", action="store_false", default=None, help="keep near-duplicates and puns")
    add("--least-certainty", type=float, metavar="P", help="what lite is less certain of is not said (default: 0.25)")
    add(
        "--lazy",
        action="store_true",
        help=f"score only a chain's likely phrases: less work, may end a little lower ({_able('lazy')})",
    )
    add = parser.add_argument_group(f"with --mode {_able('collection')}").add_argument
    add("--collection", metavar="PATH", help="whole prompts: a file, folder or table (default: the shipped ones)")
    add("--column", metavar="NAME", help="where prompts stand in tables of the collection (default: prompt)")
    add("--second-model", metavar="NAME", help="another encoder, which drops prompts that it does not see")
    add("--second-threshold", type=float, metavar="COS", help="least cosine under it (default: 0.2)")
    add = parser.add_argument_group("with --mode pooled").add_argument
    add(
        "--pool",
        action="append",
        type=_named_number,
        metavar="KIND=WEIGHT",
        help="candidates that take part, of objects, templates, flavors, collection, classic, fast, caption; may be "
        "repeated: kinds that are not named then take no part",
    )
    add("--power", type=float, metavar="X", help="of the similarity that candidates are weighted by (default: 4)")
    add = parser.add_argument_group("with --mode tags").add_argument
    add(
        "--threshold",
        action="append",
        type=_number,
        metavar="[TABLE=]N",
        help="least score of a tag, in standard deviations; of a table alone, if named: the others then take no part",
    )
    add("--tag-form", metavar="FORM", help="plain (cup of coffee; default) or danbooru (cup_of_coffee)")
    add = parser.add_argument_group("with --mode set or contrast, a prompt for each folder").add_argument
    add("--set-by", metavar="WHAT", help="best on average (mean; default), or for the worst picture (worst)")
    add(
        "--against",
        nargs="+",
        metavar="PATH",
        help="contrast: the other set, against all PATHs together; with --seed N",
    )
    add = parser.add_argument_group("with --captioner").add_argument
    add("--instruction", metavar="TEXT", help="what to write, for one that takes it; Florence-2's task, such as <OD>")
    add("--caption-length", type=int, metavar="N", help="tokens of a caption, or tags, at most (default: 32)")
    add("--no-repeat", type=int, metavar="N", help="tokens in a row that a caption has once (default: what suits)")
    add("--repetition-penalty", type=float, metavar="X", help="on tokens that a caption has already; 1: none")
    add("--bits", type=int, metavar="N", help="weights of 8 or 4 bits: less memory; needs bitsandbytes or torchao")
    add("--tag-threshold", type=float, metavar="P", help="probability from which a tagger's tags count (default: 0.35)")
    add("--character-threshold", type=float, metavar="P", help="likewise for names of characters (default: 0.85)")
    add = parser.add_argument_group("captions for training data").add_argument
    add(
        "--captions",
        nargs="?",
        const="",
        type=_suffix,
        metavar=".txt",
        help="write prompts as captions of their images, beside them; `clipnb captions FOLDER undo` takes it back",
    )
    add("--prepend", metavar="TEXT", help="what each caption begins with, such as a trigger word")
    add("--append", metavar="TEXT", help="what each caption ends with")
    add("--existing", metavar="WHAT", help="captions that are there: skip their images (default), append or replace")
    add("--captions-to", metavar="DIR", help="a folder for the captions, with the folders of the images in it")
    add = parser.add_argument_group("with -o or --captions").add_argument
    add("--batch-size", type=int, metavar="N", help="images at a time (default: what suits the device)")
    add("--workers", type=int, metavar="N", help="threads that read images; with ray, models at work")
    add("--no-similarity", action="store_true", help="do not measure prompts: saves a pass each")
    add("--retry-errors", action="store_true", help="try again what could not be read before")
    add("--prune", action="store_true", help="drop rows of images that are not there any more")
    add("--engine", default="local", help="local, or ray: all machines of a Ray cluster (default: %(default)s)")
    parser.set_defaults(run=_run)


def _able(setting: str) -> str:
    return ", ".join(name for name, mode in MODES.items() if mode.heeds(setting))


def _run(args: argparse.Namespace) -> int:
    from clipnb.interrogate.settings import Settings, SettingsError

    if args.seed is not None and args.against is None:
        raise SettingsError("--seed does nothing here: nothing is drawn at random but for --against; leave it out")
    require_company(args, _OF_CAPTIONS, ["captions"])
    require_company(args, _OF_FILES, ["output", "captions"])
    require_company(args, ["prune"], ["output"])
    require_company(args, list(_OF_CAPTIONER), ["captioner"])
    for written in ("output", "captions"):
        refuse_together(args, written, ["show"], "nothing is printed")
    mode = find_mode(args.mode)
    refuse_captions(mode, [args.caption])
    refuse_together(args, "caption", ["captioner"], "captions are given, or made")
    if args.captioner and not (mode.takes_caption or mode.takes_proposals or mode.of_sets):
        raise SettingsError(f"--captioner does nothing in mode {args.mode}, which takes no caption; leave it out")
    wishes = _of_mode(args, mode)
    if mode.of_sets and args.known:
        raise SettingsError(f"--known is of single pictures, mode {args.mode} of several together; leave one out")
    settings = Settings(
        clip_model_name=args.model,
        caption_model_name=args.captioner,
        device=args.device,
        backdrop=args.backdrop,
        quiet=args.verbose == SILENT,
        **{name: getattr(args, name) for name in _OF_CHOICE},
        **wishes,
        **{setting: value for name, setting in _OF_CAPTIONER.items() if (value := getattr(args, name)) is not None},
    )
    find_mode(args.mode, settings)
    if args.known and args.show == "prompt":
        raise SettingsError("--known is not shown with --show prompt; leave one out")
    captions = _captions(args)
    if args.output is None and captions is None:
        from clipnb.interrogate.printing import print_each, print_sets

        return print_sets(args, settings) if mode.of_sets else print_each(args, settings)
    return _write(args, settings, captions)


def _of_mode(args: argparse.Namespace, mode: Mode) -> dict[str, Any]:
    """Return the settings of the mode; `SettingsError` for those that would have no effect."""
    from clipnb.interrogate.settings import SettingsError

    for option, setting in _OF_MODES.items():
        if option in args.given and not mode.heeds(setting):
            told = f"leave it out, or use {_able(setting)}"
            raise SettingsError(f"{args.given[option]} does nothing in mode {args.mode}; {told}")
    if args.against and mode.name != "contrast":
        raise SettingsError("--against belongs to --mode contrast; add that, or leave this out")
    refuse_together(args, "against", ["output"], "it compares two sets, which is printed, and makes no rows of folders")
    require_company(args, ["column"], ["collection"])
    require_company(args, ["second_threshold"], ["second_model"])
    if mode.checked and args.tolerance is not None:
        refuse_together(args, "tolerance", ["no_similarity"], "it is a similarity that is measured")
    if not mode.heeds("diverse"):
        refuse_together(args, "least_certainty", ["caption", "captioner"], "it is of captions made of labels")
    given = {setting: getattr(args, option) for option, setting in _OF_MODES.items() if option in args.given}
    for setting in {"tag_thresholds", "pooled_weights"} & given.keys():
        given[setting] = _by_name(given[setting], setting)
    return given


def _by_name(pairs: list[tuple[str, float]], setting: str) -> dict[str, float]:
    """Return numbers by their names; one without a name holds for all that usually take part."""
    from clipnb.interrogate.settings import Settings, SettingsError

    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SettingsError(f"{setting} of {twice or 'all'} is given twice; give it once")
    usual = Settings.model_fields[setting].default
    return {one: number for name, number in sorted(pairs) for one in ([name] if name else usual)}


def _tolerance(text: str) -> float | None:
    return None if text == "none" else float(text)


def _number(text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    return name, float(number)


def _named_number(text: str) -> tuple[str, float]:
    if "=" not in text:
        raise ValueError
    return _number(text)


def _captions(args: argparse.Namespace) -> CaptionOptions | None:
    if args.captions is None:
        return None
    given = {name: getattr(args, name) for name in _OF_CAPTIONS if name in args.given}
    from clipnb.interrogate.folder.caption_writing import CaptionOptions

    if "captions_to" in given:
        given["folder"] = given.pop("captions_to")
    return CaptionOptions(args.captions or None, **given)


def _suffix(text: str) -> str:
    if text and not text.startswith("."):  # nothing: whichever suffix the folder has
        raise argparse.ArgumentTypeError(f"a suffix such as .txt is needed, not {text!r}; put paths in front of it")
    return text


def _write(args: argparse.Namespace, settings: Settings, captions: CaptionOptions | None) -> int:
    from clipnb.interrogate.folder.run import interrogate_folder
    from clipnb.progress import say, tell

    run = interrogate_folder(
        args.paths,
        args.output,
        args.mode,
        recursive=args.recursive,
        captions=captions,
        caption=args.caption,
        max_flavors=args.max_flavors,
        similarity=not args.no_similarity,
        known=args.known,
        retry_errors=args.retry_errors,
        prune=args.prune,
        batch_size=args.batch_size,
        workers=args.workers,
        labels=args.labels,
        settings=settings,
        engine=args.engine,
    )
    say(str(run))
    if run.captions and run.captions.written and args.verbose != SILENT:
        suffix = f" --suffix {args.captions}" if args.captions else ""
        for folder in run.captions.folders:
            tell(f"to take it back: clipnb captions {shlex.quote(str(folder))} undo{suffix}")
    return 1 if run.errors or (run.captions and run.captions.skipped) else 0
