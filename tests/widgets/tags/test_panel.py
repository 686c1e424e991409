"""The tag panel without a browser: what is chosen, looked at, selected, written, and every mistake told."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import traitlets
from PIL import Image

import clipnb
from clipnb.errors import ClipnbError, PromptsError, TagsError
from clipnb.prompts.caption_set import CaptionSet
from clipnb.prompts.read import read_prompts
from clipnb.tags.counting.counts import TagCounts
from clipnb.widgets.tags import panel as tag_panel
from clipnb.widgets.tags.panel import TagPanel
from clipnb.widgets.tags.session import Source, source_of
from tests.tags.conftest import HOSTILE

PROMPTS = [
    *["a cat, fur, paws, soft light", "a dog, fur, paws, tail", "a fox, fur, tail", "a hare, fur, paws, soft light"],
    *[
        "a bridge, steel, glass",
        "a tower, steel, glass, tall",
        "a hall, glass, steel, soft light",
        "a mast, steel, tall",
    ],
]
Until = Callable[..., None]


def open_panel(given: Any = PROMPTS, **options: Any) -> TagPanel:
    panel = clipnb.tag_panel(given, in_thread=True, **{"live_graph": False, **options})
    with suppress(ClipnbError):
        panel.session.join(60)
    return panel


@pytest.fixture
def panel() -> TagPanel:
    return open_panel()


def upload(panel: TagPanel, *files: tuple[str, bytes]) -> None:
    for number, (name, content) in enumerate(files):
        part = {"key": "page", "kind": "part", "name": name, "size": len(content), "number": number}
        panel.inputs.upload.receive({**part, "start": 0, "first": number == 0}, [content])


def press_enter(field: Any) -> None:
    field._msg_callbacks(field, {"event": "submit"}, [])


def named(rows: Any) -> list[str]:
    return [button.description for button in rows.names]


def test_a_tag_is_looked_at(panel: TagPanel) -> None:
    assert "8 prompts" in panel.status.value
    panel.tag = "FUR"
    assert panel.tag == "fur"
    assert "4 times" in panel.details.head.value
    assert named(panel.details.neighbours)[:2] == ["paws", "tail"]
    assert "a hare, fur, paws, soft light" in panel.details.prompts.value
    panel.details.neighbours.names[1].click()
    assert panel.tag == "tail"
    with pytest.raises(TagsError, match="there is glass"):
        panel.tag = "glas"
    panel.tag = ""
    hint, *others = panel.details.widget.children
    assert "to see what it goes with" in hint.value
    assert ["clipnb-off" in part.get_state()["_dom_classes"] for part in (hint, *others)] == [False, True, True]


def test_neighbours_follow_the_weight(panel: TagPanel) -> None:
    assert panel.session.view is not None
    panel.tag = "soft light"
    amounts = [float(row.amount) for row in panel.session.view.about("soft light").neighbours]
    assert amounts == sorted(amounts, reverse=True)
    panel.options.controls["weight"].value = "count"
    panel.session.join(60)
    assert panel.session.view.settings.weight == "count"
    assert {row.amount for row in panel.session.view.about("soft light").neighbours} == {"2", "1"}
    assert "count" in panel.details.by.value


def test_a_search_finds_and_enter_looks_at_the_first(panel: TagPanel) -> None:
    panel.search.value = "Ta"
    assert named(panel.details.found) == ["tail", "tall"]
    press_enter(panel.search)
    assert panel.tag == "tail"
    panel.search.value = "nothing like it"
    assert named(panel.details.found) == []
    press_enter(panel.search)
    assert "no tag &#x27;nothing like it&#x27;" in panel.message.value
    panel.search.value = ""
    assert "tail" in panel.details.head.value


def test_clicks_on_a_tag_that_has_just_gone_are_ignored(panel: TagPanel) -> None:
    panel.selected = ["fur", "paws"]
    chip = panel.builder.chips[1]
    for _ in range(2):
        chip.remove.click()
    chip.name.click()
    chip.earlier.click()
    assert (panel.selected, panel.message.value) == (["fur"], "")


def test_a_prompt_is_built_of_tags(panel: TagPanel) -> None:
    builder = panel.builder
    panel.tag = "fur"
    panel.details.toggle.click()
    assert panel.details.toggle.description == "Take out of the prompt"
    panel.details.neighbours.adders[0].click()
    builder.typed.value = "GLASS; something new, fur"
    assert panel.selected == ["fur", "paws", "glass", "something new"]
    builder.subject.value = "a lighthouse"
    assert panel.prompt == builder.text.value == "a lighthouse, fur, paws, glass, something new"
    builder.chips[2].earlier.click()
    assert panel.selected == ["fur", "glass", "paws", "something new"]
    builder.chips[0].remove.click()
    builder.chips[0].name.click()
    assert (panel.selected, panel.tag) == (["glass", "paws", "something new"], "glass")
    offered = builder.offers[0].description
    builder.offers[0].click()
    assert panel.selected[-1] == offered
    builder.clear.click()
    assert (panel.selected, panel.prompt) == ([], "a lighthouse")
    assert builder.offers == []


def test_a_prompt_is_taken_apart(panel: TagPanel) -> None:
    panel.prompt = "a whale ;  FUR| new"
    assert (panel.subject, panel.selected, panel.prompt) == ("a whale", ["fur", "new"], "a whale, fur, new")
    panel.builder.text.value = "fur, steel"
    assert (panel.subject, panel.selected) == ("", ["fur", "steel"])
    other = traitlets.HasTraits()
    other.add_traits(text=traitlets.Unicode())
    traitlets.dlink((panel, "prompt"), (other, "text"))
    panel.subject = "a yak"
    assert other.text == "a yak, fur, steel"


def test_thresholds_that_leave_nothing_are_told(panel: TagPanel) -> None:
    panel.tag, panel.selected = "fur", ["fur"]
    panel.options.controls["min_count"].value = 99
    panel.session.join(60)
    assert "No tag is left: even the most frequent one, fur, occurs 4 times" in panel.graph.word.value
    assert panel.graph.widget.children == (panel.graph.word,)
    assert (panel.tag, panel.selected) == ("", ["fur"])
    panel.options.controls["min_count"].value = 1
    panel.session.join(60)
    assert panel.graph.widget.children == (panel.graph.canvas,)


def test_counts_are_kept_when_only_the_graph_changes(panel: TagPanel) -> None:
    assert panel.session.view is not None
    counts = panel.session.view.counts
    panel.options.controls["backbone"].value = 0.2
    panel.session.join(60)
    assert panel.session.view.settings.backbone == 0.2
    assert panel.session.view.counts is counts
    panel.inputs.head.value = False
    panel.session.join(60)
    assert panel.session.view.counts.count("a cat") == 1


def test_lines_paths_and_uploads(tmp_path: Path) -> None:
    panel = open_panel(None)
    assert panel.tabs.selected_index == 1
    assert "No prompts yet" in panel.graph.word.value
    panel.inputs.lines.value = "x, one, two\n\ny, two"
    panel.inputs.use.click()
    panel.session.join(60)
    assert "2 prompts" in panel.status.value
    (tmp_path / "a.txt").write_text("x, three")
    (tmp_path / "b.csv").write_text("text,n\n'x; four; five',2\n")
    panel.inputs.place.value = f"{tmp_path / 'a.txt'} ; {tmp_path / 'b.csv'}"
    panel.session.join(60)
    assert "1 prompt from 1 file (1 skipped" in panel.status.value
    assert "<summary>1 skipped</summary>" in panel.inputs.report.value
    assert "no column &#x27;prompt&#x27;" in panel.inputs.report.value
    panel.inputs.place.value = str(tmp_path / "b.csv")
    with pytest.raises(PromptsError):
        panel.session.join(60)
    assert "no column &#x27;prompt&#x27;" in panel.message.value
    assert "1 prompt" in panel.status.value, "what was there before stays"
    panel.inputs.column.value = "text"
    panel.session.join(60)
    assert "1 prompt from 1 file" in panel.status.value
    assert "skipped" not in panel.inputs.report.value
    first, second = ("<b>.txt.gz", gzip.compress(b"x, six\n")), ("second.txt", b"y, seven\n")
    upload(panel, first)
    panel.session.join(60)
    assert "1 prompt from 1 file" in panel.status.value
    upload(panel, first, second)
    panel.session.join(60)
    assert "2 prompts from 2 files" in panel.status.value, "files given together go together"


CAPTIONS = ["sks, 1girl, long_hair", "sks, 1boy, long_hair", "sks, 1girl, long_hair"]


def test_the_dialect_is_found_out_and_can_be_chosen() -> None:
    panel = open_panel(CAPTIONS)
    assert panel.session.view.counts.count("sks") == 3  # type: ignore[union-attr]
    assert "· tags ·" in panel.status.value
    assert "Written as tags" in panel.inputs.report.value
    panel.inputs.dialect.value = "plain"
    panel.session.join(60)
    assert panel.session.view.counts.count("sks") == 0  # type: ignore[union-attr]
    assert "begin with &#x27;sks&#x27;, which is taken for their subject" in panel.inputs.report.value
    panel.inputs.dialect.value = "a1111"
    panel.session.join(60)
    assert (panel.inputs.head.disabled, panel.inputs.clean.disabled) == (True, True)
    panel.inputs.dialect.value = "auto"
    panel.session.join(60)
    assert (panel.inputs.head.disabled, panel.inputs.clean.disabled) == (False, False)
    panel.inputs.head.value = False
    panel.session.join(60)
    assert panel.session.view.counts.dialect == "plain"  # type: ignore[union-attr]


@pytest.mark.parametrize("way", ["list", "lines", "upload", "path"])
def test_repeats_are_kept_or_dropped_wherever_prompts_come_from(way: str, tmp_path: Path) -> None:
    panel = open_panel(CAPTIONS if way == "list" else None)
    text = "\n".join(CAPTIONS)
    panel.inputs.repeats.value = "keep"
    panel.session.join(60)
    if way == "lines":
        panel.inputs.lines.value = text
        panel.inputs.use.click()
    elif way == "upload":
        upload(panel, ("captions.txt", text.encode()))
    elif way == "path":
        (tmp_path / "captions.txt").write_text(text)
        panel.inputs.place.value = str(tmp_path / "captions.txt")
    panel.session.join(60)
    assert panel.session.view.counts.count("sks") == 3  # type: ignore[union-attr]
    panel.inputs.repeats.value = "once"
    panel.session.join(60)
    assert panel.session.view.counts.count("sks") == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("way", ["folder", "captions", "prompts"])
def test_pictures_whose_captions_have_the_tag_are_shown(way: str, tmp_path: Path, until: Until) -> None:
    for number, caption in enumerate(CAPTIONS):
        Image.new("RGB", (200, 100), (80 * number, 0, 0)).save(tmp_path / f"{number}.png")
        (tmp_path / f"{number}.txt").write_text(caption)
    (tmp_path / "2.png").write_bytes(b"broken")
    given = {"folder": tmp_path, "captions": CaptionSet(tmp_path), "prompts": read_prompts(tmp_path)}
    panel = open_panel(given[way])
    panel.tag = "1girl"
    assert [Path(path).name for path in panel.session.pictures_of("1girl")] == ["0.png", "2.png"]
    until(lambda: panel.details.pictures.value.count("<img") == 1)
    panel.tag = "sks"
    until(lambda: panel.details.pictures.value.count("<img") == 2)
    panel.tag = ""
    assert panel.details.pictures.value == ""


def test_prompts_that_were_read_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("prompt,model\n" + "".join(f'"{one}",x\n' for one in (*CAPTIONS, "<b>, <i>")))
    (tmp_path / "b.jsonl").write_text('{"prompt": "one, two"}\n{"<b>": 1}\n')
    panel = open_panel(read_prompts(tmp_path))
    assert panel.session.view.counts.count("sks") == 3  # type: ignore[union-attr]
    assert "1 skipped" in panel.inputs.report.value
    assert "<b>" not in panel.inputs.report.value


@pytest.mark.parametrize("wrong", ["missing.txt", "picture.png", "binary.txt"])
def test_files_that_cannot_be_read_are_told(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "binary.txt").write_bytes(b"a\0b")
    panel = open_panel(tmp_path / wrong)
    assert wrong in panel.message.value
    with pytest.raises(PromptsError):
        asyncio.run(panel.ready())


def test_everything_hostile_is_escaped() -> None:
    panel = open_panel([f"<script>x</script>; {tag}; plain" for tag in HOSTILE])
    for tag in HOSTILE[:4]:
        panel.tag = tag
        panel.selected = [tag]
        said = panel.details.head.value + panel.details.prompts.value
        assert "<script>" not in said
        assert "<img" not in said
        assert "&lt;" in said


def test_files_are_saved_and_a_mistake_is_told(panel: TagPanel, tmp_path: Path, until: Until) -> None:
    panel.save_tab.folder.value = str(tmp_path)
    buttons = panel.save_tab.buttons
    for button in (*buttons.values(), buttons["Counts as CSV"]):
        button.click()
        until(lambda button=button: not button.disabled)
        assert f"saved {tmp_path / 'tags'}" in panel.save_tab.saved.value
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("tags-1.csv", "tags.csv", "tags.graphml", "tags.html", "tags.json", "tags.png"),
    ]
    panel.save_tab.folder.value = str(tmp_path / "tags.csv")
    buttons["Graph as JSON"].click()
    until(lambda: "cannot write" in panel.message.value)
    panel.save_tab.folder.value = "~nobody-of-this-name"
    buttons["Graph as JSON"].click()
    until(lambda: "cannot write into ~nobody" in panel.message.value)
    empty = open_panel(None)
    empty.save_tab.buttons["Graph as JSON"].click()
    until(lambda: "nothing to save yet" in empty.message.value)


def test_on_the_kernels_event_loop() -> None:
    async def main() -> TagPanel:
        panel = clipnb.tag_panel(PROMPTS, in_thread=False, live_graph=False)
        assert panel.session.view is None, "other things get their turn between the stages"
        assert len((await panel.ready()).graph) == 7
        return panel

    assert "8 prompts" in asyncio.run(main()).status.value


def test_work_in_a_thread_is_shown_by_the_thread_that_hears_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    changers, drawers = set(), set()
    draw = tag_panel.still_picture
    monkeypatch.setattr(tag_panel, "still_picture", lambda view: drawers.add(threading.current_thread()) or draw(view))

    async def main() -> TagPanel:
        panel = clipnb.tag_panel(PROMPTS, in_thread=True, live_graph=False)
        for widget in (panel.builder.copy, panel.status, panel.graph.canvas):
            widget.observe(lambda _: changers.add(threading.current_thread()))
        await panel.ready()
        panel.session.join(60)
        return panel

    assert "8 prompts" in asyncio.run(main()).status.value
    assert changers == {threading.main_thread()}
    assert len(drawers - changers) == 1, "the picture for the saved notebook takes its time elsewhere"


def test_without_a_loop_it_is_done_at_once() -> None:
    panel = clipnb.tag_panel(PROMPTS, in_thread=False, live_graph=False)
    assert panel.session.view is not None
    with pytest.raises(ClipnbError, match="no prompts yet"):
        asyncio.run(clipnb.tag_panel(in_thread=False, live_graph=False).ready())


def test_the_newest_wish_wins(panel: TagPanel, until: Until) -> None:
    for least in (2, 3, 4, 3):
        panel.options.controls["min_count"].value = least
    until(lambda: not panel.session.is_on)
    assert panel.session.view is not None
    assert panel.session.view.settings.min_count == 3


def test_what_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x, a")
    assert source_of([str(tmp_path / "a.txt")]).paths
    assert source_of([Path("missing")]).paths == ("missing",)
    assert source_of(str(tmp_path)).paths
    assert source_of([" x, a ", ""]).lines == ("x, a",)
    assert source_of([]) == Source()
    counts = TagCounts(["x, (a:1.2)"])
    assert open_panel(counts).session.view.counts is counts  # type: ignore[union-attr]
    with pytest.raises(PromptsError, match="this is neither: 3"):
        clipnb.tag_panel(["x, a", 3])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weight": "npmy"}, "there is npmi"),
        ({"method": "luvain"}, "there is louvain"),
        ({"max_nodes": 0}, "at least 1"),
        ({"backbone": 2}, "above 0 and at most 1"),
    ],
)
def test_wrong_settings_are_refused_at_once(options: dict[str, Any], said: str) -> None:
    with pytest.raises(TagsError, match=said):
        clipnb.tag_panel(PROMPTS, **options)


def test_the_graph_talks_back_and_old_clicks_do_not_count() -> None:
    pytest.importorskip("anywidget")
    panel = open_panel(live_graph=True)
    canvas, view = panel.graph.canvas, panel.session.view
    assert view is not None
    fur, tall = view.node_of("fur"), view.node_of("tall")
    canvas.receive({"event": "look", "node": fur, "turn": canvas.turn})
    assert (panel.tag, canvas.looked) == ("fur", fur)
    canvas.receive({"event": "pick", "node": tall, "turn": canvas.turn})
    canvas.receive({"event": "pick", "node": fur, "turn": canvas.turn - 1})
    for node in ("<b>", None, 10**9, -5, True):
        canvas.receive({"event": "pick", "node": node, "turn": canvas.turn + 1})
    assert (panel.selected, canvas.marked) == (["tall"], [tall])
    canvas.receive({"event": "look", "node": -1, "turn": canvas.turn})
    assert (panel.tag, canvas.looked) == ("", -1)


def test_no_live_graph_on_kaggle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    panel = clipnb.tag_panel(PROMPTS, in_thread=False)
    assert not panel.graph.is_live
    assert panel.builder.copy is None
    assert 'sandbox="allow-scripts allow-downloads"' in panel.graph.canvas.value
