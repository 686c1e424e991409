"""`clipnb.tag_panel()`: the graph of a collection of prompts, to look at and to build prompts from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ipywidgets as w
import traitlets

from clipnb import html
from clipnb.errors import ClipnbError, counted, shortened
from clipnb.tags.view import TagSettings, TagView
from clipnb.widgets.common.controls import header, tabs
from clipnb.widgets.common.save_tab import SaveAction, SaveTab
from clipnb.widgets.common.still import Still
from clipnb.widgets.tags.details import TagDetails, small_pictures
from clipnb.widgets.tags.graph import STILL_WIDTH, TagGraph, still_picture
from clipnb.widgets.tags.inputs import PromptChooser
from clipnb.widgets.tags.options import GraphControls
from clipnb.widgets.tags.prompt_builder import PromptBuilder, PromptPanel
from clipnb.widgets.tags.session import Given, Source, Stage, TagSession, source_of

_TAG, _PROMPTS = 0, 1  # places of the tabs
_FILES = {
    "tags.json": "Graph as JSON",
    "tags.html": "Page",
    "tags.png": "Picture",
    "tags.graphml": "GraphML",
    "tags.csv": "Counts as CSV",
}


class TagPanel(PromptPanel):
    """Shows a collection's tags as a graph and what goes with what, and builds a prompt of tags.

    Attributes:
        session: what is looked at, and how it is made.
        graph: the graph.
        details: the tag that is looked at, or what a search found.
        inputs: where prompts come from, and how they are read.
        options: thresholds, weight, communities.
        save_tab: saves files.
        builder: the prompt that is being built.
        search: finds tags.
        status: HTML of what is being done, or of what is looked at.
        tabs: what is beside the graph.
        tag: name of the tag that is looked at, or ""; setting it looks at another.
        selected, subject, prompt: the prompt that is being built; see `PromptPanel`.
    """

    called = "tag panel"
    gives = MappingProxyType({"prompt": "prompt", "tag": "tag"})
    takes = MappingProxyType({"prompt": "prompt"})
    tag: Any = traitlets.Unicode()

    def __init__(
        self, given: Given, settings: TagSettings, *, in_thread: bool | None = None, live_graph: bool | None = None
    ) -> None:
        """See `tag_panel`."""
        super().__init__()
        source = source_of(given)
        self._still = Still(STILL_WIDTH)
        self.session = TagSession(self._hear_stage, self._hear_state, settings, in_thread=in_thread)
        self.graph = TagGraph(self, self._look_at_node, self._pick, live_graph)
        self.details = TagDetails(self, live=self.graph.is_live)
        self.inputs = PromptChooser(self, self._choose, self.session.reread)
        self.options = GraphControls(self, settings, self.session.change)
        hint = "The files hold the whole graph; page and picture, what is drawn of it."
        actions = {label: SaveAction("save", partial(self._save, name)) for name, label in _FILES.items()}
        self.save_tab = SaveTab(self, actions, hint)
        self.builder = PromptBuilder(self)
        self.search = w.Text(placeholder="find a tag", layout={"width": "auto", "flex": "1 1 200px"})
        self.status = w.HTML()
        self.tabs = tabs(
            {
                "Tag": self.details.widget,
                "Prompts": self.inputs.widget,
                "Graph": self.options.widget,
                "Save": self.save_tab.widget,
            }
        )
        right = w.VBox([self.tabs]).add_class("clipnb-right")
        body = w.HBox([self.graph.widget, right]).add_class("clipnb-body")
        head = header("tags", self.search, self.status)
        self.children = [self.hidden("tags.css"), head, self.message, body, self.builder.widget]
        self.add_class("clipnb-tags")
        self.on_value(self.search, self._find)
        self.on_enter(self.search, self._look_at_first)
        self.observe(self._show_tag, "tag")
        self.observe(lambda _: self._show_prompt(), ("selected", "subject", "prompt"))
        self._show_prompt()
        if source != Source():
            self._choose(source)
        else:
            self.tabs.selected_index = _PROMPTS

    async def ready(self) -> TagView:
        """Wait until what was asked for is there, in a cell: `view = await panel.ready()`.

        Returns:
            Counts, graph and drawing.

        Raises:
            ClipnbError: whatever kept it from being made; or there are no prompts yet.
        """
        await self.session.finished()
        if self.session.view is None:
            raise ClipnbError("there are no prompts yet; choose some, or name them in tag_panel()")
        return self.session.view

    def parts(self) -> Sequence[Any]:
        """Return the graph, whose clicks choose a tag."""
        return (self.graph.canvas,) if self.graph.is_live else ()

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Show the panel, and below it a picture of the graph, which stays in a saved notebook."""
        super()._ipython_display_(**kwargs)
        if self.session.view is not None and not self.session.is_on:
            self._put_still(self.session.view)

    def _choose(self, source: Source) -> None:
        self.session.read(source, self.inputs.reading)

    def _save(self, name: str, folder: Path) -> list[Path]:
        return [self.session.save(folder / name)]

    # what the session reports, perhaps in a thread

    def _hear_stage(self, stage: Stage) -> None:
        self.hand_over(lambda: self._show_stage(stage))
        if stage.view is not None:
            self._put_still(stage.view)  # takes its time, which the thread that hears clicks does not have

    def _hear_state(self) -> None:
        self.hand_over(self._show_error)

    # what is shown of it

    def _show_stage(self, stage: Stage) -> None:
        self.status.value = html.busy(stage.word) if stage.view is None else self._origin(stage.view)
        if stage.view is None:
            return
        view = stage.view
        if self.tag and view.node_of(self.tag) is None:
            self.tag = ""
        self.graph.show(view, view.nodes_of(self.selected), view.node_of(self.tag))
        self.inputs.show_report(self.session.prompts, view.counts)
        self._show_details()
        self._show_prompt()

    def _origin(self, view: TagView) -> str:
        read = f"{shortened(self.session.prompts.word, 120)} · {view.counts.dialect}"
        return html.plain(f"{read} · {counted(len(view.counts), 'tag')}, {len(view.graph):,} in the graph")

    def _show_error(self) -> None:
        if (error := self.session.error) is not None:  # looked at once: another run may begin meanwhile
            view = self.session.view
            self.status.value = "" if view is None else self._origin(view)
            self.show_problem(error)

    def _put_still(self, view: TagView) -> None:
        if len(view.graph):
            self._still.put(still_picture(view), f"graph of the {len(view.drawing.nodes):,} most frequent tags")

    # looking

    def look_at(self, tag: str) -> None:
        self.guarded(lambda: self.set_trait("tag", tag))

    def _look_at_node(self, node: int | None) -> None:
        view = self.session.view
        self.look_at("" if view is None or node is None else view.name_of(node))

    @traitlets.validate("tag")
    def _known(self, proposal: dict[str, Any]) -> str:
        """Use the graph's spelling; name the nearest tags when it has none such."""
        tag, view = str(proposal["value"]).strip(), self.session.view
        return view.name_of(view.graph.find(tag)) if tag and view is not None and len(view.graph) else tag

    def _show_tag(self, change: dict[str, Any]) -> None:
        view = self.session.view
        self.graph.look_at(None if view is None else view.node_of(change["new"]))
        self._show_details()
        if change["new"]:
            self.tabs.selected_index = _TAG

    def _show_details(self) -> None:
        view = self.session.view
        known = view is not None and self.tag and view.node_of(self.tag) is not None
        self.details.show(view.about(self.tag) if view is not None and known else None, self.session.settings.weight)
        self.details.mark(in_prompt=self.tag in self.selected)
        self.details.show_pictures([])
        paths = self.session.pictures_of(self.tag) if known else []
        if paths:
            tag = self.tag
            self.aside(lambda: (tag, small_pictures(paths)), self._show_pictures)

    def _show_pictures(self, found: tuple[str, list[bytes]]) -> None:
        tag, pictures = found
        if tag == self.tag:
            self.details.show_pictures(pictures)

    def _find(self, text: str) -> None:
        view = self.session.view
        if view is None or not text.strip():
            self._show_details()
            return
        self.details.show_found(view.matching(text.strip()))
        self.tabs.selected_index = _TAG

    def _look_at_first(self, text: str) -> None:
        if text:
            found = [] if self.session.view is None else self.session.view.matching(text, 1)
            self.look_at(found[0].tag if found else text)
            self._show_details()

    # the prompt

    def spelling(self, tag: str) -> str | None:
        view = self.session.view
        node = None if view is None else view.node_of(tag)
        return None if view is None or node is None else view.name_of(node)

    def _pick(self, node: int) -> None:
        if self.session.view is not None:
            self.toggle(self.session.view.name_of(node))

    def _show_prompt(self) -> None:
        view = self.session.view
        self.builder.show()
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
        prompts: a list of prompts, `Prompts`, a `CaptionSet`, a path (file, folder, glob) or several, `TagCounts`,
            or None. Of prompts that belong to pictures, some are shown beside a tag.
        min_count: leave out tags that occur less often.
        min_edge: leave out pairs that fewer prompts have.
        top: tags in the graph at most, the most frequent ones.
        max_nodes: tags drawn at most.
        weight: the measure of pairs, by which neighbours are ordered, such as `count`, `strength` or `npmi`.
        method: how communities are found: `auto`, `louvain`, `propagation`.
        backbone: keep only pairs that stand out at this significance, such as 0.05; None keeps all.
        in_thread: whether work has a thread of its own (True) or shares the kernel's event loop (False); by default
            what suits the host.
        live_graph: whether clicks in the graph reach Python (True) or a page in a frame (False); by default
            whether `anywidget` is here and the host loads it.

    Returns:
        The panel, an ipywidget. Its `prompt`, `selected` and `tag` are traits.

    Raises:
        TagsError: an unknown measure or way of grouping, or a limit out of its range.
        PromptsError: prompts that are no texts. The panel shows why files cannot be read.
    """
    settings = TagSettings(min_count, min_edge, top, max_nodes, weight, method, backbone)
    return TagPanel(prompts, settings, in_thread=in_thread, live_graph=live_graph)
