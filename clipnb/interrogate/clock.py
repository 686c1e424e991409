"""How long the parts of a batch take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Clock:
    """Measures the parts of a batch, in seconds a picture."""

    def __init__(self, share: int) -> None:
        """Start.

        Args:
            share: pictures in the batch.
        """
        self._start, self._share = perf_counter(), share
        self.times: dict[str, float] = {}

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Measure what the block does as one part."""
        start = perf_counter()
        yield
        self.times[part] = (perf_counter() - start) / self._share

    @property
    def total(self) -> float:
        """Seconds a picture since the start."""
        return (perf_counter() - self._start) / self._share
