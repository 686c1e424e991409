"""Variants side by side without a browser, and one that is gone on with in the live panel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

import clipnb
from clipnb.errors import ConfigError
from clipnb.images import open_image
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.runner import RunState
from clipnb.widgets.common.helper import PanelHelper
from clipnb.widgets.common.lifetime import widgets_of
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.explore.panel import ExplorePanel
from tests.widgets.conftest import ended

Open = Callable[..., ExplorePanel]
Until = Callable[..., None]


@pytest.fixture
def explored(tiny: DualEncoder, tmp_path: Path) -> Iterator[Open]:
    panels: list[ExplorePanel] = []

    def open_panel(**settings: Any) -> ExplorePanel:
        given = {"seeds": 2, "epochs": 3, "resolution": 24, "recipe": "lite", "in_thread": True, **settings}
        panels.append(clipnb.explore("a <red> circle", encoder=tiny, output=tmp_path, **given))
        return panels[-1]

    yield open_panel
    for panel in panels:
        panel.close()


def test_variants_are_made_at_once_shown_rated_and_saved(explored: Open, until: Until, tmp_path: Path) -> None:
    panel = explored()
    ended(panel)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a-red-circle-1.png", "a-red-circle-1.yaml", "a-red-circle.png", "a-red-circle.yaml",
    ]  # fmt: skip
    assert [ExperimentConfig.from_files(path).seed for path in (tmp_path / "a-red-circle.yaml",)] == [1]
    until(lambda: all(not cell.go_on.disabled for cell in panel.cells))
    shown = _html(panel)
    assert "seed 1: guide " in shown
    assert "seed 2: guide " in shown
    assert (panel.toolbar.bar.value, panel.toolbar.bar.max) == (6, 6)


def test_one_of_them_goes_on_in_the_live_panel(explored: Open, until: Until, tmp_path: Path) -> None:
    panel = explored(epochs=100_000)
    assert [cell.go_on.disabled for cell in panel.cells] == [True, True]
    until(lambda: not panel.cells[0].go_on.disabled)
    panel.cells[0].go_on.click()
    until(lambda: panel.opened is not None and panel.opened.session.newest is not None)
    ended(panel, RunState.STOPPED)
    live = panel.opened
    assert live is not None
    config = live.editor.checked()
    assert config.init.image == str(tmp_path / "a-red-circle.png")
    assert config.seed == 1
    assert open_image(config.init.image).size == (24, 24)
    panel.cells[0].go_on.click()
    until(lambda: panel.opened is not live)
    assert live.comm is None, "the one before is closed"
    assert len(list(tmp_path.glob("*.png"))) == 2, "each is saved once"


def test_what_was_stopped_goes_on(explored: Open, until: Until) -> None:
    panel = explored(epochs=100_000, seeds=1)
    until(lambda: panel.session.exploration.done > 3)
    panel.toolbar["stop"].click()
    ended(panel, RunState.STOPPED)
    done = panel.session.exploration.done
    panel.toolbar["start"].click()
    until(lambda: panel.session.exploration.done > done)
    with pytest.raises(ConfigError, match="being made already"):
        panel.session.start()
    with pytest.raises(ConfigError, match="not been begun"):
        panel.session.saved(5)


def test_the_end_is_shown_to_a_page_that_does_not_keep_up(explored: Open, until: Until) -> None:
    pytest.importorskip("anywidget")
    panel = explored(epochs=100_000, seeds=1)
    until(lambda: panel.session.exploration.done > 3)
    helper = next(widget for widget in widgets_of(panel, Panel) if isinstance(widget, PanelHelper))
    for number in range(1, 100):
        helper.receive({"answered": number, "page": 1})
    panel.toolbar["stop"].click()
    until(lambda: panel.session.state is RunState.STOPPED)
    until(lambda: f">{panel.session.exploration.done} of" in panel.toolbar.count.value)


def test_the_bad_are_stopped_and_saved_and_the_good_go_on(explored: Open, until: Until, tmp_path: Path) -> None:
    panel = explored(epochs=100_000)
    exploration = panel.session.exploration
    until(lambda: len(exploration.newest) == 2 and not panel.cells[1].go_on.disabled)
    before, other, after = (exploration.made(number) for number in (0, 1, 0))
    assert before - 2 < other < after + 2, "they are made in turn"
    panel.cells[1].leave.click()
    assert len(list(tmp_path.glob("*.yaml"))) == 1
    made = exploration.made(0)
    until(lambda: exploration.made(0) > made + 10)
    assert exploration.made(1) <= made + 2
    assert panel.cells[1].leave.description == "Resume"
    panel.cells[1].leave.click()
    stood = exploration.made(1)
    until(lambda: exploration.made(1) > stood + 3)
    panel.toolbar["stop"].click()
    until(lambda: panel.session.state is RunState.STOPPED and len(list(tmp_path.glob("*.yaml"))) == 2)


def test_one_goes_on_at_full_size(explored: Open, until: Until) -> None:
    panel = explored(epochs=100_000)
    until(lambda: not panel.cells[1].go_on.disabled)
    panel.size.value = 4
    panel.cells[1].go_on.click()
    until(lambda: panel.opened is not None and panel.opened.session.newest is not None)
    assert panel.opened is not None
    assert panel.opened.session.newest is not None
    assert panel.opened.session.newest.image.shape == (3, 96, 96)


def test_two_of_three_are_compared(explored: Open, until: Until) -> None:
    pytest.importorskip("anywidget")
    panel = explored(sweep={"learnrate": [0.5, 1, 2]}, seeds=None)
    until(lambda: panel.session.state is RunState.DONE and all(not cell.compare.disabled for cell in panel.cells))
    assert panel.session.exploration.variants[0].label == "learnrate 0.5"
    for cell in panel.cells:
        cell.compare.value = True
    assert [cell.compare.value for cell in panel.cells] == [False, True, True]
    comparison = panel.comparison
    assert (comparison.left_label, comparison.right_label) == ("learnrate 1", "learnrate 2")
    until(lambda: "clipnb-best" in "".join(str(cell.widget.get_state()["_dom_classes"]) for cell in panel.cells))


def test_one_that_breaks_is_told_and_the_others_are_made(explored: Open, until: Until) -> None:
    panel = explored(sweep={"learnrate": ["1 / (t - t)", 1]}, seeds=None)
    ended(panel)
    until(lambda: "clipnb-problem" in _html(panel))
    assert panel.session.exploration.made(1) == 3
    assert panel.cells[0].leave.disabled


def test_too_many_for_the_memory_are_refused_before_anything_is_loaded(
    explored: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clipnb.optimise.variants.free_memory", lambda _: 2 * 2**30)
    with pytest.raises(ConfigError, match="40 variants in turn need"):
        explored(seeds=40, resolution=1024)
    ipywidgets.Widget.close_all()  # what there is of a panel that could not be made can be closed


def test_on_the_event_loop_it_can_be_awaited(explored: Open) -> None:
    async def run() -> int:
        made = await explored(in_thread=False).finished()
        return len(made)

    assert asyncio.run(run()) == 2


def test_mistakes_are_told_before_anything_is_made() -> None:
    with pytest.raises(ConfigError, match="0 variants"):
        clipnb.explore("a", seeds=0)


def _html(panel: ExplorePanel) -> str:
    found: list[str] = []
    waiting: list[Any] = list(panel.children)
    while waiting:
        widget = waiting.pop()
        found.append(str(getattr(widget, "value", "")))
        waiting += list(getattr(widget, "children", ()))
    return "\n".join(found)
