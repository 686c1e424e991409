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
