"""Short options: one meaning each, in all commands."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator

import pytest

from clipnb.cli import main, make_parser

SHARED = {"--output": "-o", "--model": "-m", "--device": "-d", "--verbose": "-v", "--quiet": "-q", "--text": "-t"}
"""Long options that have a short one wherever they are."""
NEEDED = {
    "demo": "--model --device --verbose --seed",
    "optimise": "--output --model --device --verbose --seed",
    "rate": "--output --model --device",
    "interrogate": "--output --model --device --verbose --seed",
    "bundle": "--model",
    "tags count": "--output",
    "tags graph": "--output",
}


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, deeper in action.choices.items():
                yield from commands(deeper, f"{name} {word}".strip())


COMMANDS = dict(commands(make_parser()))


def options(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (action for action in parser._actions if action.option_strings)


def test_a_short_option_means_the_same_in_every_command() -> None:
    meanings: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, parser in COMMANDS.items():
        for option in options(parser):
            long = next(word for word in option.option_strings if word.startswith("--"))
            for word in option.option_strings:
                if not word.startswith("--"):
                    meanings[word][long].append(name)
    assert {"-o", "-m", "-d", "-v"} <= meanings.keys()
    assert {word: dict(of) for word, of in meanings.items() if len(of) > 1} == {}


def test_a_long_option_has_its_short_one_in_every_command() -> None:
    for name, parser in COMMANDS.items():
        for option in options(parser):
            for long in SHARED.keys() & set(option.option_strings):
                assert SHARED[long] in option.option_strings, f"{name} {long}"


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_is_given_once(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = COMMANDS[command]
    once = [option for option in options(parser) if not isinstance(option, argparse._AppendAction)]
    for option in once:
        if option.dest in ("help", "version"):
            continue
        word = option.option_strings[-1]
        value = next(iter(option.choices or (".txt" if option.nargs == "?" else "1")))
        given = [word] if option.nargs == 0 else [word, *[str(value)] * (2 if option.nargs == 2 else 1)]
        with pytest.raises(SystemExit):
            parser.parse_args([*given, *given])
        assert "given twice; give it once" in capsys.readouterr().err, f"{command} {word}"


def test_a_mistake_of_the_command_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for options, told in (
        (["--avoid", " "], "argument --avoid: is empty; put something there, or leave it out"),
        (["--trigger", ""], "argument --trigger: is empty"),
        (["--max-flavors", "x"], "argument --max-flavors: invalid int value: 'x'"),
        (["--no-such\x1b\nmore"], "no-such"),
        (["--max-words", "9" * 6000], "99..."),
        ([" "], "argument PATH: is empty"),
        (["--mode", "contrast", "--against", "a", ""], "argument --against: is empty"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["interrogate", "x.png", *options])
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("clipnb: ")
        assert line.endswith("--help` lists what there is")
        assert told in line
        assert "\x1b" not in line
        assert len(line) < 600


def test_options_that_may_be_repeated_are_kept_all() -> None:
    parse = make_parser().parse_args
    assert parse(["interrogate", "x.png", "--avoid", "cat", "--avoid", "dog"]).avoid == ["cat", "dog"]
    assert parse(["interrogate", "x.png"]).given == {}
    assert parse(["interrogate", "x.png", "-q", "--mode", "fast"]).given == {"verbose": "-q", "mode": "--mode"}


def test_options_in_front_of_a_command_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["tags", "--path", "prompts", "count", "prompts"])
    assert "--path stands in front of the command count" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("interrogate x.png --workers 2", "--workers belongs to --output or --captions"),
        ("interrogate x.png --batch-size 2", "--batch-size belongs to --output or --captions"),
        ("interrogate x.png --no-similarity", "--no-similarity belongs to"),
        ("interrogate x.png --retry-errors", "--retry-errors belongs to"),
        ("interrogate x.png --engine local", "--engine belongs to"),
        ("interrogate x.png --prepend a", "--prepend belongs to --captions"),
        ("interrogate x.png -o x.csv --show json", "-o and --show do not go together: nothing is printed"),
        ("interrogate x.png --lazy", "--lazy does nothing in mode classic; leave it out, or use best"),
        (
            "interrogate x.png --mode retrieve --tolerance 0.1",
            "--tolerance does nothing in mode retrieve; leave it out",
        ),
        ("interrogate x.png --mode caption --no-diverse", "--no-diverse does nothing in mode caption; leave it out"),
        ("interrogate x.png --mode tags --least-certainty 0", "or use classic, fast, caption"),
        ("interrogate x.png --mode caption --caption a --least-certainty 0", "--least-certainty and --caption do not"),
        ("interrogate x.png -o x.csv --tolerance .1 --no-similarity", "--tolerance and --no-similarity do not go"),
        ("interrogate x.png --mode tags --captioner blip-base", "--captioner does nothing in mode tags"),
        ("interrogate x.png --pool objects=1", "--pool does nothing in mode classic; leave it out, or use pooled"),
        ("interrogate x.png --power 2", "--power does nothing in mode classic"),
        ("interrogate x.png --mode retrieve --column a", "--column belongs to --collection"),
        ("interrogate x.png --mode negative --trigger a", "mode negative cannot take trigger"),
        ("interrogate x.png --caption a --captioner blip-base", "--caption and --captioner do not go together"),
        ("bundle new --kaggle --platform linux_aarch64", "--kaggle and --platform do not go together"),
        ("tags graph prompts -o x.json --title a", "--title does nothing in a file .json"),
        ("tags graph prompts -o x.gexf --max-nodes 5", "--max-nodes does nothing in a file .gexf"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    command: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command.split()) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("command", NEEDED)
def test_common_options_are_there(command: str) -> None:
    words = {word for option in options(COMMANDS[command]) for word in option.option_strings}
    assert set(NEEDED[command].split()) <= words


@pytest.mark.parametrize("command", ["demo", "optimise", "interrogate x.png"])
def test_quiet_is_verbose_0_and_not_both(command: str) -> None:
    parser = make_parser()
    for given in ("-q", "--quiet", "-v0", "--verbose=0"):
        assert parser.parse_args([*command.split(), given]).verbose == 0
    with pytest.raises(SystemExit):
        parser.parse_args([*command.split(), "-q", "-v", "2"])


def test_interrogate_says_that_it_needs_no_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interrogate", "x.png", "--seed", "1"]) == 2
    assert "nothing is drawn at random" in capsys.readouterr().err
