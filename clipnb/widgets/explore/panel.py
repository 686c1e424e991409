"""`clipnb.explore()`: variants of one wish side by side, of which one is gone on with. Binds widgets to a session."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import ipywidgets as w

from clipnb import html
from clipnb.images import to_pil
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import stem_for
from clipnb.optimise.variants import Variant, VariantStep, in_words, rates, variants_of, variants_sheet
from clipnb.runner import RunState
from clipnb.widgets.common.controls import header
from clipnb.widgets.common.frontend import style
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.still import jpeg
from clipnb.widgets.common.toolbar import Toolbar
from clipnb.widgets.explore.session import ExploreSession
from clipnb.widgets.live.panel import LivePanel

_WIDTH = "200px"


class ExplorePanel(Panel):
    """Shows variants while they are made, and opens the live panel with one of them.

    Attributes:
        session: what makes them.
        toolbar: `start`, `stop`.
        buttons: "Go on in the live panel" under each variant.
        opened: the live panel that was opened last, or None.
    """

    called = "explore panel"

    def __init__(
        self, variants: list[Variant], encoder: DualEncoder | None, in_thread: bool | None, path: Path
    ) -> None:
        """See `explore`."""
        super().__init__()
        self.session = ExploreSession(variants, encoder, path, self._show, self._show_state, in_thread)
        self.opened: LivePanel | None = None
        self._encoder, self._in_thread = encoder, in_thread
        stop = "end after the present step; Start goes on from there"
        self.toolbar = Toolbar(
            {
                "start": self.button("Start", "play", "make the variants", self.session.start).add_class("clipnb-main"),
                "stop": self.button("Stop", "stop", stop, self.session.stop, at_once=True),
            }
        )
        tooltip = "begin a live optimisation from this picture"
        self._images = [w.Image(format="jpeg", layout={"width": _WIDTH, "visibility": "hidden"}) for _ in variants]
        self._captions = [w.HTML(html.caption(variant.label), layout={"width": _WIDTH}) for variant in variants]
        self.buttons = [
            self.button("Go on in the live panel", "arrow-right", tooltip, partial(self._go_on, place), disabled=True)
            for place, _ in enumerate(variants)
        ]
        cells = [w.VBox(list(cell)) for cell in zip(self._images, self._captions, self.buttons, strict=True)]
        grid = w.Box(cells, layout={"flex_flow": "row wrap"}).add_class("clipnb-row")
        self._slot = w.VBox()
        self.children = [style(), header("explore"), self.toolbar.widget, self.links, self.message, grid, self._slot]
        self._show_state()

    async def finished(self) -> list[VariantStep]:
        """Wait until all variants are made, in a cell: `made = await panel.finished()`; raises what ended them."""
        await self.session.finished()
        return list(self.session.exploration.newest.values())

    def _show(self, made: VariantStep) -> None:
        """Show a step; called in the run's thread, so it only sets traits."""
        image = self._images[made.place]
        image.value = jpeg(to_pil(made.step.image))
        image.layout.visibility = "visible"
        rated = in_words(rates(made.step))
        warning = made.step.statistics.verdict.warning if made.step.statistics.verdict else ""
        words = [html.caption(f"{made.variant.label}: {rated}"), html.notice(warning)]
        self._captions[made.place].value = html.joined(words)
        self.buttons[made.place].disabled = False
        exploration = self.session.exploration
        done, total = exploration.done, exploration.total
        self.toolbar.show_progress(done, total, self.session.frame_rate.words(done, total))

    def _show_state(self) -> None:
        """Show what state the run is in; called in any thread."""
        session = self.session
        self.toolbar.show_state(session.state, ["stop"] if session.is_on else ["start"])
        if session.error is not None:
            self.show_problem(session.error, said="the run ended: ")
        newest = list(session.exploration.newest.values())
        if session.state is RunState.DONE and newest:
            sheet = variants_sheet([(made.variant.label, made.step) for made in newest])
            self._still.put(sheet, "; ".join(f"{made.variant.label}: {in_words(rates(made.step))}" for made in newest))

    def _go_on(self, place: int) -> None:
        self.session.stop()
        picture = self.session.saved(place)
        config = self.session.exploration.variants[place].config
        panel = LivePanel(
            config.changed(init={"image": str(picture)}), self._encoder, self._in_thread, None, picture.parent
        )
        if self.opened is not None:
            self.opened.close()
        self.opened, self._slot.children = panel, [panel]
        panel.start()

    def close(self) -> None:
        """End what runs, in the live panel too, and close all widgets."""
        if self.opened is not None:
            self.opened.close()
        super().close()


def explore(
    text: str | ExperimentConfig,
    seeds: int | Sequence[int] = 4,
    recipes: Sequence[str] = (),
    *,
    judge: str | Sequence[str] | None = "auto",
    encoder: DualEncoder | None = None,
    output: str | Path = "clipnb-output",
    in_thread: bool | None = None,
    **changes: object,
) -> ExplorePanel:
    """Make a picture for each seed and recipe, side by side; as the last expression of a cell the panel is shown.

    Each is saved with its YAML. A button under each begins a live optimisation from it.

    Args:
        text: what should be seen, several texts with weights included, or an experiment.
        seeds: how many, from 1 on, or which.
        recipes: names of recipes to compare; `auto` when empty.
        judge: encoders that only look, and rate; "auto": a larger embedded classifier where `lite` guides and one is
            installed; None: none.
        encoder: guides instead of the experiment's models.
        output: folder to save to; nothing is overwritten.
        in_thread: as in `live`.
        changes: further top-level keys, such as `epochs=150` or `resolution=192`.

    Returns:
        The panel, an ipywidget; `await panel.finished()` waits until all pictures are made.

    Raises:
        ConfigError: no variant, or more than 64 are asked for, or a key or a value is not allowed.

    >>> panel = explore("a teapot", seeds=[3], epochs=0, in_thread=False)
    >>> panel.session.exploration.total
    0
    """
    if isinstance(text, str):
        stem = stem_for(text)
    else:
        stem = stem_for(next((f.text for target in text.targets for f in target.features if f.text), "picture"))
    panel = ExplorePanel(
        variants_of(text, seeds, recipes, judge, encoder, **changes), encoder, in_thread, Path(output) / f"{stem}.png"
    )
    panel.session.start()
    return panel
