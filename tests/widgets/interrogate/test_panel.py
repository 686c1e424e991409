"""The interrogation panel without a browser: every button does what it says, every mistake is shown."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
import traitlets
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import clipnb
from clipnb.errors import ClipnbError, ConfigError, LabelsError
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.settings import Settings
from clipnb.models.encoder import DualEncoder
from clipnb.progress import progress_bar
from clipnb.runner import RunState
from clipnb.widgets.common.lifetime import widgets_of
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.upload import ChunkedUpload
from clipnb.widgets.interrogate.panel import InterrogationPanel
from tests.widgets.conftest import ended
from tests.widgets.uploads import give

Open = Callable[..., InterrogationPanel]
Until = Callable[..., None]

LABELS = {
    "mediums": ["a photo", "a painting"],
    "movements": ["cubism", "realism"],
    "artists": ["Hokusai"],
    "trendings": ["pixiv"],
    "flavors": [f"flavor {n}" for n in range(20)],
    "negative": ["blurry", "noisy"],
    "objects": ["a cup", "a house"],
}


def png_bytes(colour: str = "red", size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def describe(tiny: DualEncoder, tmp_path: Path) -> Iterator[Open]:
    """Open interrogation panels on a tiny encoder with few labels; what they do is ended at the end."""
    panels: list[InterrogationPanel] = []

    def open_panel(*pictures: object, **options: object) -> InterrogationPanel:
        given = {"encoder": tiny, "labels": LABELS, "in_thread": True, "settings": Settings(cache_path=tmp_path / "c")}
        panels.append(clipnb.interrogate_panel(*pictures, **{**given, **options}))
        return panels[-1]

    yield open_panel
    for panel in panels:
        panel.session.stop()


@pytest.fixture
def red() -> Image.Image:
    return Image.new("RGB", (64, 48), "red")


def html_of(widget: ipywidgets.Widget) -> Iterator[str]:
    if isinstance(widget, ipywidgets.HTML):
        yield widget.value
    for child in getattr(widget, "children", ()):
        yield from html_of(child)


def done(panel: InterrogationPanel) -> bool:
    """Whether it is over and shown, which is a moment later."""
    if panel.session.state is not RunState.DONE:
        return False
    panel.session.join()
    return " in " in panel.toolbar.count.value


def test_describe(describe: Open, until: Until, red: Image.Image, tiny: DualEncoder) -> None:
    panel = describe()
    assert panel.toolbar["describe"].disabled
    panel.picture = red
    assert not panel.toolbar["describe"].disabled
    panel.toolbar["describe"].click()
    until(lambda: done(panel))
    (found,) = panel.results
    assert panel.prompt == panel.result_tabs.prompt.value == found.prompt
    assert panel.caption.text.value == found.caption
    assert found.caption_source == "composed"
    assert "composed from labels" in panel.caption.origin.value
    assert panel.toolbar.bar.bar_style == "success"
    said = "".join(html_of(panel))
    assert "what each phrase added" in said
    assert "inspired by Hokusai" in said
    expected = Interrogator(tiny, labels=LABELS, settings=Settings(quiet=True)).interrogate(red)
    assert found.prompt == expected.prompt


def test_a_prompt_inside_a_picture_stands_beside_the_found_one(describe: Open, until: Until, red: Image.Image) -> None:
    inside, file = PngInfo(), BytesIO()
    inside.add_text("parameters", "a <b>red</b> wall\nSteps: 20, Sampler: Euler, Seed: 1")
    red.save(file, "PNG", pnginfo=inside)
    panel = describe(file.getvalue(), red)
    panel.describe()
    until(lambda: len(panel.results) == 1 and done(panel))
    assert panel.results[0].known.prompt == "a <b>red</b> wall"
    said = "".join(html_of(panel))
    assert "inside the picture: a &lt;b&gt;red&lt;/b&gt; wall (A1111)" in said
    assert "to the prompt found" in said
    panel.gallery.choose(panel.gallery.images[1])
    panel.describe()
    until(lambda: len(panel.results) == 2 and done(panel))
    assert panel.results[1].known is None
    assert "inside the picture" not in "".join(html_of(panel))


def test_tables_words_and_lengths_are_chosen(describe: Open, until: Until, red: Image.Image) -> None:
    panel = describe(red)
    wording = panel.options.wording
    assert wording.wishes == {}
    wording.tables["artists"].value = False
    wording.texts["avoid"].value = "vivid"
    wording.texts["trigger"].value = "sks"
    wording.most.value = 6
    panel.describe()
    until(lambda: done(panel))
    found = panel.results[0]
    assert "artists" not in found.ranked
    assert found.prompt.startswith("sks, ")
    assert "vivid" not in found.prompt
    assert len(found.prompt.split()) <= 6
    wording.texts["avoid"].value = "sks"
    panel.describe()
    ended(panel, RunState.FAILED)
    assert "trigger holds &#x27;sks&#x27;, which is avoided" in "".join(html_of(panel))


def test_fields_begin_as_the_settings_say(describe: Open) -> None:
    settings = Settings(without="artists", avoid=["a cat", "fog"], max_tokens=40)
    wording = clipnb.interrogate_panel(settings=settings).options.wording
    assert [name for name, box in wording.tables.items() if not box.value] == ["artists"]
    assert wording.texts["avoid"].value == "a cat, fog"
    assert (wording.most.value, wording.unit.value) == (40, "tokens")
    assert wording.wishes == {}
    wording.most.value = 0
    assert wording.wishes == {"max_tokens": None}


def test_several_pictures_are_described_together_and_compared(describe: Open, until: Until) -> None:
    panel = describe(*map(png_bytes, ("red", "green", "blue")), mode="set")
    panel.describe_all()
    until(lambda: done(panel))
    assert len(panel.results) == 1
    assert "3 pictures: similarity" in panel.results[0].notes[0]
    panel.options.mode.value = "contrast"
    panel.describe()
    until(lambda: len(panel.results) == 2 and done(panel))
    assert panel.results[1].mode == "contrast"
    assert panel.results[1].notes[0].startswith("1 picture: similarity")
    assert set(panel.result_tabs.modes.options).isdisjoint({"set", "contrast"})
    with pytest.raises(ClipnbError, match="describes several pictures together"):
        panel.compare(["set", "fast"])


def test_a_contrast_needs_another_picture(describe: Open, until: Until, red: Image.Image) -> None:
    panel = describe(red, mode="contrast")
    panel.describe()
    until(lambda: "the set the other pictures has no pictures" in panel.message.value)


def test_a_mode_without_a_caption_takes_no_field_for_one(describe: Open, until: Until, red: Image.Image) -> None:
    panel = describe(red, mode="fast")
    panel.caption.text.value = "a red wall"
    panel.compare(["fast", "negative"])
    until(lambda: done(panel))
    assert [found.caption for found in panel.results] == ["a red wall", ""]
    panel.options.mode.value = "negative"
    until(lambda: panel.caption.text.disabled)
    panel.options.mode.value = "fast"
    until(lambda: not panel.caption.text.disabled)


def test_the_caption_can_be_edited_and_used_again(describe: Open, until: Until, red: Image.Image) -> None:
    panel = describe(red, red)
    panel.gallery.choose(panel.gallery.images[1])
    panel.toolbar["describe"].click()
    until(lambda: len(panel.results) == 1 and done(panel))
    panel.toolbar["describe"].click()
    until(lambda: len(panel.results) == 2 and done(panel))
    assert panel.results[1].caption_source == "composed", "what was made is made again, not taken for the user's own"
    panel.caption.text.value = "a red wall"
    panel.toolbar["describe"].click()
    until(lambda: len(panel.results) == 3 and done(panel))
    assert (panel.results[2].caption, panel.results[2].caption_source) == ("a red wall", "given")
    assert panel.prompt.startswith("a red wall")
    panel.gallery.choose(panel.gallery.images[0])
    assert panel.caption.text.value == ""
    panel.gallery.choose(panel.gallery.images[1])
    assert panel.caption.text.value == "a red wall"
    panel.caption.text.value = ""
    panel.toolbar["describe"].click()
    until(lambda: len(panel.results) == 4 and done(panel))
    assert panel.results[3].caption_source == "composed"


def test_compare_modes(describe: Open, until: Until, red: Image.Image) -> None:
    panel = describe(red)
    panel.result_tabs.modes.value = ("caption", "classic", "fast")
    panel.toolbar["compare"].click()
    until(lambda: done(panel))
    assert [found.mode for found in panel.results] == ["classic", "fast", "caption"]
    assert panel.result_tabs.widget.selected_index == 2
    table = panel.result_tabs.comparison.value
    assert table.count("<tr") == 4
    assert table.count("clipnb-best") == 1
    panel.compare(["caption"])
    until(lambda: len(panel.results) == 4 and done(panel))
    panel.result_tabs.modes.value = ()
    panel.toolbar["compare"].click()
    assert "no mode is chosen" in panel.message.value


def test_describe_all_and_history(describe: Open, until: Until, tmp_path: Path) -> None:
    (tmp_path / "green, one.png").write_bytes(png_bytes("green"))
    panel = describe(png_bytes(), tmp_path / "green, one.png", np.zeros((8, 8, 3), np.uint8), mode="caption")
    assert panel.history.empty
    assert panel.history_tab.save.disabled
    panel.toolbar["describe_all"].click()
    until(lambda: done(panel))
    history = panel.history
    assert list(history["picture"]) == ["picture 1", "green, one.png", "picture 2"]
    assert list(history["prompt"]) == [found.prompt for found in panel.results]
    assert history["similarity"].between(-1, 1).all()
    panel.history_tab.place.value = str(tmp_path / "out" / "prompts.csv")
    panel.history_tab.save.click()
    panel.history_tab.save.click()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["prompts-1.csv", "prompts.csv"]
    import pandas as pd

    assert list(pd.read_csv(tmp_path / "out" / "prompts.csv")["picture"]) == list(history["picture"])
    assert 'download="prompts-1.csv"' in panel.history_tab.saved.value


def test_stop_ends_within_a_description(
    describe: Open, until: Until, red: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, told = threading.Event(), []

    def endless(self: Interrogator, *_: object, **__: object) -> None:
        with progress_bar("Growing the prompt", "phrase") as report:
            for n in range(10**9):
                report(n % 32, 32)
                began.set()
                told.append(n)

    monkeypatch.setattr(Interrogator, "interrogate", endless)
    panel = describe(red)
    panel.toolbar["describe"].click()
    assert began.wait(300)
    until(lambda: "Growing the prompt" in panel.toolbar.count.value)
    panel.toolbar["describe"].click()
    assert "already" in panel.message.value
    panel.toolbar["stop"].click()
    until(lambda: panel.session.state is RunState.STOPPED and not panel.toolbar["describe"].disabled)
    assert panel.results == []


def test_an_instruction_is_asked_for_where_a_captioner_is_named(describe: Open, red: Image.Image) -> None:
    options = describe(red).options
    assert options.choice.wishes["caption_instruction"] is None
    options.instruction.value = " Describe the light. "
    assert options.choice.wishes["caption_instruction"] is None
    options.captioner.value = "qwen2.5-vl-3b"
    assert options.choice.wishes["caption_instruction"] == "Describe the light."


def test_an_error_is_shown_and_the_panel_goes_on(
    describe: Open, until: Until, red: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: Interrogator, *_: object, **__: object) -> None:
        raise ValueError("it <b>broke</b>")

    monkeypatch.setattr(Interrogator, "interrogate", failing)
    panel = describe(red)
    panel.toolbar["describe"].click()
    until(lambda: panel.session.state is RunState.FAILED and "broke" in panel.message.value)
    assert "ValueError: it &lt;b&gt;broke&lt;/b&gt;" in panel.message.value
    monkeypatch.undo()
    panel.toolbar["describe"].click()
    until(lambda: done(panel))
    assert panel.message.value == ""


def test_mistakes_in_the_controls(describe: Open, until: Until, red: Image.Image, tmp_path: Path) -> None:
    panel = describe(red, encoder=None, labels=None)
    options = panel.options
    options.model.value = "VIT-B-33/openai"
    panel.toolbar["describe"].click()
    until(lambda: "ViT-B-32" in panel.message.value)
    panel = describe(red)
    options = panel.options
    assert options.model.disabled
    options.captioner.value = "blip-bse"
    panel.toolbar["describe"].click()
    until(lambda: "blip-base" in panel.message.value and panel.session.state is RunState.FAILED)
    options.captioner.value = ""
    options.labels.value = "file, folder or package"
    panel.toolbar["describe"].click()
    assert "name a file" in panel.message.value
    (tmp_path / "empty.txt").write_text("\n")
    options.place.value = str(tmp_path / "empty.txt")
    panel.toolbar["describe"].click()
    until(lambda: "holds no labels" in panel.message.value)
    options.labels.value = "a list"
    with pytest.raises(LabelsError, match="one label a line"):
        panel.describe()
    with pytest.raises(ClipnbError, match="there is no mode"):
        clipnb.interrogate_panel(mode="clasic")


def test_own_labels(describe: Open, until: Until, red: Image.Image, tmp_path: Path) -> None:
    panel = describe(red, mode="fast", labels={**LABELS, "artists": ["X"]})
    panel.options.labels.value = "a list"
    panel.options.list.value = "very own one\n\nvery own two"
    panel.toolbar["describe"].click()
    until(lambda: len(panel.results) == 1 and done(panel))
    assert {label.label for label in panel.results[0].ranked["flavors"]} == {"very own one", "very own two"}
    (tmp_path / "flavors.txt").write_text("from a file\n")
    panel.options.labels.value = "file, folder or package"
    panel.options.place.value = str(tmp_path / "flavors.txt")
    panel.toolbar["describe"].click()
    until(lambda: len(panel.results) == 2 and done(panel))
    assert [label.label for label in panel.results[1].ranked["flavors"]] == ["from a file"]


def test_a_path_is_added_and_a_wrong_one_said(describe: Open, until: Until, tmp_path: Path) -> None:
    panel = describe()
    panel.gallery.place.value = str(tmp_path / "missing.png")
    panel.gallery.add_place.click()
    until(lambda: "there is no picture" in panel.message.value)
    (tmp_path / "red.png").write_bytes(png_bytes())
    panel.gallery.place.value = str(tmp_path / "red.png")
    panel.gallery.add_place.click()
    until(lambda: len(panel.gallery.images) == 1 and panel.gallery.place.value == "")
    assert panel.message.value == ""
    assert panel.gallery.chosen.name == "red.png"
    panel.gallery.remove.click()
    assert panel.gallery.chosen is None
    assert panel.toolbar["describe"].disabled


def test_a_click_on_a_picture_that_has_just_gone_is_ignored(describe: Open) -> None:
    panel = describe(png_bytes("red"), png_bytes("blue"))
    first = panel.gallery.images[0]
    tile = panel.gallery.thumbnails.children[0].children[0].children[1]
    panel.gallery.choose(first)
    panel.gallery.remove.click()
    tile.click()
    assert panel.gallery.chosen is panel.gallery.images[0] is not first
    panel.gallery.remove.click()
    assert (panel.gallery.images, panel.gallery.chosen, panel.message.value) == ([], None, "")


def test_old_pictures_are_kept_compressed(describe: Open) -> None:
    large = Image.new("RGB", (3000, 2000), "navy")
    panel = describe()
    panel.picture = large
    kept = panel.gallery.chosen
    assert isinstance(kept.source, bytes)
    assert len(kept.source) + len(kept.preview) + len(kept.thumbnail) < 200_000
    assert kept.open().size == large.size


def test_what_was_found_outlives_its_picture(describe: Open, until: Until, red: Image.Image) -> None:
    panel = describe(red, mode="caption")
    panel.toolbar["describe"].click()
    until(lambda: done(panel))
    panel.gallery.remove.click()
    assert list(panel.history["picture"]) == ["picture 1"]
    assert panel.session.described[0].request.image.source == b""
    assert panel.prompt == panel.results[0].prompt


def test_words_of_the_user_are_escaped(describe: Open, until: Until, red: Image.Image, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    panel = describe(labels={**LABELS, "flavors": [evil, "a"]}, mode="fast")
    panel.gallery.upload.receive(*part(f"{evil}.png", b"no picture", 0, 99, first=True))
    panel.gallery.upload.receive(*part(f"{evil}.png", png_bytes(), 0, 999))
    panel.caption.text.value = evil
    panel.result_tabs.modes.value = ("classic", "fast")
    panel.toolbar["compare"].click()
    until(lambda: done(panel))
    panel.picture = red
    panel.history_tab.place.value = str(tmp_path / f"{evil}.csv")
    panel.history_tab.save.click()
    assert "&lt;img" in "".join(html_of(panel))
    assert all("<img" not in html for html in html_of(panel))
    assert "<img" not in panel.results[0]._repr_html_()


def test_what_another_panel_gives(describe: Open, until: Until, opened: Callable[..., object]) -> None:
    panel, live = describe(), opened()
    clipnb.connect(live, panel)
    to_live = clipnb.connect(panel, live)
    assert to_live.description == "Send prompt to live panel"
    traitlets.dlink((live, "picture"), (panel, "picture"))
    live.toolbar["step"].click()
    until(lambda: panel.gallery.chosen is not None)
    panel.toolbar["describe"].click()
    until(lambda: done(panel))
    panel.result_tabs.prompt.value = "edited by hand"
    to_live.click()
    assert live.text == "edited by hand"


@pytest.mark.parametrize("in_thread", [True, False])
def test_a_cell_can_wait_for_the_end(describe: Open, red: Image.Image, in_thread: bool) -> None:
    async def main() -> InterrogationPanel:
        panel = describe(red, in_thread=in_thread)
        with pytest.raises(ConfigError, match="press Describe"):
            await panel.finished()
        panel.describe()
        assert await panel.finished() is panel.results[-1]
        assert "1 prompt in" in panel.toolbar.count.value
        return panel

    panel = asyncio.run(main())
    assert panel.prompt == panel.results[-1].prompt


@pytest.mark.parametrize("in_thread", [True, False])
def test_widgets_are_changed_by_the_event_loop_only(describe: Open, red: Image.Image, in_thread: bool) -> None:
    changers = set()

    async def main() -> None:
        panel = describe(red, in_thread=in_thread)
        changed = [panel.result_tabs.prompt, panel.caption.text, *([] if in_thread else [panel.toolbar.bar])]
        for widget in changed:
            widget.observe(lambda _: changers.add(threading.current_thread()), "value")
        panel.describe()
        await panel.finished()

    asyncio.run(main())
    assert changers == {threading.main_thread()}


def part(
    name: str, content: bytes, start: int, stop: int, **more: object
) -> tuple[dict[str, object], list[memoryview]]:
    message = {"key": "k", "kind": "part", "number": 1, "name": name, "size": len(content), "start": start}
    return {**message, **more}, [memoryview(content[start:stop])]


def test_an_upload_in_parts(describe: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[str] = []
    panel = describe(in_parts=True)
    upload: ChunkedUpload = panel.gallery.upload
    monkeypatch.setattr(upload, "send", lambda message: answers.append(message["kind"]))
    content = png_bytes()
    upload.receive(*part("../../red.png", content, 0, 20, first=True))
    assert panel.gallery.images == []
    upload.receive(*part("../../red.png", content, 20, len(content)))
    assert panel.gallery.chosen.name == "red.png"
    upload.receive(*part("holiday.png", b"I am a text.", 0, 99, first=True))
    assert "holiday.png is no picture" in panel.message.value
    upload.receive(*part("second.png", b"", 0, 0))
    assert "holiday.png" in panel.message.value, "of several files given at once each mistake is shown"
    assert "second.png" in panel.message.value
    assert answers == ["more"] * 4
    upload.receive(*part("late.png", content, 20, 40, first=True))
    assert "a part of the upload was lost" in panel.message.value
    upload.receive({"key": "k", "kind": "too large", "name": "x.tif", "size": 2**30}, [])
    assert "x.tif has 1024 MiB" in panel.message.value
    assert len(panel.gallery.images) == 1


def test_the_plain_upload_says_its_limit(describe: Open) -> None:
    panel = describe(in_parts=False)
    assert any("up to 10 MB" in html for html in html_of(panel))
    give(panel.gallery.upload.button, {"red.png": png_bytes(), "holiday.png": b"text"})
    assert panel.gallery.chosen.name == "red.png"
    assert "holiday.png is no picture" in panel.message.value
    assert not panel.gallery.upload.button.value, "else the same file could not be given again"


def test_two_panels_at_once(describe: Open, until: Until, red: Image.Image) -> None:
    first, second = describe(red), describe(png_bytes("blue"), mode="fast")
    first.toolbar["describe"].click()
    second.toolbar["describe"].click()
    until(lambda: done(first) and done(second))
    assert (first.results[0].mode, second.results[0].mode) == ("classic", "fast")


def test_a_collection_is_asked_for_where_the_mode_searches_it(
    describe: Open, red: Image.Image, until: Until, tmp_path: Path
) -> None:
    panel = describe(red)
    place = panel.options.of_mode.fields["collection"]
    assert place.layout.display == "none"
    panel.options.mode.value = "retrieve"
    assert place.layout.display == ""
    (tmp_path / "mine.txt").write_text("a square, all red\n")
    place.value = str(tmp_path / "mine.txt")
    panel.describe()
    until(lambda: done(panel))
    assert panel.results[0].prompt == "a square, all red"
    panel.options.mode.value = "fast"
    assert place.layout.display == "none"


def shown_fields(panel: InterrogationPanel, mode: str) -> set[str]:
    panel.options.mode.value = mode
    return {name for name, field in panel.options.of_mode.fields.items() if field.layout.display == ""}


def test_each_mode_shows_the_settings_that_it_has_a_use_for(describe: Open) -> None:
    panel = describe()
    assert shown_fields(panel, "tags") == {"tag_thresholds", "tag_form"}
    assert shown_fields(panel, "set") == {"set_by", "diverse"}
    assert shown_fields(panel, "fast") == {"tolerance", "diverse", "least_certainty"}
    assert {"pooled_weights", "pooled_power", "collection"} <= shown_fields(panel, "pooled")
    assert panel.options.of_mode.wishes == {}
    fields = panel.options.of_mode.fields
    assert fields["tag_thresholds"].value == "objects=4, flavors=5, mediums=3, movements=3"
    assert fields["set_by"].options == ("mean", "worst")
    fields["tag_thresholds"].value, fields["tolerance"].value = "objects=2, flavors = 1.5", "none"
    fields["diverse"].value, fields["pooled_power"].value = False, "2"
    wishes = {"tag_thresholds": {"objects": 2, "flavors": 1.5}, "tolerance": None, "diverse": False, "pooled_power": 2}
    assert panel.options.of_mode.wishes == wishes
    fields["tolerance"].value = ""
    assert panel.options.of_mode.wishes["tolerance"] == 0.0


def test_settings_of_a_mode_are_used_and_mistakes_in_them_shown(describe: Open, until: Until, red: Image.Image) -> None:
    panel = describe(red, mode="tags")
    fields = panel.options.of_mode.fields
    fields["tag_thresholds"].value, fields["tag_form"].value = "objects=-9", "danbooru"
    panel.describe()
    until(lambda: done(panel))
    assert panel.results[0].prompt in ("cup, house", "house, cup")
    assert {tag.table for tag in panel.results[0].tags} == {"objects"}
    assert "tags by score" in "".join(html_of(panel))
    fields["tag_thresholds"].value = "objects: 4"
    panel.describe()
    until(lambda: panel.session.error is not None)
    until(lambda: "tag_thresholds is a dict of numbers" in panel.message.value)


def test_two_sets_are_compared_with_intervals(describe: Open, until: Until, red: Image.Image, tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.mkdir()
    for colour in ("yellow", "black", "white"):
        (others / f"{colour}.png").write_bytes(png_bytes(colour))
    panel = describe(red, png_bytes("blue"), png_bytes("green"), mode="contrast")
    panel.options.of_mode.against.value = str(others)
    panel.describe_all()
    until(lambda: done(panel))
    (made,) = panel.session.described
    assert made.contrast is not None
    assert made.contrast.counts == (3, 3)
    assert all(one.low <= one.difference <= one.high for one in made.contrast.labels)
    assert made.result is made.contrast.sides[0]
    assert made.contrast.labels[0].label in "".join(html_of(panel))
    assert "by chance" in "".join(html_of(panel))


def test_a_picture_that_is_taken_out_leaves_no_widgets(describe: Open) -> None:
    panel = describe(png_bytes("red"))
    before = len(list(widgets_of(panel, Panel)))
    for _ in range(3):
        panel.gallery.add(png_bytes("blue"))
        tile = panel.gallery.thumbnails.children[0].children[-1]
        parts = list(widgets_of(tile, Panel))
        panel.gallery.remove.click()
        assert len(parts) > 5
        assert [part.comm for part in parts] == [None] * len(parts), "closed, with their layouts, which pages keep"
    assert len(list(widgets_of(panel, Panel))) == before
