"""Variants that are made one after another, each saved when it is whole. Knows no widget."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clipnb.errors import ConfigError
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.results import save_result
from clipnb.optimise.variants import Exploration, Variant, VariantStep
from clipnb.runner import RunState
from clipnb.widgets.common.frame_rate import FrameRate
from clipnb.widgets.common.session import Session


class ExploreSession(Session[VariantStep, None]):
    """Makes variants.

    Attributes:
        exploration: the variants, and what there is of them.
        pictures: where those that are saved are, by their numbers.
        frame_rate: how fast it goes.
    """

    def __init__(
        self,
        variants: list[Variant],
        encoder: DualEncoder | None,
        path: Path,
        on_frame: Callable[[VariantStep], None],
        on_state: Callable[[], None],
        in_thread: bool | None = None,
    ) -> None:
        """Prepare; `path` is the wished name of each picture, `on_frame` is called at most ten times a second."""
        super().__init__(on_state, in_thread)
        self.exploration = Exploration(variants, encoder)
        self.pictures: dict[int, Path] = {}
        self.frame_rate = FrameRate()
        self._path, self._on_frame = path, on_frame

    def start(self) -> None:
        """Begin, or go on with what was left."""
        if self.is_on:
            raise ConfigError("the variants are being made already")
        self._run(self.exploration)

    def saved(self, place: int) -> Path:
        """Return where a variant's picture is, which is saved as it is now if it is not yet.

        Raises:
            ConfigError: it has not been begun.
        """
        newest = self.exploration.newest.get(place)
        if newest is None:
            raise ConfigError("this picture has not been begun; wait for it")
        if place not in self.pictures:
            self.pictures[place] = save_result(newest.run, newest.step, self._path)
        return self.pictures[place]

    def _stepped(self, step: VariantStep) -> None:
        if step.step.is_last:
            self.saved(step.place)
        if step.step.is_last or self.frame_rate.is_due():
            self.frame_rate.show(self.exploration.done, lambda: self._on_frame(step))

    def _became(self, state: RunState) -> None:
        if state is not RunState.RUNNING:
            self.frame_rate.rest()
