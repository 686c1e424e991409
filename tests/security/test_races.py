"""Two panels on one encoder, one folder and one cache, whose buttons are clicked by threads all at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import ipywidgets
import pytest
from PIL import Image

import clipnb
from clipnb.errors import ClipnbError
from clipnb.interrogate.settings import Settings
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.prompts.caption_log import FOLDER
from clipnb.widgets.common.lifetime import widgets_of
from clipnb.widgets.common.panel import Panel

THREADS, CLICKS = 3, 60
YAML = "epochs: 100000\nresolution: [8, 8]\ntargets: [{batch_size: 1, features: a cat}]\n"
LABELS = {name: ["one", "two", "three"] for name in ("mediums", "movements", "artists", "trendings", "flavors")}
MAKERS: dict[str, Callable[[DualEncoder, Path], Panel]] = {
    "live": lambda encoder, _: clipnb.live(YAML, encoder=encoder, in_thread=True, live_chart=False),
    "tags": lambda _, folder: clipnb.tag_panel(["a cat, fur, red", "a dog, fur"], in_thread=True, live_graph=True),
    "dataset": lambda encoder, folder: clipnb.dataset_panel(folder, encoder=encoder, in_thread=True),
    "interrogate": lambda encoder, folder: clipnb.interrogate_panel(
        *(folder / f"{name}.png" for name in "ab"),
        encoder=encoder,
        labels=LABELS,
        in_thread=True,
        settings=Settings(cache_path=folder / ".tables"),
    ),
}


def act(panel: Panel, draw: Random) -> None:
    """Click a button that can be clicked, or type into a field."""
    widgets: list[Any] = [one for one in widgets_of(panel, Panel) if not getattr(one, "disabled", True)]
    buttons = [one for one in widgets if isinstance(one, ipywidgets.Button)]
    fields = [one for one in widgets if isinstance(one, ipywidgets.Text) and "/" not in one.value]
    if draw.random() < 0.7 and buttons:
        draw.choice(buttons).click()
    elif fields:
        draw.choice(fields).set_state({"value": draw.choice(["a dog", "fur", "red", "x"])})


class Pair:
    """Two panels, and what was shown or raised that is no mistake of a user."""

    def __init__(self, make: Callable[[], Panel]) -> None:
        self._make = make
        self._panels: list[Any] = []
        self.unknown: list[object] = []

    async def hammered(self) -> None:
        """Click in threads while the event loop works, then close both; their runs end."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.unknown.append(context))
        self._panels = [self._make(), self._make()]
        threads = [threading.Thread(target=self._click, args=(Random(seed), loop)) for seed in range(THREADS)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            await asyncio.sleep(0.01)
        for panel in self._panels:
            panel.close()
        sessions = [panel.session for panel in self._panels]
        while any(session.is_on for session in sessions):
            await asyncio.sleep(0.01)

    def _click(self, draw: Random, loop: asyncio.AbstractEventLoop) -> None:
        for number in range(CLICKS):
            try:
                act(draw.choice(self._panels), draw)
            except Exception as error:  # noqa: BLE001 - nobody sees it in a thread
                if "changed size during iteration" not in str(error):  # of what `act` looks through
                    self.unknown.append(error)
            if number % 20 == 19:
                loop.call_soon_threadsafe(self._renew, draw.randrange(2))
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(600)

    def _renew(self, place: int) -> None:
        self._panels[place].close()
        self._panels[place] = self._make()


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAKERS)
def test_two_panels_under_clicks_from_threads_know_every_mistake(
    kind: str, tiny_clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    encoder, folder = load_model(tiny_clip, "cpu"), tmp_path / "images"
    folder.mkdir()
    for name in "abcd":
        Image.new("RGB", (9, 9), "red").save(folder / f"{name}.png")
        (folder / f"{name}.txt").write_text(f"{name}, fur, red")
    pair, show = Pair(lambda: MAKERS[kind](encoder, folder)), Panel.show_problem

    def noted(panel: Panel, problem: str | BaseException, **more: Any) -> None:
        if not isinstance(problem, (str, ClipnbError)):
            pair.unknown.append(problem)
        show(panel, problem, **more)

    monkeypatch.setattr(Panel, "show_problem", noted)
    asyncio.run(pair.hammered())
    assert pair.unknown == []
    assert all(path.read_text() for path in folder.glob("*.txt"))
    assert not list((folder / FOLDER).glob("*.saving"))
