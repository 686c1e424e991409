"""Variants that are made in turn, each saved when it is whole or left. Knows no widget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from clipnb.errors import ClipnbError, ConfigError
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.results import save_result, write_result
from clipnb.optimise.variants import Exploration, Variant, VariantStep, require_room
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
        on_frame: Callable[[Sequence[VariantStep]], None],
        on_state: Callable[[], None],
        in_thread: bool | None = None,
    ) -> None:
        """Prepare; `path` is the wished name of each picture.

        `on_frame` is called at most ten times a second, with the newest steps of those that went on since.

        Raises:
            ConfigError: there is not enough memory for so many.
        """
        super().__init__(on_state, in_thread)
        require_room(variants, encoder)
        self.exploration = Exploration(variants, encoder)
        self.pictures: dict[int, Path] = {}
        self.frame_rate = FrameRate()
        self._path, self._on_frame = path, on_frame
        self._unseen: dict[int, VariantStep] = {}
        self._saved: dict[int, int] = {}  # the steps of the saved pictures
        self._saves = threading.Lock()

    def start(self) -> None:
        """Begin, or go on with what was left."""
        if self.is_on:
            raise ConfigError("the variants are being made already")
        self._run(self.exploration)

    def leave(self, place: int) -> None:
        """Save a variant as it is, and do not go on with it."""
        self.exploration.left.add(place)
        if place in self.exploration.newest:
            self.saved(place)

    def take_up(self, place: int) -> None:
        """Go on with a variant that was left."""
        self.exploration.left.discard(place)
        if not self.is_on:
            self.start()

    def saved(self, place: int) -> Path:
        """Return where a variant's picture is, which is saved as it is now.

        Raises:
            ConfigError: it has not been begun.
        """
        newest = self.exploration.newest.get(place)
        if newest is None:
            raise ConfigError("this picture has not been begun; wait for it")
        with self._saves:
            if place not in self.pictures:
                self.pictures[place] = save_result(newest.run, newest.step, self._path)
            elif self._saved[place] < newest.step.index:
                write_result(newest.run, newest.step, self.pictures[place])
            self._saved[place] = newest.step.index
        return self.pictures[place]

    def _stepped(self, step: VariantStep) -> None:
        self._unseen[step.place] = step
        if step.step.is_last:
            self.saved(step.place)
        if step.step.is_last or self.frame_rate.is_due():
            self._show()

    def _show(self) -> None:
        seen, self._unseen = list(self._unseen.values()), {}
        if seen:
            self.frame_rate.show(self.exploration.done, lambda: self._on_frame(seen))

    def _became(self, state: RunState) -> None:
        if state is not RunState.RUNNING:
            self.frame_rate.rest()
        if state.is_over:
            self._show()
            with suppress(ClipnbError) if state is RunState.FAILED else nullcontext():  # the first mistake is told
                for place in self.exploration.newest:
                    self.saved(place)
