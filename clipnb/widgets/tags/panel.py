"""`clipnb.tag_panel()`: a collection of prompts under a person's eyes. Binds controls to a session, nothing else."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ipywidgets as w
import traitlets

from clipnb import html
from clipnb.errors import ClipnbError
from clipnb.tags.graph import find_tag
from clipnb.tags.view import TagSettings, TagView
from clipnb.widgets.common.frontend import style
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.save_tab import SaveAction, SaveTab
from clipnb.widgets.common.still import Still
from clipnb.widgets.tags.composition import Composition
from clipnb.widgets.tags.details import TagDetails
from clipnb.widgets.tags.graph import TagGraph
from clipnb.widgets.tags.inputs import PromptChooser
from clipnb.widgets.tags.options import GraphControls
from clipnb.widgets.tags.prompt_builder import PromptBuilder
from clipnb.widgets.tags.search import TagSearch
from clipnb.widgets.tags.session import Stage, TagSession
from clipnb.widgets.tags.source import Given, Source, source_of
from clipnb.widgets.tags.still import STILL_WIDTH, still_picture

_TAG, _PROMPTS = 0, 1  # places of the tabs
_FILES = {
    "tags.json": "Graph as JSON",
    "tags.html": "Page",
    "tags.png": "Picture",
    "tags.graphml": "GraphML",
    "tags.csv": "Counts as CSV",
}


class TagPanel(Composition, Panel):
    """Shows a collection's tags as a graph, tells what goes with what, and builds a prompt of tags.

    Attributes:
        session: what is looked at, and how it is made.
        graph: the graph.
        details: the tag that is looked at, or what a search found.
        choosing: where prompts come from.
        controls: thresholds, weight, communities.
        save_tab: what is saved.
        builder: the prompt that is being built.
        search: finds tags.
        tag: name of the tag that is looked at, or ""; setting it looks at another.
        selected, subject, prompt: the prompt that is being built; see `Composition`.
    """

    called = "tag panel"
    gives = MappingProxyType({"prompt": "prompt"})
    takes = MappingProxyType({"prompt": "prompt"})
    tag: Any = traitlets.Unicode()

    def __init__(
        self, given: Given, settings: TagSettings, *, in_thread: bool | None = None, live_graph: bool | None = None
    ) -> None:
        """See `tag_panel`."""
        super().__init__()
        source = source_of(given)
        self._still, self._writing = Still(STILL_WIDTH), False
        self.session = TagSession(self._hear_stage, self._hear_state, settings=settings, in_thread=in_thread)
        self.graph = TagGraph(self._look_at_node, self._pick, live_graph)
        self.details = TagDetails(self._look_at, self._add, self.toggle, live=self.graph.is_live)
        self.choosing = PromptChooser(self.session.reading, self._choose, self.session.reread, self)
        self.controls = GraphControls(settings, lambda new: self.guarded(lambda: self.session.change(new)))
        hint = "The files hold the whole graph; page and picture, what is drawn of it."
        self.save_tab = SaveTab(
            self, {label: SaveAction("save", partial(self._save, n)) for n, label in _FILES.items()}, hint
        )
        self.builder = PromptBuilder(partial(setattr, self), self._look_at, self.links)
        self.search = TagSearch(self._find, self._look_at_first)
        self._lamp, self._tabs = w.HTML(), w.Tab(layout={"width": "100%"})
        self.children = self._laid_out()
        self.add_class("clipnb-tags")
        self.observe(self._show_tag, "tag")
        self.observe(lambda _: self._show_prompt(), ("selected", "subject", "prompt"))
        self._show_prompt()
        if source != Source():
            self._choose(source)
        else:
            self._tabs.selected_index = _PROMPTS

    async def ready(self) -> TagView:
        """Wait until what was asked for is there, in a cell: `view = await panel.ready()`.

        Returns:
            Counts, graph and drawing.

        Raises:
            ClipnbError: whatever kept it from being made; or no prompts were given yet.
        """
        while self.session.is_on:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0)  # what was handed over is shown
        if self.session.error is not None:
            raise self.session.error
        if self.session.view is None:
            raise ClipnbError("there are no prompts yet; choose some, or give them to tag_panel()")
        return self.session.view

    def _laid_out(self) -> list[Any]:
        self._tabs.children = [self.details.widget, self.choosing.widget, self.controls.widget, self.save_tab.widget]
        for place, title in enumerate(("Tag", "Prompts", "Graph", "Save")):
            self._tabs.set_title(place, title)
        title = w.HTML('<span class="clipnb-title">clipnb<small>tags</small></span>')
        head = w.HBox([title, self.search.field, self._lamp]).add_class("clipnb-row").add_class("clipnb-head")
        right = w.VBox([self._tabs]).add_class("clipnb-right")
        body = w.HBox([self.graph.widget, right]).add_class("clipnb-body")
        return [style("tags.css"), head, self.message, body, self.builder.widget]

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Show the panel, and below it a picture of the graph, which stays in a saved notebook."""
        super()._ipython_display_(**kwargs)
        if self.session.view is not None and not self.session.is_on:
            self._put_still(self.session.view)

    def _choose(self, source: Source) -> None:
        self.session.read(source, self.choosing.reading.reading)

    def _save(self, name: str, folder: Path) -> list[Path]:
        return [self.session.save(folder / name)]

    # what the session says, perhaps in a thread

    def _hear_stage(self, stage: Stage) -> None:
        self.hand_over(lambda: self._show_stage(stage))
        if stage.view is not None:
            self._put_still(stage.view)  # takes its time, which the thread that hears clicks does not have

    def _hear_state(self) -> None:
        self.hand_over(self._mirror)

    # what is shown of it

    def _show_stage(self, stage: Stage) -> None:
        self._lamp.value = html.busy(stage.word) if stage.view is None else self._origin(stage.view)
        if stage.view is None:
            return
        view = stage.view
        if self.tag and view.node_of(self.tag) is None:
            self.tag = ""
        self.graph.show(view, view.nodes_of(self.selected), view.node_of(self.tag))
        self._show_details()
        self._show_prompt()

    def _origin(self, view: TagView) -> str:
        return html.plain(f"{self.session.origin} · {len(view.counts):,} tags, {len(view.graph):,} in the graph")

    def _mirror(self) -> None:
        """Say what went wrong."""
        error = self.session.error
        if error is not None:
            view = self.session.view
            self._lamp.value = "" if view is None else self._origin(view)
            self.message.value = html.problem(html.error_text(error))

    def _put_still(self, view: TagView) -> None:
        if len(view.graph):
            self._still.put(still_picture(view), f"graph of the {len(view.drawing.graph):,} most frequent tags")

    # looking

    def _look_at_node(self, node: int | None) -> None:
        view = self.session.view
        self._look_at("" if view is None or node is None else view.name_of(node))

    def _look_at(self, tag: str) -> None:
        self.guarded(lambda: self.set_trait("tag", tag))

    @traitlets.validate("tag")
    def _known(self, proposal: dict[str, Any]) -> str:
        """Take the graph's spelling; say which tags are near when it has none such."""
        tag, view = str(proposal["value"]).strip(), self.session.view
        return view.name_of(find_tag(view.graph, tag)) if tag and view is not None and len(view.graph) else tag

    def _show_tag(self, change: dict[str, Any]) -> None:
        view = self.session.view
        self.graph.look_at(None if view is None else view.node_of(change["new"]))
        self._show_details()
        if change["new"]:
            self._tabs.selected_index = _TAG

    def _show_details(self) -> None:
        view = self.session.view
        known = view is not None and self.tag and view.node_of(self.tag) is not None
        self.details.show(view.about(self.tag) if view is not None and known else None, self.session.settings.weight)
        self.details.mark(in_prompt=self.tag in self.selected)

    def _find(self, text: str) -> None:
        view = self.session.view
        if view is None or not text:
            self._show_details()
            return
        self.details.show_found(view.matching(text))
        self._tabs.selected_index = _TAG

    def _look_at_first(self, text: str) -> None:
        found = [] if self.session.view is None else self.session.view.matching(text, 1)
        self._look_at(found[0].tag if found else text)
        self._show_details()

    # the prompt

    def spelling(self, tag: str) -> str | None:
        """Give the graph's spelling of a tag, in any case; None when it does not have the tag."""
        view = self.session.view
        node = None if view is None else view.node_of(tag)
        return None if view is None or node is None else view.name_of(node)

    def _add(self, tag: str) -> None:
        self.selected = [*self.selected, tag]

    def _pick(self, node: int) -> None:
        if self.session.view is not None:
            self.toggle(self.session.view.name_of(node))

    def _show_prompt(self) -> None:
        view = self.session.view
        self.builder.show(self.subject, self.selected, self.prompt)
        self.builder.suggest([] if view is None else view.suggestions(self.selected, 8))
        self.graph.mark([] if view is None else view.nodes_of(self.selected))
        self.details.mark(in_prompt=self.tag in self.selected)


