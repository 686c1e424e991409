"""The dataset panel without a browser: what is shown, found, edited, saved, undone, and every mistake told."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import clipnb
from clipnb.errors import ClipnbError
from clipnb.models.captioner import CAPTIONERS
from clipnb.widgets.dataset.grid import PAGE, ScrollingGrid
from clipnb.widgets.dataset.panel import DatasetPanel
from clipnb.widgets.dataset.thumbnails import SIDE, ThumbnailLoader, thumbnail
from tests.widgets.dataset.conftest import make_images

CAPTIONS = {"a": "sks, red, hat", "b": "sks, Red", "c": None, "d": "a <b>dog</b>"}
Until = Callable[..., None]


def open_panel(folder: Path, **options: Any) -> DatasetPanel:
    panel = clipnb.dataset_panel(folder, in_thread=True, **{"scrolling": False, **options})
    done(panel)
    return panel


def done(panel: DatasetPanel) -> None:
    with suppress(ClipnbError):
        panel.session.join(60)


@pytest.fixture
def panel(tmp_path: Path) -> DatasetPanel:
    make_images(tmp_path, CAPTIONS)
    return open_panel(tmp_path)


def shown(panel: DatasetPanel) -> str:
    return "".join(panel.session.images[key][0] for key in panel.shown)


def press(panel: DatasetPanel, name: str) -> None:
    panel.toolbar[name].click()
    done(panel)


def edit(panel: DatasetPanel, kind: str, *texts: str, scope: str = "shown images") -> None:
    tab = panel.edit_tab
    tab.kind.value, tab.scope.value = kind, scope
    for field, text in zip(tab.fields, texts, strict=False):
        field.value = text
    tab.apply.click()
    done(panel)


def test_tags_are_counted_and_filter_the_images(panel: DatasetPanel) -> None:
    assert shown(panel) == "abcd"
    assert dict(panel.session.counts) == {"sks": 2, "red": 2, "hat": 1, "a <b>dog</b>": 1}
    panel.tag_list.list.value = "red"
    assert (shown(panel), panel.tag) == ("ab", "red")
    panel.tag_list.list.value = "red"
    panel.tag = "hat"
    assert (shown(panel), panel.tag_list.list.value) == ("a", "hat")
    panel.tag_list.joins["none"].click()
    assert (shown(panel), panel.tag) == ("", "")
    panel.filters.clear.click()
    panel.filters.fields["some"].value = "hat, A <B>dog</B>"
    assert shown(panel) == "ad"
    panel.filters.fields["text"].value = "DOG"
    assert shown(panel) == "d"
    panel.filters.clear.click()
    panel.filters.bare.value = True
    assert shown(panel) == "c"
    panel.tag = ""
    panel.tag_list.search.value = "ha"
    assert [value for _, value in panel.tag_list.list.options] == ["hat"]


def test_edits_are_previewed_saved_and_undone(panel: DatasetPanel, tmp_path: Path) -> None:
    panel.tag = "red"
    edit(panel, "replace a tag", "red", "blue")
    assert "2 captions change" in panel.edit_tab.widget.children[-1].value
    assert (tmp_path / "a.txt").read_text() == "sks, red, hat"
    assert panel.toolbar["save"].description == "Save 2"
    press(panel, "save")
    assert ((tmp_path / "a.txt").read_text(), (tmp_path / "b.txt").read_text()) == ("sks, blue, hat", "sks, blue")
    press(panel, "undo")
    assert ((tmp_path / "a.txt").read_text(), (tmp_path / "b.txt").read_text()) == ("sks, red, hat", "sks, Red")
    edit(panel, "append tags", "new", scope="all images")
    edit(panel, "remove tags", "sks", scope="all images")
    assert panel.toolbar["undo"].description == "Undo: remove tags"
    press(panel, "undo")
    assert panel.session.text(0) == "sks, red, hat, new"
    press(panel, "undo")
    assert (panel.session.text(2), panel.session.unsaved) == ("", frozenset())
    edit(panel, "sort tags", scope="all images")
    press(panel, "discard")
    assert panel.session.text(0) == "sks, red, hat"
    assert sorted(path.name for path in tmp_path.glob("*.txt")) == ["a.txt", "b.txt", "d.txt"]


def test_undo_forgets_what_was_kept_in_front(panel: DatasetPanel) -> None:
    edit(panel, "keep tags in front", "sks", scope="all images")
    press(panel, "undo")
    edit(panel, "sort tags", scope="all images")
    assert panel.session.text(0) == "hat, red, sks"


def test_what_is_undone_leaves_images_without_a_caption(panel: DatasetPanel) -> None:
    captions = panel.session.captions
    assert captions is not None
    before = len(captions)
    edit(panel, "append tags", "new", scope="all images")
    press(panel, "undo")
    assert (len(captions), captions.without_caption) == (before, ("c.png",))


def test_one_caption_is_written_by_hand(panel: DatasetPanel, tmp_path: Path) -> None:
    panel.grid.buttons[2].click()
    assert (panel.chosen, panel.image_tab.text.value) == (2, "")
    panel.image_tab.text.value = "by hand"
    panel.image_tab.keep.click()
    done(panel)
    assert panel.prompt == "by hand"
    press(panel, "save")
    assert (tmp_path / "c.txt").read_text() == "by hand"
    assert panel.picture is not None
    assert panel.picture.size == (64, 48)


def test_what_another_program_changed_is_left_alone_and_told(panel: DatasetPanel, tmp_path: Path) -> None:
    edit(panel, "remove tags", "sks", scope="all images")
    (tmp_path / "a.txt").write_text("theirs")
    press(panel, "save")
    assert (tmp_path / "a.txt").read_text() == "theirs"
    assert (tmp_path / "b.txt").read_text() == "Red"
    assert "a.txt" in panel.message.value
    assert "left alone" in panel.message.value


def test_mistakes_are_told_in_words(panel: DatasetPanel, tmp_path: Path) -> None:
    edit(panel, "remove tags", "")
    assert "no tags are named" in panel.message.value
    edit(panel, "remove tags", "sks", scope="the chosen image")
    assert "no image is chosen" in panel.message.value
    edit(panel, "remove tags", "sks")
    panel.open_place.click()
    assert "2 captions not saved yet" in panel.message.value
    press(panel, "discard")
    panel.place.value = str(tmp_path / "missing")
    panel.open_place.click()
    done(panel)
    assert "there is no folder" in panel.message.value
    assert shown(panel) == "abcd", "what was open stays"
    with pytest.raises(ClipnbError, match="no folder yet"):
        asyncio.run(clipnb.dataset_panel().ready())


def test_a_folder_without_any_caption_is_shown_and_edited(tmp_path: Path) -> None:
    make_images(tmp_path, {"a": None, "b": None})
    panel = open_panel(tmp_path)
    assert panel.session.path(1) == tmp_path / "b.png"
    edit(panel, "append tags", "new", scope="all images")
    assert panel.session.text(1) == "new"


def test_hostile_captions_are_escaped(tmp_path: Path) -> None:
    make_images(tmp_path, {"x": "<script>x</script>, \x1b[31m"})
    panel = open_panel(tmp_path)
    edit(panel, "append tags", "<img src=x>")
    shown_html = panel.edit_tab.widget.children[-1].value
    assert "&lt;script&gt;" in shown_html
    assert not {"<script>", "<img", "\x1b"} & {part for part in ("<script>", "<img", "\x1b") if part in shown_html}


def test_images_without_caption_are_described(tiny: Any, tmp_path: Path) -> None:
    make_images(tmp_path, {"a": "kept", "b": None})
    (tmp_path / "c.png").write_bytes(b"no image")
    panel = open_panel(tmp_path, encoder=tiny)
    assert panel.describe_tab.start.description == "Describe 2 images without caption"
    panel.describe_tab.front.value = "sks"
    panel.describe_tab.start.click()
    done(panel)
    assert panel.session.text(1).startswith("sks, ")
    assert panel.session.text(0) == "kept"
    assert "c.png" in panel.message.value
    press(panel, "undo")
    assert panel.session.unsaved == frozenset()


def test_a_captioner_is_told_what_to_write(tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Says:
        def __init__(self, device: Any, instruction: str = "nothing", **options: Any) -> None:
            self.name, self.device, self.instruction = "says", device, instruction

        def prepare(self, image: Any) -> Any:
            return image

        def caption(self, images: Any) -> list[str]:
            return [f"told {self.instruction}" for _ in images]

    monkeypatch.setitem(CAPTIONERS, "says", Says)
    make_images(tmp_path, {"a": None, "b": "kept"})
    panel = open_panel(tmp_path, encoder=tiny)
    tab = panel.describe_tab
    tab.mode.value, tab.instruction.value = "caption", "the light"
    assert tab.chosen.instruction is None, "it is of a captioner, and none is named"
    tab.captioner.value = "says"
    tab.start.click()
    done(panel)
    assert panel.session.text(0) == "told the light"
    press(panel, "undo")
    tab.instruction.value = ""
    tab.start.click()
    done(panel)
    assert panel.session.text(0) == "told nothing"


def test_pages_show_all_images(tmp_path: Path) -> None:
    make_images(tmp_path, {f"{number:03d}": str(number) for number in range(PAGE + 5)})
    panel = open_panel(tmp_path)
    panel.grid.after.click()
    panel.grid.buttons[4].click()
    assert (panel.chosen, panel.prompt, panel.grid.after.disabled) == (PAGE + 4, str(PAGE + 4), True)


def test_a_browser_gets_what_it_asks_for_and_nothing_else(tmp_path: Path, until: Until) -> None:
    pytest.importorskip("anywidget")
    make_images(tmp_path, CAPTIONS)
    panel = open_panel(tmp_path, scrolling=True)
    grid, sent = panel.grid, []
    assert isinstance(grid, ScrollingGrid)
    grid.send = lambda content, buffers=None: sent.append((content, buffers))
    asked = {"event": "need", "opening": grid.opening, "tiles": [0, 2, 99, -1], "pictures": [1, 99]}
    grid.receive(asked)
    until(lambda: len(sent) == 2)
    assert [row[:3] for row in sent[0][0]["tiles"]] == [(0, "a.png", "sks, red, hat"), (2, "c.png", "no caption")]
    assert (sent[1][0]["key"], sent[1][1][0][:2]) == (1, b"\xff\xd8")
    for wrong in (None, {}, {**asked, "opening": 99}, {**asked, "tiles": "0"}, {**asked, "tiles": [0] * 5000}, []):
        grid.receive(wrong)
    grid.receive({"event": "look", "opening": grid.opening, "key": 99})
    assert (len(sent), panel.chosen) == (2, None)
    grid.receive({"event": "look", "opening": grid.opening, "key": 1})
    assert panel.chosen == 1


def test_thumbnails_are_kept_until_the_image_changes(tmp_path: Path) -> None:
    make_images(tmp_path, {"a": None}, size=(4000, 10))
    first = thumbnail(tmp_path / "a.png")
    assert clipnb.open_image(first).size == (SIDE, 1)
    assert thumbnail(tmp_path / "a.png") == first
    make_images(tmp_path, {"a": None}, size=(10, 10))
    assert clipnb.open_image(thumbnail(tmp_path / "a.png")).size == (10, 10)


def test_the_cache_of_thumbnails_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.widgets.dataset.thumbnails.MOST_IN_A_FOLDER", 2)
    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path / "cache"))
    make_images(tmp_path, {"a": None})
    for second in range(600):
        os.utime(tmp_path / "a.png", (second, second))
        thumbnail(tmp_path / "a.png")
    folders = [len(list(folder.iterdir())) for folder in (tmp_path / "cache" / "thumbnails").iterdir()]
    assert max(folders) <= 2
    assert sum(folders) > 200


def test_thumbnails_that_are_no_longer_wanted_are_dropped(tmp_path: Path, until: Until) -> None:
    make_images(tmp_path, {f"{number:03d}": None for number in range(200)})
    paths = sorted(tmp_path.glob("*.png"))
    held, found = threading.Event(), []

    def take(place: tuple[int, int], _: bytes | str) -> None:
        held.wait()
        found.append(place[1])

    loader = ThumbnailLoader(take)
    loader.ask([((1, number), path) for number, path in enumerate(paths[:190])])
    loader.ask([((1, number), paths[number]) for number in (198, 199)])
    held.set()
    until(lambda: {198, 199} <= {*found})
    assert len(found) < 20
