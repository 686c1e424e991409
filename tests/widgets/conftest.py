from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

import clipnb
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.optimise import engine
from clipnb.runner import RunState
from clipnb.widgets.live.panel import LivePanel

YAML = """# a quick one
epochs: 100000
resolution: [24, 24]
learnrate: 1.0   # as it is
targets:
  - batch_size: 1
    features:
      - text: a red circle
"""


def wait_until(condition: Callable[[], object], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def ended(panel: Any, state: RunState = RunState.DONE) -> None:
    """Wait until a run has ended in a state, and that is shown: it is a moment later."""
    wait_until(lambda: panel.session.state is state)
    with suppress(Exception):  # what ended it
        panel.session.join()


@pytest.fixture(scope="session")
def tiny(tiny_clip: str) -> DualEncoder:
    return load_model(tiny_clip, "cpu")


@pytest.fixture(autouse=True)
def _same_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give experiments that name no seed the same ones each time."""
    monkeypatch.setattr(engine, "drawn_seed", count(1000).__next__)


@pytest.fixture
def until() -> Callable[..., None]:
    return wait_until


@pytest.fixture
def settled() -> Callable[[Callable[[], object]], object]:
    """Wait until what is read does not change any more: for as long as twenty steps take."""

    def wait(read: Callable[[], object]) -> object:
        value, same = read(), 0
        while same < 20:
            time.sleep(0.005)
            now = read()
            value, same = now, same + 1 if now == value else 0
        return value

    return wait


@pytest.fixture
def yaml_text() -> str:
    return YAML


@pytest.fixture
def opened(tiny: DualEncoder) -> Iterator[Callable[..., LivePanel]]:
    """Open live panels on a tiny encoder; their runs are ended at the end."""
    panels: list[LivePanel] = []

    def open_panel(experiment: object = YAML, **options: object) -> LivePanel:
        panels.append(clipnb.live(experiment, **{"encoder": tiny, "in_thread": True, "live_chart": False, **options}))
        return panels[-1]

    yield open_panel
    for panel in panels:
        panel.session.stop()
        if panel.session.newest is not None:
            with suppress(Exception):  # what ended it was the test's to look at
                panel.session.join(60)
