"""The strip of thumbnails: what a browser may ask for, and what it gets."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from clipnb.widgets.live.film_strip import FilmStrip
from clipnb.widgets.live.panel import LivePanel
from tests.widgets.conftest import ended

pytest.importorskip("anywidget")
Open = Callable[..., LivePanel]
Until = Callable[..., None]
Sent = list[tuple[dict[str, Any], list[bytes]]]


@pytest.fixture
def made(opened: Open, yaml_text: str) -> LivePanel:
    panel = opened(yaml_text.replace("100000", "9"))
    panel.start()
    ended(panel)
    assert strip_of(panel).numbers == [one.number for one in panel.session.history.snapshots]
    return panel


def strip_of(panel: LivePanel) -> FilmStrip:
    assert panel.viewer.strip is not None
    return panel.viewer.strip


def sent_by(strip: FilmStrip, monkeypatch: pytest.MonkeyPatch) -> Sent:
    sent: Sent = []
    monkeypatch.setattr(strip, "send", lambda content, buffers=None: sent.append((content, buffers or [])))
    return sent


def test_somebody_goes_back_and_to_now(made: LivePanel) -> None:
    strip, viewer = strip_of(made), made.viewer
    assert strip.place == len(strip.numbers) > 5
    strip.receive({"event": "look", "turn": strip.turn, "number": 3})
    assert viewer.viewed is made.session.history[2]
    assert strip.place == viewer.scrubber.value == 2
    strip.receive({"event": "look", "turn": strip.turn, "number": -1})
    assert viewer.viewed is None
    assert strip.place == len(strip.numbers)


def test_it_sends_small_pictures_of_what_is_asked_for(made: LivePanel, monkeypatch: pytest.MonkeyPatch) -> None:
    strip = strip_of(made)
    sent = sent_by(strip, monkeypatch)
    strip.receive({"event": "need", "turn": strip.turn, "numbers": [5, 1, 999_999]})
    ((told, pictures),) = sent
    assert told == {"turn": strip.turn, "numbers": [1, 5]}
    assert [Image.open(BytesIO(picture)).size for picture in pictures] == [(24, 24)] * 2


@pytest.mark.parametrize(
    "message",
    [
        None, "look", [], {}, {"event": "look"}, {"event": "look", "turn": 0, "number": "1"},
        {"event": "look", "turn": 0, "number": 2.5}, {"event": "need", "turn": 0, "numbers": list(range(65))},
        {"event": "need", "turn": 0, "numbers": ["1"]}, {"event": "look", "turn": 0, "number": 1, "more": 1},
        {"event": "look", "turn": 99, "number": 1},
    ],
)  # fmt: skip
def test_what_is_no_message_is_ignored(made: LivePanel, message: object, monkeypatch: pytest.MonkeyPatch) -> None:
    strip = strip_of(made)
    sent = sent_by(strip, monkeypatch)
    strip.receive(message)
    assert sent == []
    assert made.viewer.viewed is None


def test_thumbnails_of_what_is_gone_are_not_taken_for_those_of_the_next(made: LivePanel, until: Until) -> None:
    strip, turn = strip_of(made), strip_of(made).turn
    made.viewer.scrubber.value = 2
    made.viewer.back.click()
    until(lambda: strip.turn == turn + 1)
    made.toolbar["stop"].click()
    until(lambda: made.session.state.is_over)
    made.toolbar["start"].click()
    until(lambda: strip.turn == turn + 2)


def test_a_snapshot_is_pinned_and_compared_with_what_is_shown_next(made: LivePanel, until: Until) -> None:
    viewer = made.viewer
    viewer.scrubber.value = 3
    viewer.compare.value = True
    comparison = viewer.comparison
    assert (comparison.left_label, comparison.right_label) == ("step 4", "now")
    assert comparison.left != comparison.right
    assert viewer.viewed is None
    viewer.scrubber.value = 1
    assert (comparison.left_label, comparison.right_label) == ("step 4", "step 2")
    shown = viewer.image.value
    viewer.compare.value = False
    assert viewer.image.value != shown


def test_where_no_such_widget_loads_the_scrubber_stays(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.widgets.live.film_strip.third_party_widgets_load", lambda: False)
    viewer = opened().viewer
    assert viewer.strip is None
    assert any(viewer.scrubber in row.children for row in viewer.widget.children[1:])
