"""Variants side by side without a browser, and one that is gone on with in the live panel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import clipnb
from clipnb.errors import ConfigError
from clipnb.images import open_image
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.runner import RunState
from clipnb.widgets.explore.panel import ExplorePanel

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
    until(lambda: panel.session.state is RunState.DONE)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a-red-circle-1.png", "a-red-circle-1.yaml", "a-red-circle.png", "a-red-circle.yaml",
    ]  # fmt: skip
    assert [ExperimentConfig.from_files(path).seed for path in (tmp_path / "a-red-circle.yaml",)] == [1]
    until(lambda: all(not button.disabled for button in panel.buttons))
    shown = _html(panel)
    assert "seed 1: guide " in shown
    assert "seed 2: guide " in shown
    assert (panel.toolbar.bar.value, panel.toolbar.bar.max) == (6, 6)


def test_one_of_them_goes_on_in_the_live_panel(explored: Open, until: Until, tmp_path: Path) -> None:
    panel = explored(epochs=100_000)
    assert [button.disabled for button in panel.buttons] == [True, True]
    until(lambda: not panel.buttons[0].disabled)
    panel.buttons[0].click()
    until(lambda: panel.opened is not None and panel.opened.session.newest is not None)
    until(lambda: panel.session.state is RunState.STOPPED)
    live = panel.opened
    assert live is not None
    config = live.editor.checked()
    assert config.init.image == str(tmp_path / "a-red-circle.png")
    assert config.seed == 1
    assert open_image(config.init.image).size == (24, 24)
    panel.buttons[0].click()
    until(lambda: panel.opened is not live)
    assert live.comm is None, "the one before is closed"
    assert len(list(tmp_path.glob("*.png"))) == 1, "it is saved once"


def test_what_was_stopped_goes_on(explored: Open, until: Until) -> None:
    panel = explored(epochs=100_000, seeds=1)
    until(lambda: panel.session.exploration.done > 3)
    panel.toolbar["stop"].click()
    until(lambda: panel.session.state is RunState.STOPPED)
    done = panel.session.exploration.done
    panel.toolbar["start"].click()
    until(lambda: panel.session.exploration.done > done)
    with pytest.raises(ConfigError, match="being made already"):
        panel.session.start()
    with pytest.raises(ConfigError, match="not been begun"):
        panel.session.saved(5)


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
