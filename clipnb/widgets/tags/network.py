"""The tag graph in the browser that talks back: clicks there reach Python, what is chosen here shows there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets

from clipnb.tags.drawing import Drawing
from clipnb.tags.page import drawing_data, library
from clipnb.tags.page import static as tag_static
from clipnb.widgets.common.event_loop import on_loop
from clipnb.widgets.common.frontend import BrowserWidget, carrier_of, static

_NONE = -1


class TagNetwork(BrowserWidget):
    """Draws a graph; says which node was clicked.

    Attributes:
        graph: what is drawn.
        note: what was left out.
        turn: counts drawings, so that a click on one that is gone is not taken for a click on the next.
        marked: nodes that are selected.
        looked: the node that is looked at, or -1.
        library: names the model that carries the drawing library.
    """

    graph: Any = traitlets.Dict().tag(sync=True)
    note: Any = traitlets.Unicode().tag(sync=True)
    turn: Any = traitlets.Int().tag(sync=True)
    marked: Any = traitlets.List().tag(sync=True)
    looked: Any = traitlets.Int(_NONE).tag(sync=True)
    library: Any = traitlets.Unicode().tag(sync=True)

    def __init__(self, look: Callable[[int | None], None], pick: Callable[[int], None]) -> None:
        """Take who is told.

        Args:
            look: about a node that was clicked; None for the ground.
            pick: about a node that was clicked with Ctrl, Cmd or Shift held.
        """
        self._look, self._pick = look, pick
        ours = static("library.js"), static("tag_network.js")
        super().__init__(tag_static("texts.js"), tag_static("drawing.js"), *ours, library=carrier_of(library).model_id)
        self.on_msg(on_loop(self._take))

    def draw(self, drawing: Drawing, marked: list[int], looked: int | None) -> None:
        """Draw another graph; safe from any thread."""
        with self.hold_sync():  # all in one message
            self.turn += 1
            self.note = drawing.note
            self.marked, self.looked = marked, _NONE if looked is None else looked
            self.graph = drawing_data(drawing)

    def mark(self, nodes: list[int]) -> None:
        """Show which nodes are selected; those that are not drawn are passed over."""
        self.marked = nodes

    def look_at(self, node: int | None) -> None:
        """Show which node is looked at; nothing when it is not drawn."""
        self.looked = _NONE if node is None else node

    def _take(self, _: Any, content: dict[str, Any], buffers: Any) -> None:
        """Take a message of the browser; what is not one of ours, or is about a graph that is gone, is passed over."""
        del buffers
        node, event = content.get("node"), content.get("event")
        drawn = {item["id"] for item in self.graph.get("nodes", ())}
        if content.get("turn") != self.turn or not isinstance(node, int):
            return
        if event == "look":
            self._look(node if node in drawn else None)
        elif event == "pick" and node in drawn:
            self._pick(node)
