"""`clipnb.explore()`: variants of one wish side by side, of which one is gone on with. Binds widgets to a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import ipywidgets as w

from clipnb.errors import ConfigError
from clipnb.images import to_pil
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import stem_for
from clipnb.optimise.variants import Variant, VariantStep, in_words, rates, variants_of, variants_sheet
from clipnb.runner import RunState
from clipnb.widgets.common.comparison import make_comparison
from clipnb.widgets.common.controls import header
from clipnb.widgets.common.frontend import Choice
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.toolbar import Toolbar
from clipnb.widgets.explore.cell import VariantCell
from clipnb.widgets.explore.session import ExploreSession
from clipnb.widgets.live.panel import LivePanel

_FIRST = "The variants are made in turn, a step of each; stop the bad, and go on with the good in the live panel."
_SIZES = {"the same size": 1, "twice the size": 2, "3 times the size": 3, "4 times the size": 4}


class ExplorePanel(Panel):
    """Shows variants while they are made, and opens the live panel with one of them.

    Attributes:
        session: what makes them.
        toolbar: `start`, `stop`.
        cells: one for each variant.
        size: how large that becomes which is gone on with.
        comparison: two of them in one place.
        opened: the live panel that was opened last, or None.
    """

    called = "explore panel"
    opened: LivePanel | None = None

    def __init__(
        self, variants: list[Variant], encoder: DualEncoder | None, in_thread: bool | None, path: Path
    ) -> None:
        """See `explore`."""
        super().__init__()
        self.session = ExploreSession(variants, encoder, path, self._show, self._show_state, in_thread)
        self._encoder, self._in_thread = encoder, in_thread
        self._compared: list[int] = []
        self._unseen: dict[int, VariantStep] = {}
        stop = "save all as they are, and end after the present step; Start goes on from there"
        self.toolbar = Toolbar(
            {
                "start": self.button("Start", "play", "make the variants", self.session.start).add_class("clipnb-main"),
                "stop": self.button("Stop all", "stop", stop, self.session.stop, at_once=True),
            }
        )
        self.size = Choice(options=_SIZES, description="go on at", layout={"width": "auto"})
        self.size.style.description_width = "58px"
        self.cells = [
            VariantCell(self, place, variant, self._leave, self._choose_compared, self._go_on)
            for place, variant in enumerate(variants)
        ]
        grid = w.Box([cell.widget for cell in self.cells], layout={"flex_flow": "row wrap"})
        self.comparison = make_comparison()
        self._beside, self._slot = w.VBox(), w.VBox()
        self.children = [
            self.hidden("pictures.css"), header("explore"), self.toolbar.widget, self.links, self.message,
            grid.add_class("clipnb-row").add_class("clipnb-variants"), w.HBox([self.size]), self._beside, self._slot,
        ]  # fmt: skip
        self._show_state()
        self.session.on_advice = self.show_notice
        self.show_notice(_FIRST)

    async def finished(self) -> list[VariantStep]:
        """Wait until all variants are made, in a cell: `made = await panel.finished()`; raises what ended them."""
        await self.session.finished()
        return list(self.session.exploration.newest.values())

    def _show(self, steps: Sequence[VariantStep]) -> None:
        """Show steps; called in the run's thread, so it only sets traits."""
        self._unseen.update((made.place, made) for made in steps)
        self.show_frame(self._draw)

    def _draw(self) -> None:
        seen, self._unseen = list(self._unseen.values()), {}
        for made in seen:
            self.cells[made.place].show(made)
            if made.place in self._compared:
                self._show_compared(made.place)
        exploration = self.session.exploration
        done, total = exploration.done, exploration.total
        self.toolbar.show_progress(done, total, self.session.frame_rate.words(done, total))
        self._show_cells()

    def _show_cells(self) -> None:
        exploration, is_on = self.session.exploration, self.session.is_on
        best = _best(exploration.newest)
        for place, cell in enumerate(self.cells):
            left, is_made = place in exploration.left, exploration.is_made(place)
            failed = exploration.failed.get(place)
            can_leave = failed is None and not is_made and (is_on or left)
            cell.show_state(is_left=left, is_best=place == best, can_leave=can_leave, failed=failed)

    def _show_state(self) -> None:
        """Show what state the run is in; called in any thread."""
        session = self.session
        self.toolbar.show_state(session.state, ["stop"] if session.is_on else ["start"])
        if session.state.is_over:  # what no frame has shown yet
            self.show_frame(self._draw, always=True)
        self._show_cells()
        if (error := session.error) is not None:
            self.show_problem(error, said="the run ended: ")
        newest = [session.exploration.newest[place] for place in sorted(session.exploration.newest)]
        if session.state is RunState.DONE and newest:
            sheet = variants_sheet([(made.variant.label, made.step) for made in newest])
            self._still.put(sheet, "; ".join(f"{made.variant.label}: {in_words(rates(made.step))}" for made in newest))

    def _leave(self, place: int) -> None:
        if place in self.session.exploration.left:
            self.session.take_up(place)
        else:
            self.session.leave(place)
        self._show_cells()

    def _choose_compared(self, place: int) -> None:
        """Compare two; of three the two that were asked for last."""
        wanted = self.cells[place].compare.value
        self._compared = [one for one in self._compared if one != place] + [place] * wanted
        for one in self._compared[:-2]:
            self.cells[one].compare.value = False
        self._compared = self._compared[-2:]
        self._beside.children = [self.comparison.widget] if len(self._compared) == 2 else []
        for one in self._compared:
            self._show_compared(one)

    def _show_compared(self, place: int) -> None:
        show = self.comparison.show_left if place == self._compared[0] else self.comparison.show_right
        made = self.session.exploration.newest[place]
        show(to_pil(made.step.image), made.variant.label)

    def _go_on(self, place: int) -> None:
        config = self._enlarged(self.session.exploration.variants[place].config)
        self.session.stop()
        picture = self.session.saved(place)
        panel = LivePanel(
            config.changed(init={"image": str(picture)}), self._encoder, self._in_thread, None, picture.parent
        )
        if self.opened is not None:
            self.opened.close()
        self.opened, self._slot.children = panel, [panel]
        panel.start()

    def _enlarged(self, config: ExperimentConfig) -> ExperimentConfig:
        sides = [str(side) for side in config.resolution]
        if self.size.value == 1:
            return config
        if not all(side.isdecimal() for side in sides):
            raise ConfigError(f"the size {' x '.join(sides)} changes while it runs; go on at the same size")
        return config.changed(resolution=[self.size.value * int(side) for side in sides])

    def close(self) -> None:
        """End what runs, in the live panel too, and close all widgets."""
        if self.opened is not None:
            self.opened.close()
        super().close()


