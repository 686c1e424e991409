"""The graph in the panel: a widget whose clicks reach Python, or a page in a frame where it does not load; a still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import ipywidgets as w
import traitlets
from PIL import Image
from pydantic import ValidationError

from clipnb import html
from clipnb.tags.drawing import choose_drawing
from clipnb.tags.page import SCRIPTS, Page, page_of
from clipnb.tags.page import static as tag_static
from clipnb.tags.payload import pack
from clipnb.tags.picture import draw_on
from clipnb.tags.view import TagView, why_empty
from clipnb.widgets.common.frontend import BrowserWidget, Message, static, third_party_widgets_load
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.still import blank_figure, drawn

STILL_WIDTH = 960  # pixels, as those below
_HEIGHT = 490
_MOST_IN_STILL, _STILL_DPI, _STILL_COLOURS = 80, 100, 160
_NONE = -1
_EXAMPLES = 100  # prompts that the browser gets

Look = Callable[[int | None], None]
Pick = Callable[[int], None]


class _Click(Message):
    """A click in the browser, on a node or (-1) on the ground."""

    event: Literal["look", "pick"]
    node: int
    turn: int


class TagNetwork(BrowserWidget):
    """Draws a graph in the browser; clicks there reach Python.

    Attributes:
        graph: what is drawn and what is known of it, see `clipnb.tags.payload`.
        note: what was left out.
        turn: counts drawings, so that a click on one that is gone is not taken for a click on the next.
        marked: nodes that are selected; those that are not drawn are ignored.
        looked: the node that is looked at, or -1.
    """

    sheets = ("tags.css",)
    graph: Any = traitlets.Bytes().tag(sync=True)
    note: Any = traitlets.Unicode().tag(sync=True)
    turn: Any = traitlets.Int().tag(sync=True)
    marked: Any = traitlets.List().tag(sync=True)
    looked: Any = traitlets.Int(_NONE).tag(sync=True)

    def __init__(self, panel: Panel, look: Look, pick: Pick) -> None:
        """Make one without a graph.

        Args:
            panel: that it is a part of.
            look: called with a node that was clicked; None for the ground.
            pick: called with a node that was clicked with Ctrl, Cmd or Shift held.
        """
        self._look, self._pick = look, pick
        self._nodes = 0
        super().__init__(*map(tag_static, SCRIPTS), static("tag_network.js"))
        self.on_msg(lambda _, content, _buffers: panel.hand_over(lambda: self.receive(content)))

    def draw(self, view: TagView, marked: Sequence[int], looked: int | None) -> None:
        with self.hold_sync():  # all in one message
            self.turn += 1
            self.note = view.drawing.note
            self.marked = list(marked)
            self.look_at(looked)
            self._nodes = len(view.graph)
            self.graph = pack(view.drawing, view.counts, _EXAMPLES)

    def look_at(self, node: int | None) -> None:
        self.looked = _NONE if node is None else node

    def receive(self, content: object) -> None:
        """Act on a message of the browser; what is no click, or one on a graph that is gone, is ignored."""
        try:
            click = _Click.model_validate(content)
        except ValidationError:
            return
        is_known = 0 <= click.node < self._nodes
        if click.turn == self.turn and click.event == "look":
            self._look(click.node if is_known else None)
        elif click.turn == self.turn and is_known:
            self._pick(click.node)


class TagGraph:
    """Shows what is drawn of a view.

    Attributes:
        is_live: whether clicks in the graph reach Python.
        canvas: the graph: a `TagNetwork`, or HTML.
        word: what stands in its place when there is nothing to draw.
    """

    def __init__(self, panel: Panel, look: Look, pick: Pick, live: bool | None = None) -> None:
        """Make one without a view; `live` is by default whether third-party widgets load here."""
        self.is_live = third_party_widgets_load() if live is None else live
        self.word = w.HTML().add_class("clipnb-word")
        self.canvas: Any = TagNetwork(panel, look, pick) if self.is_live else w.HTML()
        self.widget = w.VBox([self.word]).add_class("clipnb-left")
        self.show(None, [], None)

    def show(self, view: TagView | None, marked: Sequence[int], looked: int | None) -> None:
        """Show another view, with nodes that are selected, and one that is looked at."""
        empty = why_empty(view)
        self.word.value = html.notice(empty)
        if view is None or empty:
            self.widget.children = [self.word]
            return
        if self.is_live:
            self.canvas.draw(view, marked, looked)
        else:
            self.canvas.value = Page(page_of(view.drawing, view.counts), _HEIGHT)._repr_html_()
        self.widget.children = [self.canvas]

    def mark(self, nodes: Sequence[int]) -> None:
        """Show which nodes are selected; a page cannot."""
        if self.is_live:
            self.canvas.marked = list(nodes)

    def look_at(self, node: int | None) -> None:
        """Show which node is looked at; a page cannot."""
        if self.is_live:
            self.canvas.look_at(node)


def still_picture(view: TagView) -> Image.Image:
    """Draw the most frequent tags of a graph that is not empty, in any thread; about 60 KB as PNG."""
    figure = blank_figure(STILL_WIDTH / _STILL_DPI, 0.62 * STILL_WIDTH / _STILL_DPI, _STILL_DPI)
    draw_on(figure, choose_drawing(view.graph, min(_MOST_IN_STILL, view.settings.max_nodes)))
    return drawn(figure).quantize(_STILL_COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
