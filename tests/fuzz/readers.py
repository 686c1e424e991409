"""Readers of texts and of files as targets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.fuzz.hunt import FOLDER, Target

TARGETS: dict[str, Target] = {}
"""All targets by their names; what imports this adds its own."""


def text_of(data: bytes) -> str:
    return (
        data.decode("utf-8", "surrogatepass" if b"\xed" in data else "replace")
        if _is_wtf8(data)
        else data.decode("latin-1")
    )


def _is_wtf8(data: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        data.decode("utf-8", "surrogatepass")
        return True
    return False


def of_text(name: str, run: Callable[[str], object], seeds: Any, form: str = "", **more: Any) -> None:
    """Add a reader of texts; half of a surrogate pair may stand in one."""
    encoded = [seed if isinstance(seed, bytes) else seed.encode() for seed in seeds]
    TARGETS[name] = Target(lambda: encoded, lambda data: run(text_of(data)), form, **more)


def of_file(name: str, file: str, read: Callable[[Path], object], seeds: Any, form: str = "", **more: Any) -> None:
    """Add a reader of files of a name."""
    path = FOLDER / file

    def run(data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        read(path)

    encoded = [seed if isinstance(seed, bytes) else seed.encode() for seed in seeds]
    TARGETS[name] = Target(lambda: encoded, run, form, **more)