def explore(
    text: str | ExperimentConfig,
    seeds: int | Sequence[int] | None = None,
    recipes: Sequence[str] = (),
    *,
    sweep: Mapping[str, Sequence[object]] | None = None,
    judge: str | Sequence[str] | None = "auto",
    encoder: DualEncoder | None = None,
    output: str | Path = "clipnb-output",
    in_thread: bool | None = None,
    **changes: object,
) -> ExplorePanel:
    """Make a picture for each seed and recipe, side by side; as the last expression of a cell the panel is shown.

    They are made in turn, a step of each, so that all can be seen early. What is no good can be stopped, two can be
    compared, and a button under each begins a live optimisation from it, at a larger size if wished. Each is saved with
    its YAML when it is whole, and when it or all is stopped.

    Args:
        text: what should be seen, several texts with weights included, or an experiment.
        seeds: how many, from 1 on, or which; by default four, or one where a key is swept.
        recipes: names of recipes to compare; `auto` when empty.
        sweep: one key and the values that it takes, such as `{"learnrate": [0.5, 1, 2]}`; one that lies deeper is
            written as `targets[0].batch_size`.
        judge: encoders that only look, and rate; "auto": a larger embedded classifier where `lite` guides and one is
            installed; None: none.
        encoder: guides instead of the experiment's models.
        output: folder to save to; nothing is overwritten.
        in_thread: as in `live`.
        changes: further top-level keys, such as `epochs=150` or `resolution=192`.

    Returns:
        The panel, an ipywidget; `await panel.finished()` waits until all pictures are made.

    Raises:
        ConfigError: no variant, or more than 64 are asked for, more than fit into the free memory, or a key or a value
            is not allowed.

    >>> panel = explore("a teapot", seeds=[3], epochs=0, in_thread=False)
    >>> panel.session.exploration.total
    0
    """
    if isinstance(text, str):
        stem = stem_for(text)
    else:
        stem = stem_for(next((f.text for target in text.targets for f in target.features if f.text), "picture"))
    panel = ExplorePanel(
        variants_of(text, seeds, recipes, judge, encoder, sweep, "", **changes),
        encoder,
        in_thread,
        Path(output) / f"{stem}.png",
    )
    panel.session.start()
    return panel


def _best(newest: Mapping[int, VariantStep]) -> int | None:
    """Return which of several is rated highest by the judge, or by what guides where there is none."""
    rated = {place: next(iter(rates(made.step).values()), None) for place, made in list(newest.items())}
    known = {place: value for place, value in rated.items() if value is not None}
    return max(known, key=lambda place: known[place]) if len(known) > 1 else None
