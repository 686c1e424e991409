"""A plotly figure whose data is plain state, so that it survives reloads and changes that come before it is drawn."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as w
import traitlets
from plotly.offline import get_plotlyjs


class Plot(anywidget.AnyWidget):  # type: ignore[misc]
    """Draws traces.

    Attributes:
        data: traces, as plotly takes them; set it to draw, from any thread.
        design: plotly's layout.
        library: names the model that carries plotly's script.
    """

    data: Any = traitlets.List().tag(sync=True)
    design: Any = traitlets.Dict().tag(sync=True)
    library: Any = traitlets.Unicode().tag(sync=True)

    def __init__(self, design: dict[str, Any]) -> None:
        """Take plotly's layout."""
        program = (Path(__file__).parent / "static" / "plot.js").read_text(encoding="utf-8")
        super().__init__(_esm=program, design=design, library=_library().model_id)


def _library() -> Any:
    """Give the one model that carries plotly's 5 MB for all figures; another one when all widgets were closed."""
    found = _carrier()
    if found.comm is None:
        _carrier.cache_clear()
        found = _carrier()
    return found


@cache
def _carrier() -> Any:
    return w.HTML(value=get_plotlyjs())
