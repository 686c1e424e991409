"""When a panel ends: with its cell, which is run again, and with everything that it is made of."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

import ipywidgets as w


class Cell(NamedTuple):
    """Where code runs now.

    Attributes:
        identity: the cell's own, where the front end says it; else its code.
        turn: counts what the kernel was asked to run.
    """

    identity: str
    turn: int


class Closable(Protocol):
    """What a cell leaves behind."""

    def close(self) -> None:
        """End it; called again it does nothing."""


_places: WeakKeyDictionary[Any, Cell] = WeakKeyDictionary()


def cell_now() -> Cell | None:
    """Return the cell of a notebook that runs now; None in a plain program."""
    ipython = sys.modules.get("IPython")
    shell: Any = None if ipython is None else ipython.get_ipython()
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    request: dict[str, Any] = kernel.get_parent("shell")
    identity = request.get("metadata", {}).get("cellId") or request.get("content", {}).get("code")
    return Cell(identity, shell.execution_count) if isinstance(identity, str) else None


def replace_earlier(new: Closable, cell: Cell | None) -> None:
    """Close what an earlier run of the same cell has left, and note that this one has made something new."""
    if cell is None:
        return
    for old, place in list(_places.items()):
        if place.identity == cell.identity and place.turn != cell.turn:
            del _places[old]
            old.close()
    _places[new] = cell


def widgets_of(whole: w.Widget, apart: type[w.Widget]) -> Iterator[w.Widget]:
    """Yield the widgets that one is made of, itself included: with layouts, styles, and what its parts hold.

    Args:
        whole: where to begin.
        apart: other widgets of this class are left out, such as panels that send each other something.
    """
    seen: set[int] = set()
    found: list[object] = [whole]
    while found:
        one = found.pop()
        if id(one) in seen or (isinstance(one, apart) and one is not whole):
            continue
        seen.add(id(one))
        if isinstance(one, w.Widget):
            yield one
            found += [getattr(one, name) for name in one.keys]
        if type(one).__module__.startswith("clipnb.widgets."):
            found += vars(one).values()
        elif isinstance(one, Mapping):
            found += one.values()
        elif isinstance(one, (list, tuple, set)):
            found += one
