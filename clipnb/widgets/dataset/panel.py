"""`clipnb.dataset_panel()`: the captions of a folder of images, looked at, searched, edited together. Binds widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ipywidgets as w
import traitlets
from PIL import Image

from clipnb import html
from clipnb.errors import ConfigError, counted, printable
from clipnb.images import open_image
from clipnb.models.captioner import Captioner
from clipnb.models.encoder import DualEncoder
from clipnb.prompts.caption_preview import Preview
from clipnb.prompts.caption_set import CaptionSet
from clipnb.runner import RunState
from clipnb.widgets.common.controls import header, tabs
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.toolbar import Toolbar
from clipnb.widgets.dataset.edit_tab import SCOPES, DescribeTab, EditTab
from clipnb.widgets.dataset.filters import FilterRow, TagList
from clipnb.widgets.dataset.grid import Tile, make_grid
from clipnb.widgets.dataset.image_tab import ImageTab
from clipnb.widgets.dataset.job import Stage
from clipnb.widgets.dataset.session import DatasetSession, Filter, skipped_words

_IMAGE, _TAGS, _EDIT = 0, 1, 2  # places of the tabs
_LONGEST = 60  # characters of what is being done


class DatasetPanel(Panel):
    """Shows images with their captions, and edits these.

    Attributes:
        session: the captions, and what is done with them.
        place: field for the folder.
        open_place: opens it.
        toolbar: `save`, `undo`, `discard`, `stop`.
        filters: which images are shown.
        grid: the images.
        image_tab, tag_list, edit_tab, describe_tab: what is beside them.
        tabs: these four.
        shown: keys of the images that are shown: their places in `session.images`.
        chosen: key of the image that is looked at, or None.
        tag: the one tag that is looked for, or ""; setting it shows the images that have it.
        prompt: caption of the image that is looked at.
        picture: that image; None when there is none.
    """

    called = "dataset panel"
    gives = MappingProxyType({"picture": "picture", "prompt": "prompt"})
    takes = MappingProxyType({"tag": "tag"})
    tag: Any = traitlets.Unicode()
    prompt: Any = traitlets.Unicode()

    def __init__(
        self,
        folder: str | Path | None,
        encoder: DualEncoder | None,
        captioner: Captioner | None,
        encoding: str | None,
        in_thread: bool | None,
        scrolling: bool | None,
    ) -> None:
        """See `dataset_panel`."""
        super().__init__()
        self.session = DatasetSession(
            self._hear_stage,
            self._hear_state,
            encoder=encoder,
            captioner=captioner,
            encoding=encoding,
            in_thread=in_thread,
        )
        self.shown: list[int] = []
        self.chosen: int | None = None
        self._images: tuple[str, ...] = ()
        self.place = w.Text(value="" if folder is None else str(folder), placeholder="folder of the images; Enter")
        self.place.layout.width, self.place.layout.flex = "auto", "1 1 260px"
        again = "read this folder, again if it is open already"
        self.open_place = self.button("Open", "folder-open", again, lambda: self._open(self.place.value.strip()))
        self._status = w.HTML()
        self.toolbar = Toolbar(
            {
                "save": self.button("Save", "save", "write the captions that were changed", self.session.save),
                "undo": self.button("Undo", "undo", "take the newest edit back, or the last save", self.session.undo),
                "discard": self.button("Discard", "trash", "take all edits back since Save", self.session.discard),
                "stop": self.button("Stop", "stop", "what was described stays", self.session.stop, at_once=True),
            }
        )
        self.toolbar["save"].add_class("clipnb-main")
        self.filters = FilterRow(self, self._refilter)
        self._amount = w.HTML()
        self.grid = make_grid(self, self._tile, self.look_at, scrolling)
        self.image_tab = ImageTab(self, self._keep)
        self.tag_list = TagList(self, self._look_for, self._join)
        self.edit_tab = EditTab(self, self._edit)
        names = encoder.name if encoder else None, captioner.name if captioner else None
        self.describe_tab = DescribeTab(self, self._describe, *names)
        beside: dict[str, Any] = {
            "Image": self.image_tab,
            "Tags": self.tag_list,
            "Edit": self.edit_tab,
            "Describe": self.describe_tab,
        }
        self.tabs = tabs({name: part.widget for name, part in beside.items()})
        self.tabs.selected_index = _TAGS
        self.children = self._laid_out()
        self.add_class("clipnb-dataset")
        self.on_enter(self.place, self._open)
        self.observe(lambda change: self.hand_over(lambda: self._take_tag(change["new"])), "tag")
        self._show()
        self.session.on_advice = self.show_notice
        if folder is not None:
            self.attempt(lambda: self.session.open(folder))

    async def ready(self) -> CaptionSet:
        """Wait until what was asked for is done, in a cell: `captions = await panel.ready()`.

        Returns:
            The captions as they are now, edits that are not saved included.

        Raises:
            ClipnbError: whatever kept it from being done; or there is no folder yet.
        """
        await self.session.finished()
        if self.session.captions is None:
            raise ConfigError("there is no folder yet; name one in dataset_panel()")
        return self.session.captions

    def look_at(self, key: int) -> None:
        """Show an image larger, with its caption."""
        self.chosen = key
        self.tabs.selected_index = _IMAGE
        self._show_chosen()

    @property
    def picture(self) -> Image.Image | None:
        return None if self.chosen is None else open_image(self.session.path(self.chosen))

    def _laid_out(self) -> list[Any]:
        head = header("dataset", self.place, self.open_place, self._status)
        left = w.VBox([self._amount, self.grid.widget]).add_class("clipnb-left")
        body = w.HBox([left, w.VBox([self.tabs]).add_class("clipnb-right")]).add_class("clipnb-body")
        parts = [self.toolbar.widget, self.message, self.filters.widget, body, self.links]
        return [self.hidden("dataset.css"), head, *parts]

    # what is asked for

    def _open(self, folder: str) -> None:
        self.session.open(folder)

    def _keep(self, text: str) -> None:
        if self.chosen is not None:
            self.session.set_caption(self.chosen, text)

    def _edit(self, kind: str, texts: Sequence[str], scope: str) -> None:
        shown, every, _ = SCOPES
        keys = self.shown if scope == shown else range(len(self.session.images)) if scope == every else self._one()
        self.session.edit(kind, texts, keys)

    def _one(self) -> list[int]:
        if self.chosen is None:
            raise ConfigError("no image is chosen; click one")
        return [self.chosen]

    def _describe(self) -> None:
        self.session.describe(self._bare(), self.describe_tab.chosen)

    def _bare(self) -> list[int]:
        return [key for key in self.shown if not self.session.text(key).strip()]

    # which images

    def _look_for(self, tag: str) -> None:
        self.filters.set(Filter(every=(tag,)))

    def _take_tag(self, tag: str) -> None:
        if tag != self._only_tag():
            self.filters.set(Filter(every=(tag,) if tag else ()))

    def _only_tag(self) -> str:
        chosen = self.filters.filter
        return chosen.every[0] if len(chosen.every) == 1 and chosen == Filter(every=chosen.every) else ""

    def _join(self, field: str, tag: str) -> None:
        chosen = self.filters.filter
        more: dict[str, Any] = {field: (*getattr(chosen, field), tag)}
        self.filters.set(replace(chosen, **more))

    def _refilter(self) -> None:
        self._show_images()
        self.tag = self._only_tag()
        self.tag_list.choose(self.tag)

    # what the session reports, perhaps in a thread

    def _hear_stage(self, stage: Stage) -> None:
        if stage.word:
            self.hand_over(lambda: self._show_progress(stage))
        else:
            self.hand_over(lambda: self._show_end(stage))

    def _hear_state(self) -> None:
        self.hand_over(self._show_state)

    # what is shown of it

    def _tile(self, key: int) -> Tile:
        session = self.session
        image = session.images[key]
        return Tile(session.path(key), image, session.text(key) or None, changed=image in session.unsaved)

    def _show_progress(self, stage: Stage) -> None:
        word = html.cut(printable(stage.word), _LONGEST)
        self.toolbar.show_progress(
            stage.done, stage.total, f"{word}: {stage.done:,} of {stage.total:,}" if stage.total else word
        )

    def _show_end(self, stage: Stage) -> None:
        if stage.said:
            self.show_notice(stage.said)
        if stage.skipped:
            self.show_problem(skipped_words(stage.skipped), below=True)
        self._show(stage.preview)

    def _show_state(self) -> None:
        session = self.session
        self._allow()
        if session.state.is_over:
            self.toolbar.show_progress(session.state is RunState.DONE, 1, "")
        if (error := session.error) is not None:
            self._show()
            self.show_problem(error)

    def _allow(self) -> None:
        session, unsaved = self.session, len(self.session.unsaved)
        allowed = {"save": unsaved, "discard": unsaved, "undo": session.captions is not None}
        may = ["stop"] if session.is_on else [name for name, is_allowed in allowed.items() if is_allowed]
        self.toolbar.show_state(session.state, may)
        self.toolbar["save"].description = f"Save {unsaved:,}" if unsaved else "Save"
        self.toolbar["undo"].description = f"Undo: {session.edits[-1].name}" if session.edits else "Undo save"

    def _show(self, preview: Preview | None = None) -> None:
        session = self.session
        if self._images is not session.images:
            self._images, self.chosen = session.images, None
            self.grid.begin(len(session.images))
        if session.captions is not None:
            tags = counted(len(session.counts), "tag")
            facts = f"{len(session.images):,} images · {len(session.captions):,} captions · {tags}"
            self._status.value = html.plain(facts)
        self._allow()
        self._show_images()
        self.tag_list.show(session.counts, self._only_tag())
        self.edit_tab.show(preview)
        if preview and len(preview) > 1:
            self.tabs.selected_index = _EDIT
        self._show_chosen()

    def _show_images(self) -> None:
        self.shown = self.session.find(self.filters.filter)
        total = len(self.session.images)
        words = f"{len(self.shown):,} of {total:,} images" if len(self.shown) != total else f"{total:,} images"
        empty = "No image fits the filter." if total else "No images yet: open a folder above."
        self._amount.value = html.caption(words if self.shown else empty)
        self.grid.show(self.shown)
        self.describe_tab.show(len(self._bare()))

    def _show_chosen(self) -> None:
        key, session = self.chosen, self.session
        self.grid.choose(key)
        self.prompt = "" if key is None else session.text(key)
        if key is None:
            self.image_tab.show(None, "", "", unsaved=False)
        else:
            name = session.images[key]
            self.image_tab.show(session.path(key), name, self.prompt, unsaved=name in session.unsaved)


def dataset_panel(
    folder: str | Path | None = None,
    *,
    encoder: DualEncoder | None = None,
    captioner: Captioner | None = None,
    encoding: str | None = None,
    in_thread: bool | None = None,
    scrolling: bool | None = None,
) -> DatasetPanel:
    """Open the panel of a folder of images with captions; as the last expression of a cell it is shown.

    Images are shown with the captions of the files beside them. They are found by tags, words or lack of a caption;
    captions are edited one by one or together, or made by an interrogator. Nothing is written before Save, which Undo
    takes back; images are never changed. `clipnb.connect(tag_panel, dataset_panel)` shows the images of the tag that is
    clicked in a graph.

    Args:
        folder: of the images, folders in it included; it can be chosen in the panel too.
        encoder: describes images, instead of a model by name.
        captioner: likewise.
        encoding: of captions that are no UTF-8, such as `cp1252`.
        in_thread: whether work has a thread of its own (True) or shares the kernel's event loop (False); by default
            what suits the host.
        scrolling: whether images are in a grid that scrolls (True) or on pages of plain widgets (False); by default
            whether `anywidget` is here and the host loads it.

    Returns:
        The panel, an ipywidget. Its `tag` and `prompt` are traits; `await panel.ready()` returns the `CaptionSet`.
        The panel shows why a folder cannot be read.

    >>> dataset_panel().shown
    []
    """
    return DatasetPanel(folder, encoder, captioner, encoding, in_thread, scrolling)
