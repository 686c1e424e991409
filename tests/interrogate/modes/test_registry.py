"""A new mode is one class: everything that offers modes has it by itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pytest

from clipnb.errors import ClipnbError
from clipnb.files import shipped
from clipnb.interrogate import Interrogator
from clipnb.interrogate.cli import add_parser
from clipnb.interrogate.image_query import ImageQuery
from clipnb.interrogate.modes import MODES, Mode, PromptCandidate, find_mode
from clipnb.interrogate.prompt import Phrase


def command_help() -> str:
    parser = argparse.ArgumentParser(prog="clipnb")
    add_parser(commands := parser.add_subparsers())
    return " ".join(commands.choices["interrogate"].format_help().split())


@pytest.mark.parametrize("name", MODES)
def test_every_mode_is_in_the_help_and_found_by_its_name(name: str) -> None:
    assert MODES[name].summary in command_help()
    assert isinstance(find_mode(name), MODES[name])
    with pytest.raises(ClipnbError, match=name):
        find_mode(f"{name}x")
    assert f"`{name}`" in shipped("notebooks", "03-interrogate.ipynb").read_text(encoding="utf-8")


def test_a_class_with_a_name_is_a_mode(small: Callable[..., Interrogator]) -> None:
    before = dict(MODES)

    def define() -> type[Mode]:
        class Loud(Mode):
            name = "loud"
            summary = "100 % of the caption, in capitals"

            def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
                return PromptCandidate((Phrase(caption.upper(), "caption"),))

        return Loud

    try:
        define()
        again = define()  # as a notebook's cell that runs twice
        assert MODES["loud"] is again
        assert small().interrogate(np.zeros((40, 40, 3), np.uint8), "loud", "a cat").prompt == "A CAT"
        assert "100 % of the caption" in command_help()
        with pytest.raises(TypeError, match="'fast' is"):
            type("Other", (again,), {"name": "fast"})
    finally:
        del MODES["loud"]
    assert before == MODES