def tag_panel(
    prompts: Given = None,
    *,
    min_count: int = 1,
    min_edge: int = 1,
    top: int = 2_000,
    max_nodes: int = 100,
    weight: str = "strength",
    method: str = "auto",
    backbone: float | None = None,
    in_thread: bool | None = None,
    live_graph: bool | None = None,
) -> TagPanel:
    """Open the panel of a tag graph; as the last expression of a cell it is shown.

    Everything but the last two can be changed in the panel, and prompts can be chosen, uploaded or pasted there.

    Args:
        prompts: a list of prompts, a path (file, folder, glob) or several, `TagCounts`, or None.
        min_count: leave out tags that occur less often.
        min_edge: leave out pairs that fewer prompts have.
        top: tags in the graph at most, the most frequent ones.
        max_nodes: tags drawn at most.
        weight: the measure of pairs, by which neighbours are ordered, such as `count`, `strength` or `npmi`.
        method: how communities are found: `auto`, `louvain`, `propagation`.
        backbone: keep only pairs that stand out at this significance, such as 0.05; None keeps all.
        in_thread: whether work has a thread of its own (True) or shares the kernel's event loop (False); by default
            what suits the host.
        live_graph: whether the graph is a widget that talks back (True) or a page in a frame (False); by default
            whether `anywidget` is here and the host loads it.

    Returns:
        The panel, an ipywidget. Its `prompt`, `selected` and `tag` are traits.

    Raises:
        TagsError: an unknown measure or way of grouping, or a limit out of its range.
        PromptsError: prompts that are no texts. Files that cannot be read are told in the panel.
    """
    settings = TagSettings(min_count, min_edge, top, max_nodes, weight, method, backbone)
    return TagPanel(prompts, settings, in_thread=in_thread, live_graph=live_graph)
