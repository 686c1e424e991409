"""Work in batches: as large as the memory allows, read ahead by threads, in a stable order."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

import torch

_log = logging.getLogger("clipnb")
_ON_CPU, _ON_GPU = 16, 256  # pictures; more are no faster there

Given = TypeVar("Given")
Made = TypeVar("Made")


def default_batch_size(device: torch.device) -> int:
    """Give the pictures a batch to begin with on a device; `BatchSize` halves it where memory is short."""
    return _ON_CPU if device.type == "cpu" else _ON_GPU


class BatchSize:
    """How many things go through a model at once; halved for good whenever the memory is not enough.

    Attributes:
        size: the present number, at least 1.
    """

    def __init__(self, what: str) -> None:
        """Begin without a limit.

        Args:
            what: what the batches are of, for the message that says that they were halved.
        """
        self._what, self.size = what, 2**31

    def map(self, work: Callable[[Sequence[Given]], Made], things: Sequence[Given]) -> list[Made]:
        """Do the work on all things, in batches in order.

        Args:
            work: takes some of the things; asked again with fewer where it runs out of memory.
            things: any number.

        Returns:
            What the work made of each batch, in order.
        """
        made: list[Made] = []
        start = 0
        while start < len(things):
            batch = things[start : start + self.size]
            try:
                made.append(work(batch))
            except RuntimeError as error:
                if not _is_out_of_memory(error) or len(batch) == 1:
                    raise
                self._halve(len(batch))
            else:
                start += len(batch)
        return made

    def _halve(self, tried: int) -> None:
        said = self.size < 2**31
        self.size = tried // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        level = logging.DEBUG if said else logging.WARNING
        _log.log(level, "the memory is not enough for %d %s at once; going on with %d", tried, self._what, self.size)


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)  # the latter is MPS


def default_workers() -> int:
    """Give the threads that read and prepare pictures: decoding and scaling release the interpreter's lock."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 16)


def read_ahead(
    read: Callable[[Given], Made], items: Iterable[Given], *, workers: int, ahead: int
) -> Iterator[tuple[Given, Made]]:
    """Read items by threads while the caller works on earlier ones.

    Args:
        read: makes something of an item; runs in threads.
        items: what to read; taken one by one, no further ahead than needed.
        workers: threads.
        ahead: items read or being read at once beyond the one that the caller has: bounds the memory.

    Yields:
        Each item and what was made of it, in the order of `items`. What `read` raises is raised here.
    """
    remaining = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="clipnb-read")
    waiting: deque[tuple[Given, Future[Made]]] = deque()
    try:
        waiting.extend((item, pool.submit(read, item)) for item in islice(remaining, max(ahead, 1)))
        while waiting:
            item, reading = waiting.popleft()
            made = reading.result()
            waiting.extend((later, pool.submit(read, later)) for later in islice(remaining, 1))
            yield item, made
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def read_in_batches(
    read: Callable[[Given], Made], items: Iterable[Given], size: int, workers: int | None = None
) -> Iterator[list[tuple[Given, Made]]]:
    """Read items by threads, about two batches ahead of the caller.

    Args:
        read: makes something of an item; runs in threads.
        items: what to read; taken as they are needed.
        size: items a batch.
        workers: threads; what suits the machine unless given.

    Yields:
        Lists of `size` items, the last one shorter, each item with what was made of it, in the order of `items`.
    """
    workers = workers or default_workers()
    return in_batches(read_ahead(read, items, workers=workers, ahead=2 * max(size, workers)), size)


def in_batches(items: Iterable[Given], size: int) -> Iterator[list[Given]]:
    """Cut items into lists of `size`, the last one shorter."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
