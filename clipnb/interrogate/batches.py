"""Work in batches: as large as the memory allows, read ahead by threads, in a stable order, and timed."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from time import perf_counter
from typing import TypeVar

import torch

from clipnb.models.device import is_out_of_memory
from clipnb.models.device_plan import find_facts, plan
from clipnb.models.embedded import too_little_memory
from clipnb.progress import log

_UNLIMITED = 2**31

Item = TypeVar("Item")
Result = TypeVar("Result")


def default_batch_size(device: torch.device) -> int:
    """Return the images per batch to start with on a device; `BatchSize` halves it where memory is short."""
    return plan(find_facts(device)).batch_size


class BatchSize:
    """How many things go through a model at once; halved for good whenever the memory is not enough.

    Attributes:
        size: the present number, at least 1.
    """

    def __init__(self, what: str) -> None:
        self._what, self.size = what, _UNLIMITED

    def map(self, work: Callable[[Sequence[Item]], Result], items: Sequence[Item]) -> list[Result]:
        """Return what the work makes of each batch, in order; it is called again with fewer where memory runs out."""
        results: list[Result] = []
        start = 0
        while start < len(items):
            batch = items[start : start + self.size]
            try:
                results.append(work(batch))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if len(batch) == 1:
                    raise too_little_memory(self._what) from error
                self._halve(len(batch))
            else:
                start += len(batch)
        return results

    def _halve(self, tried: int) -> None:
        level = logging.WARNING if self.size == _UNLIMITED else logging.DEBUG
        self.size = tried // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        log.log(level, "the memory is not enough for %d %s at once; going on with %d", tried, self._what, self.size)


class Clock:
    """Times the parts of a batch, in seconds per image."""

    def __init__(self, images: int) -> None:
        self._start, self._images = perf_counter(), images
        self.times: dict[str, float] = {}

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.times[part] = (perf_counter() - start) / self._images

    @property
    def total(self) -> float:
        return (perf_counter() - self._start) / self._images


def read_ahead(
    read: Callable[[Item], Result], items: Iterable[Item], *, workers: int, ahead: int
) -> Iterator[tuple[Item, Result]]:
    """Read items by threads while the caller works on earlier ones.

    Args:
        read: makes something of an item; runs in threads.
        items: what to read; taken one by one, no further ahead than needed.
        workers: number of threads.
        ahead: items read or being read at once beyond the one that the caller has: bounds the memory.

    Yields:
        Each item and what was made of it, in the order of `items`. What `read` raises is raised here.
    """
    remaining = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="clipnb-read")
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    try:
        waiting.extend((item, pool.submit(read, item)) for item in islice(remaining, max(ahead, 1)))
        while waiting:
            item, reading = waiting.popleft()
            result = reading.result()
            waiting.extend((later, pool.submit(read, later)) for later in islice(remaining, 1))
            yield item, result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def read_in_batches(
    read: Callable[[Item], Result], items: Iterable[Item], size: int, workers: int | None = None
) -> Iterator[list[tuple[Item, Result]]]:
    """Read items by threads, about two batches ahead of the caller, in lists of `size`, the last one shorter."""
    if not workers:  # decoding and scaling release the interpreter's lock
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = min(cores, 16)
    return in_batches(read_ahead(read, items, workers=workers, ahead=2 * max(size, workers)), size)


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Cut items into lists of `size`, the last one shorter."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
