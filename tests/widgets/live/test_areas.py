"""Areas that are drawn by hand become `keep` and `region` in the YAML; a browser's word is checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clipnb.images import open_image
from clipnb.runner import RunState
from clipnb.widgets.live.areas import KEEP, AreaPainter
from clipnb.widgets.live.panel import LivePanel
from tests.widgets.conftest import ended

pytest.importorskip("anywidget")
Open = Callable[..., LivePanel]
Until = Callable[..., None]
BOX: dict[str, Any] = {"event": "box", "box": [0.25, 0, 0.5, 1]}
MASK: dict[str, Any] = {"event": "mask", "width": 8, "height": 8}
LEFT_HALF = bytes([255] * 4 + [0] * 4) * 8


@pytest.fixture
def stopped(opened: Open, until: Until, tmp_path: Path) -> LivePanel:
    panel = opened()
    panel.save_tab.folder.value = str(tmp_path)
    panel.start()
    until(lambda: panel.session.newest is not None and panel.session.newest.index > 3)
    panel.toolbar["stop"].click()
    ended(panel, RunState.STOPPED)
    return panel


def painter_of(panel: LivePanel) -> AreaPainter:
    assert panel.areas.painter is not None
    return panel.areas.painter


def give(panel: LivePanel, content: object, buffers: object = None) -> None:
    panel.guarded(lambda: painter_of(panel).receive(content, [] if buffers is None else buffers))


def test_a_rectangle_becomes_where_a_target_counts(stopped: LivePanel) -> None:
    stopped.areas.purpose.value = 0
    give(stopped, BOX)
    assert stopped.editor.checked().targets[0].region == (0.25, 0, 0.5, 1)
    assert stopped.editor.yaml.value.startswith("# a quick one"), "the rest is as it was"
    stopped.areas.remove.click()
    assert stopped.editor.checked().targets[0].region is None


def test_what_is_painted_stays_as_it_is_now_to_the_bit(stopped: LivePanel, until: Until, tmp_path: Path) -> None:
    before = np.asarray(stopped.viewer.shown)
    stopped.areas.tool.value = "brush"
    assert painter_of(stopped).tool == "brush"
    give(stopped, MASK, [memoryview(LEFT_HALF)])
    config = stopped.editor.checked()
    assert config.keep == str(tmp_path / "a-red-circle-mask.png")
    assert config.init.image == str(tmp_path / "a-red-circle-kept.png")
    assert open_image(str(config.keep)).size == (24, 24)
    assert painter_of(stopped).tool == "", "the picture can be seen again"
    reached = stopped.session.newest.index if stopped.session.newest else 0
    stopped.toolbar["pause"].click()
    until(lambda: stopped.session.newest is not None and stopped.session.newest.index > reached + 5)
    stopped.toolbar["stop"].click()
    ended(stopped, RunState.STOPPED)
    after = np.asarray(stopped.viewer.shown)
    assert np.array_equal(after[:, :10], before[:, :10])
    assert not np.array_equal(after[:, 14:], before[:, 14:])


def test_a_second_mask_takes_no_name_of_the_first(stopped: LivePanel, tmp_path: Path) -> None:
    stopped.areas.purpose.value = 0
    for _ in range(2):
        give(stopped, MASK, [memoryview(LEFT_HALF)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-red-circle-mask-1.png", "a-red-circle-mask.png"]
    assert stopped.editor.checked().targets[0].region == str(tmp_path / "a-red-circle-mask-1.png")


@pytest.mark.parametrize(
    ("content", "buffers", "told"),
    [
        (None, [], "cannot be understood"),
        ({}, [], "cannot be understood"),
        ({**BOX, "box": [0, 0, 2, 1]}, [], "cannot be understood"),
        ({**BOX, "box": [0, 0, float("nan"), 1]}, [], "cannot be understood"),
        ({**BOX, "box": [0, 0, 1]}, [], "cannot be understood"),
        ({**BOX, "box": [0.5, 0, 0.5, 1]}, [], "empty"),
        ({**MASK, "width": 10**9}, [], "cannot be understood"),
        ({**MASK, "width": "8"}, [LEFT_HALF], "cannot be understood"),
        ({**MASK, "path": "/etc"}, [LEFT_HALF], "cannot be understood"),
        (MASK, [LEFT_HALF[1:]], "did not arrive whole"),
        (MASK, [LEFT_HALF, LEFT_HALF], "did not arrive whole"),
        (MASK, ["x" * 64], "did not arrive whole"),
        (MASK, None, "did not arrive whole"),
        (MASK, [bytes(64)], "nothing is painted yet"),
        ({"event": "nothing"}, [], "nothing is drawn yet"),
    ],
)
def test_what_is_no_area_is_refused_in_words(
    stopped: LivePanel, content: object, buffers: object, told: str, tmp_path: Path
) -> None:
    written = stopped.editor.yaml.value
    give(stopped, content, buffers)
    assert told in stopped.message.value
    assert stopped.editor.yaml.value == written
    assert not list(tmp_path.iterdir())


def test_before_there_is_a_picture_or_a_tool_it_is_said(opened: Open) -> None:
    panel = opened()
    panel.areas.use.click()
    assert "choose rectangle or brush" in panel.message.value
    give(panel, BOX)
    assert "there is no picture yet" in panel.message.value


def test_a_picture_that_the_yaml_names_is_kept_without_another_copy(opened: Open, tmp_path: Path) -> None:
    Image.effect_noise((24, 24), 90).convert("RGB").save(tmp_path / "mine.png")
    panel = opened()
    panel.save_tab.folder.value = str(tmp_path)
    panel.init_image.place.value = str(tmp_path / "mine.png")
    assert panel.areas.purpose.value == KEEP
    give(panel, BOX)
    config = panel.editor.checked()
    assert (config.init.image, config.keep) == (str(tmp_path / "mine.png"), (0.25, 0, 0.5, 1))


def test_targets_are_offered_as_the_yaml_has_them(opened: Open, yaml_text: str) -> None:
    panel = opened()
    assert list(dict(panel.areas.purpose.options).values()) == [KEEP, 0]
    panel.editor.yaml.value = yaml_text + "  - name: sky\n    features: [blue]\n"
    assert "where target 2 counts: sky" in dict(panel.areas.purpose.options)


def test_where_no_such_widget_loads_the_tools_are_left_out_with_a_word(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clipnb.widgets.live.areas.third_party_widgets_load", lambda: False)
    panel = opened()
    assert panel.areas.painter is None
    (word,) = panel.areas.widget.children
    assert "where third-party widgets load" in word.value
