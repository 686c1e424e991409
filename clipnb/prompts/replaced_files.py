"""Files that are replaced by the thousand: the system frees each when nobody has it open any more, which may wait."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

_THREADS, _AT_ONCE = 8, 8  # files that a thread frees at a time: at most 136 are open
# A file's handle that needs no rights; Linux has it. In a browser there are no threads that let go of it.
_HANDLE = None if sys.platform == "emscripten" else getattr(os, "O_PATH", None)


@contextmanager
def freed_in_threads() -> Iterator[Callable[[str], None]]:
    """Yield a function that is told each file before it is replaced.

    It holds the old content until a thread lets go of it: replacing one after the other would wait for a busy disk each
    time, for milliseconds.
    """
    held: list[int] = []
    pending: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_THREADS) as threads:

        def hold(path: str) -> None:
            with suppress(OSError):  # it is missing, or cannot be held: it is replaced all the same
                if _HANDLE is not None:
                    held.append(os.open(path, _HANDLE))
            if len(held) == _AT_ONCE:
                pending.append(threads.submit(_close, held[:]))
                held.clear()
            if len(pending) > _THREADS:
                pending.popleft().result()

        try:
            yield hold
        finally:
            _close(held)


def _close(handles: Iterable[int]) -> None:
    for handle in handles:
        os.close(handle)
