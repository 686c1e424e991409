"""Processes that are killed at a counted call, as by `kill -9`, however fast the machine is: they do it themselves."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any


def die_at(
    owner: Any, name: str, number: int, *, after: bool = False, counts: Callable[..., bool] = lambda *_, **__: True
) -> None:
    """Let this process die when a function is called for so many times, before or after it works; at 0 or less, never.

    Args:
        owner: module, class or object that the function is found in.
        name: of the function.
        number: which call it is.
        after: whether the call is made first.
        counts: which calls are counted, by what they are given.
    """
    real, left = getattr(owner, name), number

    def dies(*given: Any, **more: Any) -> Any:
        nonlocal left
        left -= counts(*given, **more)
        if not left and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        done = real(*given, **more)
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, name, dies)


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a Python that finds this module."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **more}
