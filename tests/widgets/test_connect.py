"""Panels that send each other prompts and pictures: by plain traits, and by a button."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
import traitlets
from PIL import Image

import clipnb
from clipnb.errors import ClipnbError
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.live.panel import LivePanel

Open = Callable[..., LivePanel]
Until = Callable[..., None]


class Writer(Panel):
    """A panel that gives a prompt."""

    called = "tag panel"
    gives = MappingProxyType({"prompt": "prompt"})
    prompt: Any = traitlets.Unicode()


class Wall(Panel):
    """A panel that takes pictures."""

    called = "interrogation panel"
    takes = MappingProxyType({"picture": "picture"})
    picture: Any = traitlets.Any()


def test_a_prompt_is_sent_by_a_button(opened: Open) -> None:
    tags, live = Writer(), opened()
    button = clipnb.connect(tags, live)
    assert tags.links.children == (button,)
    assert button.description == "Send prompt to live panel"
    button.click()
    assert "there is no prompt to send yet" in tags.message.value
    assert live.editor.text.value == "a red circle"
    tags.prompt = "a <b>blue</b> square"
    button.click()
    assert live.text == live.editor.text.value == "a <b>blue</b> square"
    assert live.editor.checked().targets[0].features[0].text == "a <b>blue</b> square"
    assert "sent the prompt to the live panel: a &lt;b&gt;blue" in tags.message.value
    assert "got a prompt from the tag panel: a &lt;b&gt;blue" in live.message.value


def test_a_sent_prompt_reaches_a_run(opened: Open, until: Until) -> None:
    tags, live = Writer(), opened()
    button = clipnb.connect(tags, live)
    live.toolbar["start"].click()
    until(lambda: live.session.newest is not None)
    tags.prompt = "a blue square"
    button.click()
    until(lambda: "a blue square" in live.session.newest.similarities)


def test_a_picture_is_sent_on_request_and_there_when_it_stands_still(opened: Open, until: Until) -> None:
    live, wall = opened(), Wall()
    button = clipnb.connect(live, wall)
    button.click()
    assert "there is no picture to send yet" in live.message.value
    live.toolbar["start"].click()
    until(lambda: live.viewer.scrubber.max > 2)
    assert live.picture is None
    button.click()
    assert isinstance(wall.picture, Image.Image)
    assert wall.picture.size == (24, 24)
    live.toolbar["pause"].click()
    until(lambda: live.picture is not wall.picture and live.viewer.scrubber.max > 1)
    live.viewer.scrubber.value = 0
    button.click()
    assert wall.picture is live.session.history[0].picture


def test_traits_link_without_a_button(opened: Open, until: Until) -> None:
    tags, live, wall = Writer(prompt="a green star"), opened(), Wall()
    traitlets.link((tags, "prompt"), (live, "text"))
    traitlets.dlink((live, "picture"), (wall, "picture"))
    assert live.editor.checked().targets[0].features[0].text == "a green star"
    live.editor.text.value = "a red cross"
    assert tags.prompt == "a red cross"
    live.toolbar["step"].click()
    until(lambda: wall.picture is not None)


def test_several_targets_one_button_each_and_none_twice(opened: Open) -> None:
    tags, first, second = Writer(prompt="a house"), opened(), opened()
    buttons = [clipnb.connect(tags, target) for target in (first, second, first)]
    assert buttons[0] is buttons[2]
    assert [child.description for child in tags.links.children] == [
        *("Send prompt to live panel", "Send prompt to live panel 2")
    ]
    buttons[1].click()
    assert (first.text, second.text) == ("a red circle", "a house")
    buttons[0].disconnect()
    buttons[0].disconnect()
    assert tags.links.children == (buttons[1],)


def test_a_mistake_that_the_target_shows_is_not_covered(opened: Open) -> None:
    tags, live = Writer(prompt="a house"), opened()
    live.session.change = lambda config: (_ for _ in ()).throw(ClipnbError("no"))  # type: ignore[method-assign]
    live.observe(lambda _: live.guarded(lambda: live.session.change(live.editor.checked())), "text")
    clipnb.connect(tags, live).click()
    assert "no" in live.message.value
    assert "got a prompt" not in live.message.value


@pytest.mark.parametrize("source", ["tags", "live", "wall", "text"])
@pytest.mark.parametrize("target", ["tags", "live", "wall", "text"])
def test_only_what_fits_is_connected(opened: Open, source: str, target: str) -> None:
    things = {"tags": Writer(), "live": opened(), "wall": Wall(), "text": "a text"}
    if (source, target) in (("tags", "live"), ("live", "wall")):
        assert clipnb.connect(things[source], things[target]).target is things[target]
        return
    with pytest.raises(ClipnbError, match="a prompt goes from an interrogation, tag or dataset panel to a live panel"):
        clipnb.connect(things[source], things[target])
