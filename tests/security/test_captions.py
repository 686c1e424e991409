"""Folders of captions that came from anywhere: links, pipes, bombs, and logs that would write elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from clipnb import CaptionSet
from clipnb.errors import OutputError, PromptsError
from clipnb.prompts import caption_set
from clipnb.prompts.tag_line import TagLine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in "abcdefg":
        (folder / f"{name}.png").write_bytes(b"image")
    (folder / "a.txt").write_text("1girl")
    return folder


def test_hostile_captions_are_named_and_left_alone(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (folder / "b.txt").symlink_to(secret)
    (folder / "c.txt").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "d.txt")
    with (folder / "e.txt").open("wb") as huge:
        huge.truncate(100 * 2**20)
    (folder / "f.txt").mkdir()
    (folder / "g.txt").write_bytes(b"a\0b")
    captions = CaptionSet(folder)
    assert list(captions) == ["a.png"]
    why = {one.source: one.why for one in captions.skipped}
    assert set(why) == {"b.txt", "c.txt", "d.txt", "e.txt", "g.txt"}
    assert "leads out of the folder" in why["b.txt"]
    assert "larger than 1 MiB" in why["e.txt"]
    captions.append("x")
    written = captions.save()
    assert [one.source for one in written.skipped] == ["f.txt"]
    assert "folder" in written.skipped[0].why
    assert secret.read_text() == "secret"
    assert not (tmp_path / "nowhere").exists()


def test_unreadable_caption_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads all")
    (folder / "a.txt").chmod(0)
    assert "Permission denied" in CaptionSet(folder).skipped[0].why


def test_folder_of_captions_that_is_a_link_is_not_written_through(folder: Path, tmp_path: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "x.png").touch()
    texts, elsewhere = tmp_path / "texts", tmp_path / "elsewhere"
    texts.mkdir()
    elsewhere.mkdir()
    (texts / "in").symlink_to(elsewhere)
    captions = CaptionSet(folder, captions=texts)
    captions.append("x", images=["in/x.png"])
    assert [one.why for one in captions.save().skipped] == ["a link leads out of the folder"]
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("name", [".clipnb-captions", ".clipnb-captions/lock"])
def test_log_that_is_a_link_is_refused(name: str, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(target)
    captions = CaptionSet(folder)
    captions.append("x")
    with pytest.raises(OutputError, match="is a link"):
        captions.save()
    assert not target.exists()


def test_part_that_is_a_link_is_not_written_through(folder: Path, tmp_path: Path) -> None:
    (folder / ".clipnb-caption.part").symlink_to(tmp_path / "target")
    captions = CaptionSet(folder)
    captions.append("x")
    captions.save()
    assert not (tmp_path / "target").exists()
    assert (folder / "a.txt").read_text() == "1girl, x"


@pytest.mark.parametrize(
    "file",
    [
        "../out.txt",
        "/tmp/out.txt",
        "a.png",
        "conftest.py",
        ".git/hooks/a.txt",
        "in/../../out.txt",
        "a\0.txt",
        ".x.txt",
        5,
    ],
)
def test_log_that_came_with_the_folder_writes_captions_alone(file: object, folder: Path, tmp_path: Path) -> None:
    place = folder / ".clipnb-captions"
    place.mkdir()
    (place / "000001.saving").write_text(json.dumps([file, None, "evil"]) + "\n")
    before = sorted(path for path in tmp_path.rglob("*") if path.name != "lock")
    with pytest.raises(PromptsError, match="remove it to go on without it"):
        CaptionSet(folder)
    assert sorted(path for path in tmp_path.rglob("*") if path.name != "lock") == before
    assert (folder / "a.png").read_bytes() == b"image"


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe", b"{}", b'["a.txt", ["!"], null]', b"[1,2]"])
def test_damaged_log_is_an_error_that_names_it(content: bytes, folder: Path) -> None:
    place = folder / ".clipnb-captions"
    place.mkdir()
    (place / "000001.jsonl").write_bytes(content)
    with pytest.raises(PromptsError, match=r"000001\.jsonl"):
        CaptionSet(folder).undo()
    assert (folder / "a.txt").read_text() == "1girl"


def test_too_many_bytes_of_captions_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caption_set, "MOST_BYTES", 4)
    with pytest.raises(PromptsError, match="name a part of it"):
        CaptionSet(folder)


def test_markup_in_captions_is_shown_as_text(folder: Path) -> None:
    preview = CaptionSet(folder).set("a.png", "<script>alert(1)</script>")
    assert "<script" not in preview._repr_html_()


@pytest.mark.parametrize("text", ["(" * 200_000, "(a," * 100_000, "a" + "\t" * 500_000 + "b", ",\n" * 200_000 + "x"])
def test_hostile_brackets_and_blanks_are_taken_apart_at_once(text: str) -> None:
    assert str(TagLine.parse(text)) == text
