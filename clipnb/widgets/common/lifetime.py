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
        run: tells one run of it from another.
    """

    identity: str
    run: str


class Closable(Protocol):
    """What a cell leaves behind."""

    def close(self) -> None:
        """End it; called again it does nothing."""


_places: WeakKeyDictionary[Any, Cell] = WeakKeyDictionary()


def stay_until_run_again(made: Closable) -> None:
    """Close what is made or shown here at the end of the next run of this cell, unless it is shown there again."""
    shell, cell = _shell(), _cell_now()
    if cell is not None:
        _places[made] = cell
        shell.events.register("post_run_cell", _after_a_cell)  # once, however often


def close_earlier(cell: Cell) -> None:
    """Close what was made or shown by an earlier run of a cell alone."""
    for old, place in list(_places.items()):
        if place.identity == cell.identity and place.run != cell.run:
            del _places[old]
            old.close()


def _after_a_cell(*_: object) -> None:
    cell = _cell_now()
    if cell is not None:
        close_earlier(cell)


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _cell_now() -> Cell | None:
    """Return the cell of a notebook that runs now; None in a plain program."""
    kernel = getattr(_shell(), "kernel", None)
    if kernel is None:
        return None
    request: dict[str, Any] = kernel.get_parent("shell")
    identity = request.get("metadata", {}).get("cellId") or request.get("content", {}).get("code")
    return Cell(identity, request["header"]["msg_id"]) if isinstance(identity, str) else None


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
            found += getattr(one, "__dict__", {}).values()
        if isinstance(one, Mapping):
            found += one.values()
        elif isinstance(one, (list, tuple, set)):
            found += one
