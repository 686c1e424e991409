"""A plotly figure whose data is plain state, so that it survives reloads and changes that come before it is drawn."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets
from plotly.offline import get_plotlyjs

from clipnb.widgets.common.frontend import carrier_of, program


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
        script = program("library.js", "plot.js")
        super().__init__(_esm=script, design=design, library=carrier_of(get_plotlyjs).model_id)
