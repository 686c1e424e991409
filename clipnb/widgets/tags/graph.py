"""The graph in the panel: one that talks back, a page in a frame where such a widget does not load, or a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.tags.page import Page, graph_page
from clipnb.tags.view import TagView, why_empty
from clipnb.widgets.common.frontend import third_party_widgets_load

_HEIGHT = 490  # pixels


class TagGraph:
    """Shows what is drawn of a view.

    Attributes:
        widget: what to put into a panel.
        is_live: whether clicks in the graph reach Python.
        canvas: the graph.
        word: what stands in its place when there is nothing to draw.
    """

    def __init__(
        self, look: Callable[[int | None], None], pick: Callable[[int], None], live: bool | None = None
    ) -> None:
        """Take who is told about clicks (see `TagNetwork`), and whether a third-party widget loads here."""
        self.is_live = third_party_widgets_load() if live is None else live
        self.word = w.HTML().add_class("clipnb-word")
        if self.is_live:
            from clipnb.widgets.tags.network import TagNetwork

            self.canvas: Any = TagNetwork(look, pick)
        else:
            self.canvas = w.HTML()
        self.widget = w.VBox([self.word]).add_class("clipnb-left")
        self.show(None, [], None)

    def show(self, view: TagView | None, marked: list[int], looked: int | None) -> None:
        """Show another view; safe from any thread.

        Args:
            view: None when nothing was read yet.
            marked: nodes that are selected.
            looked: the node that is looked at.
        """
        empty = why_empty(view)
        self.word.value = html.notice(empty)
        if view is None or empty:
            self.widget.children = [self.word]
            return
        if self.is_live:
            self.canvas.draw(view.drawing, marked, looked)
        else:
            page = graph_page(view.drawing.graph, None, max_edges=view.drawing.graph.number_of_edges())
            self.canvas.value = Page(page, _HEIGHT)._repr_html_()
        self.widget.children = [self.canvas]

    def mark(self, nodes: list[int]) -> None:
        """Show which nodes are selected; a page cannot."""
        if self.is_live:
            self.canvas.mark(nodes)

    def look_at(self, node: int | None) -> None:
        """Show which node is looked at; a page cannot."""
        if self.is_live:
            self.canvas.look_at(node)
