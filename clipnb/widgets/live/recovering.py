"""An optimisation under a person's hands does not end because of a slip of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from clipnb.errors import ClipnbError
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.step import Step

Refused = Callable[[ClipnbError], None]


class ForgivingEngine:
    """An optimisation that goes on as it was when it cannot use a change."""

    def __init__(self, engine: Optimisation, refused: Refused) -> None:
        """Take the optimisation, and who is told why a change was refused."""
        self.engine, self._refused = engine, refused
        self._wanted: ExperimentConfig | None = None

    def steps(self) -> Iterator[Step]:
        """Yield after every step; asked again, go on."""
        while True:
            try:
                yield from self.engine.steps()
                return
            except ClipnbError as error:
                if self._wanted is None or self.engine.config is self._wanted:
                    raise
                self._wanted = None
                self._refused(error)

    def update(self, config: ExperimentConfig) -> None:
        """Use another config from the next step on, if possible; the newest wins."""
        self._wanted = config
        self.engine.update(config)
