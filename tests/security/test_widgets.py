"""What a browser sends, or a user's files hold, changes nothing in a panel that only Python should change."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import torch
from PIL import Image

import clipnb
from clipnb.errors import ConfigError
from clipnb.optimise.statistics import Range, Statistics
from clipnb.optimise.step import Step
from clipnb.widgets.common import upload as uploads
from clipnb.widgets.common.frontend import CopyButton, carrier_of
from clipnb.widgets.common.lifetime import widgets_of
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.save_tab import SaveAction, SaveTab
from clipnb.widgets.common.upload import ChunkedUpload, PlainUpload, file_name
from clipnb.widgets.live import history as histories
from clipnb.widgets.live.chart import SimilarityChart
from clipnb.widgets.live.history import History
from clipnb.widgets.live.yaml_text import text_at, with_value
from tests.widgets.uploads import give

pytest.importorskip("anywidget")
Received = list[tuple[str, bytes]]


def opened_upload(largest: int = 1000) -> tuple[ChunkedUpload, Panel, Received]:
    panel, received = Panel(), []
    upload = ChunkedUpload(panel, lambda *file: received.append(file), lambda: None, largest=largest)
    return upload, panel, received


def chunk(content: bytes, start: int = 0, size: int | None = None, **more: Any) -> tuple[dict[str, Any], list[bytes]]:
    facts = {"key": "k", "kind": "part", "number": 1, "name": "a.png", "size": size, "start": start}
    return {**facts, "size": len(content) if size is None else size, **more}, [content]


HOSTILE = [
    None,
    "part",
    3,
    [],
    {},
    {"kind": "part"},
    *({**chunk(b"abc")[0], "size": size} for size in (float("nan"), float("inf"), -1, "3", None, 10**400, [], True)),
    *({**chunk(b"abc")[0], "start": start} for start in (float("nan"), -1, "0", None, {}, 2**70, 0.5)),
    *({**chunk(b"abc")[0], "number": number} for number in ("1", None, -3, [], 10**30)),
    *({**chunk(b"abc")[0], "key": key} for key in (None, 1, ["k"], "k" * 10_000)),
    *({**chunk(b"abc")[0], "kind": kind} for kind in (None, "", "parts", 7)),
    *({**chunk(b"abc")[0], "name": name} for name in (None, 5, ["a"], {"a": 1})),
    {**chunk(b"abc")[0], "first": "yes"},
]


@pytest.mark.parametrize("message", HOSTILE, ids=lambda message: repr(message)[:50])
def test_upload_message_that_is_none_is_refused_in_words(message: object) -> None:
    upload, panel, received = opened_upload()
    upload.receive(message, [b"abc"])
    assert "cannot be understood" in panel.message.value
    assert received == []
    upload.receive(*chunk(b"whole", first=True))
    assert received == [("a.png", b"whole")]
    assert panel.message.value == ""


@pytest.mark.parametrize("buffers", [None, "abc", b"abc", ["abc"], [10**12], [None], [[1, 2]], {"a": b"b"}, [b"a", 3]])
def test_upload_buffers_that_are_no_bytes_are_refused(buffers: object) -> None:
    upload, panel, received = opened_upload()
    upload.receive(chunk(b"abc")[0], buffers)
    assert "cannot be understood" in panel.message.value
    assert received == []


def test_upload_chunk_larger_than_announced_is_refused() -> None:
    upload, panel, received = opened_upload()
    upload.receive(*chunk(b"a" * 20, size=10))
    assert "more came than the 10 bytes" in panel.message.value
    upload.receive(*chunk(b"a" * 6, size=10))
    upload.receive(*chunk(b"a" * 6, start=6, size=10))
    assert "more came than the 10 bytes" in panel.message.value
    upload.receive(*chunk(b"a" * 4, start=6, size=10))
    assert "was lost" in panel.message.value
    assert received == []
    upload.receive(*chunk(b"words", size=2000))
    assert "at most 1000 bytes" in panel.message.value


def test_uploads_under_way_are_bounded_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UNDER_WAY", 25)
    upload, panel, received = opened_upload()
    for page in ("a", "b", "c"):
        upload.receive(*chunk(b"0123456789", size=20, key=page))
    assert "other uploads under way" in panel.message.value
    for page in ("a", "b"):
        panel.message.value = ""
        upload.receive(*chunk(b"0123", start=10, size=20, key=page))
    assert "other uploads under way" in panel.message.value
    assert [len(content) for _, content in received] == []
    upload.receive(*chunk(b"x", key="d"))
    assert received == [("a.png", b"x")]


def test_a_thousand_uploads_that_never_end_push_each_other_out() -> None:
    upload, panel, received = opened_upload()
    for page in range(1000):
        upload.receive(*chunk(b"a", size=2, key=str(page)))
    upload.receive(*chunk(b"b", start=1, size=2, key="0"))
    assert "was lost" in panel.message.value
    upload.receive(*chunk(b"b", start=1, size=2, key="999"))
    assert received == [("a.png", b"ab")]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\holiday.png", "holiday.png"),
        ("a\x1b[2J\x07.png", "a_x1b[2J_x07.png"),
        ("cat\u202egnp.exe", "cat_u202egnp.exe"),
        ("a\u2066b\u2069.png", "a_u2066b_u2069.png"),
        ("a\0b.png", "a_x00b.png"),
        ("half \ud800.png", "half _ud800.png"),
        ("two\nlines.png", "two_lines.png"),
        ("..", "upload"),
        ("aux.png", "aux_.png"),
        ("", "upload"),
        (" . ", "upload"),
        ("/", "upload"),
        ("~nobody", "~nobody"),
        ("q?<b>|.png", "q?<b>|.png"),
        ("x" * 10_000 + ".png", "x" * 116 + ".png"),
    ],
)
def test_upload_names_are_safe_to_show_and_to_write(given: str, name: str) -> None:
    assert file_name(given) == name


def test_plain_upload_takes_one_file_and_bytes_only() -> None:
    panel, received = Panel(), []
    upload = PlainUpload(panel, lambda *file: received.append(file), lambda: None, label="x", accept="", multiple=False)
    give(upload.button, {f"\x1b{n}.png": b"a" for n in range(3)})
    assert received == [("_x1b0.png", b"a")]
    give(upload.button, {"b.png": bytes(2**28 + 1)})
    assert "b.png has more than 256 MiB" in panel.message.value
    assert len(received) == 1


def changed_by_browser(widget: ipywidgets.Widget, **state: Any) -> None:
    before = {name: getattr(widget, name) for name in state}
    widget.set_state(state)
    assert {name: getattr(widget, name) for name in state} == before


def test_traits_of_our_widgets_are_set_in_python_alone() -> None:
    upload, panel, received = opened_upload(largest=10)
    changed_by_browser(upload, largest=2**40, accept="*", label="<b>", hint="x", multiple=True, _esm="alert(1)")
    upload.receive(*chunk(b"a" * 20))
    assert "at most 10 bytes" in panel.message.value
    assert received == []
    changed_by_browser(CopyButton(), text="rm -rf ~", _esm="alert(1)")
    plot = SimilarityChart(live=True).widget
    changed_by_browser(plot, data=[{"x": [1]}], library="x")


def test_a_library_for_all_widgets_stays_what_it_is() -> None:
    carrier = carrier_of(lambda: "export default 1")
    changed_by_browser(carrier, value=base64.b64encode(b"evil").decode())


def test_what_a_panel_is_made_of_is_set_in_python_alone() -> None:
    panel = clipnb.live("a cat", live_chart=False)
    changed_by_browser(panel, children=[], layout="IPY_MODEL_x")
    changed_by_browser(panel.links, children=["IPY_MODEL_x"])
    changed_by_browser(panel.message, value="<script>")
    panel.show_problem("a mistake", below=True)
    assert "<script>" not in panel.message.value


def test_tabs_are_chosen_by_a_browser_and_stay_what_they_are() -> None:
    panel = clipnb.tag_panel(["a cat, fur", "a dog, fur"], live_graph=False)
    changed_by_browser(panel.tabs, children=[])
    panel.tabs.set_state({"selected_index": 2})
    assert panel.tabs.selected_index == 2


@pytest.mark.parametrize("make", [clipnb.tag_panel, clipnb.interrogate_panel, clipnb.live, clipnb.dataset_panel])
def test_of_a_list_something_is_always_chosen(make: Callable[[], Panel]) -> None:
    panel = make()
    chosen = [one for one in widgets_of(panel, Panel) if isinstance(one, ipywidgets.Dropdown) and one.options]
    for one in chosen:
        before = one.value
        one.set_state({"index": None})
        assert "report" not in panel.message.value
        assert one.value == before
    assert chosen


def test_what_a_browser_changed_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    upload, _, _ = opened_upload(largest=10)
    sent: list[Any] = []
    monkeypatch.setattr(upload, "send_state", lambda key=None: sent.append(sorted(key)))
    upload.set_state({"largest": 2**40, "label": "x", "no_trait": 1})
    upload.set_state({"no_trait": 1})
    assert sent == [["label", "largest"]]


def step(index: int) -> Step:
    return Step(index, 9, torch.full((3, 8, 8), index / 9), 0.5, {"a": 0.1}, 1.0, Statistics(1, Range(0, 0, 0), ()))


def test_snapshots_of_large_pictures_stay_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "MAX_BYTES", 5 * 3 * 8 * 8)
    history = History()
    for index in range(100):
        history.add(step(index))
        assert len(history) <= 5
    assert history[0].about.index == 0


def at_once(count: int, action: Callable[[], object]) -> None:
    threads = [threading.Thread(target=action) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_films_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    history = History()
    for index in range(3):
        history.add(step(index))
    (tmp_path / "film.webp").symlink_to(tmp_path / "nowhere.webp")
    at_once(8, lambda: history.film(tmp_path / "film.webp"))
    films = sorted(path.name for path in tmp_path.iterdir() if not path.is_symlink())
    assert films == sorted(f"film-{number}.webp" for number in range(1, 9))
    assert (tmp_path / "film.webp").is_symlink()


def test_uploads_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    panel = clipnb.live("a cat", live_chart=False)
    panel.save_tab.folder.value = str(tmp_path)
    (tmp_path / "red.png").symlink_to(tmp_path / "nowhere.png")
    buffer = BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
    for key in "abc":
        panel.init_image.upload.receive(*chunk(buffer.getvalue(), key=key, name="../red.png"))
    assert panel.message.value == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["red-1.png", "red-2.png", "red-3.png", "red.png"]
    assert (tmp_path / "red.png").is_symlink()
    assert panel.editor.checked().init.image == str(tmp_path / "red-3.png")


def test_files_saved_at_once_get_a_name_each(tmp_path: Path) -> None:
    panel, written = Panel(), []
    history = History()
    for index in range(2):
        history.add(step(index))
    tab = SaveTab(panel, {"Save": SaveAction("save", lambda folder: [written.append(1) or history.film(folder / "a")])})
    tab.folder.value = str(tmp_path)
    for _ in range(5):
        tab.buttons["Save"].click()
    deadline = time.monotonic() + 300
    while len(list(tmp_path.glob("[!.]*"))) < 5 or "saved" not in tab.saved.value:
        assert time.monotonic() < deadline, panel.message.value
        time.sleep(0.01)
    assert len(written) == 5


@pytest.mark.parametrize("folder", ["~nobody-of-this-name/x", "a\0b", "half \ud800"])
def test_a_folder_that_none_can_have_is_said(folder: str, tmp_path: Path) -> None:
    panel = Panel()
    history = History()
    for index in range(2):
        history.add(step(index))
    tab = SaveTab(panel, {"Save": SaveAction("save", lambda where: [history.film(where / "a")])})
    tab.folder.value = folder
    tab.buttons["Save"].click()
    deadline = time.monotonic() + 300
    while "cannot write" not in panel.message.value or tab.buttons["Save"].disabled:
        assert time.monotonic() < deadline, panel.message.value
        time.sleep(0.01)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "large", "bytes", "home", "null"])
def test_an_experiment_that_is_no_text_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "large":
        with path.open("wb") as file:
            file.truncate(2**32)
    elif kind == "bytes":
        path.write_bytes(b"\xff\xfe\x00epochs: 1")
    given = {"home": "~nobody-of-this-name/e.yaml", "null": "a\0b.yaml"}.get(kind, str(path))
    began = time.process_time()
    with pytest.raises(ConfigError, match=r"cannot read the experiment|there is no experiment"):
        clipnb.live(given)
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "value", ["1" + ":1" * 100_000, "9" * 6_000, "1:" * 400 + "1.5", "[" * 50_000, "{" * 50_000, "- " * 50_000 + "a"]
)
def test_yaml_that_is_dear_to_read_is_edited_fast(value: str) -> None:
    text = f"epochs: 3\nseed: {value}\n"
    began = time.process_time()
    text_at(text, ("targets", 0, "features", 0))
    try:
        assert with_value(text, ("epochs",), 4).startswith("epochs: 4")
    except ConfigError:
        assert value[0] in "[{-", "only what is no YAML is refused"
    assert time.process_time() - began < 20


def test_messages_below_one_another_are_bounded() -> None:
    upload, panel, _ = opened_upload()
    for _ in range(1000):
        upload.receive(None, None)
    assert panel.message.value.count("cannot be understood") > 10
    assert len(panel.message.value) < 20_000


def test_escape_sequences_of_names_do_not_reach_a_message() -> None:
    upload, panel, _ = opened_upload()
    upload.receive(*chunk(b"", size=2000, name="\x1b]0;evil\x07\u202e.png"))
    panel.show_notice("\x1b[31m\u202e")
    assert not {"\x1b", "\x07", "\u202e"} & set(panel.message.value)


def test_yaml_of_any_size_is_changed_soon() -> None:
    pixels = f"epochs: 5\ninit: {{image_tensor: [[[{'.5,' * 199_000}]]]}}\n"
    start = time.process_time()
    assert text_at(pixels, ("epochs",)) == "5"
    assert with_value(pixels, ("epochs",), 7).startswith("epochs: 7\ninit: ")
    with pytest.raises(ConfigError, match="too many values"):
        with_value("a: [" + "a," * 4_000_000 + "]", ("epochs",), 7)
    assert time.process_time() - start < 30
