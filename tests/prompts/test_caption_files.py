"""Captions beside images: found, read, written."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from clipnb.errors import OutputError, PromptsError
from clipnb.prompts.caption_files import find_captions, read_caption, write_caption


def _made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("a cat")
    return folder


def test_captions_belong_to_images_of_their_name_in_folders_too(tmp_path: Path) -> None:
    folder = _made(tmp_path, "a.png", "a.txt", "b.JPG", "b.TXT", "in/c.webp", "in/c.webp.txt", "d.png", "notes.txt")
    _made(folder, ".hidden/e.png", ".hidden/e.txt", ".f.png", "a.npz")
    found = find_captions(folder)
    assert found.captions == {"a.png": "a.txt", "b.JPG": "b.TXT", "in/c.webp": "in/c.webp.txt"}
    assert found.without_caption == ("d.png",)
    assert found.without_image == ("notes.txt",)


def test_caption_suffix_may_be_named_and_txt_comes_first(tmp_path: Path) -> None:
    folder = _made(tmp_path, "a.png", "a.txt", "a.caption", "a.tags", "b.png", "b.caption")
    assert find_captions(folder).captions == {"a.png": "a.txt", "b.png": "b.caption"}
    assert find_captions(folder, "tags").captions == {"a.png": "a.tags"}
    for wrong in ("png", "", "a/b", "*"):
        with pytest.raises(PromptsError, match="no suffix of captions"):
            find_captions(folder, wrong)


def test_captions_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    _made(tmp_path, "images/in/a.png", "texts/in/a.txt", "images/in/a.txt")
    found = find_captions(tmp_path / "images", captions=tmp_path / "texts")
    assert found.captions == {"in/a.png": "in/a.txt"}
    assert found.without_image == ()


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    folder = _made(tmp_path, "a.png", "a.txt")
    (folder / "loop").symlink_to(folder)
    assert list(find_captions(folder).captions) == ["a.png"]


def test_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(PromptsError, match="there is no folder"):
        find_captions(tmp_path / "none")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_caption_is_read_by_its_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("a café,\r\n猫".encode(encoding))
    assert read_caption(tmp_path / "a.txt") == "a café,\r\n猫"


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"caf\xe9", "no UTF-8 text"), (b"a\0b", "zero bytes"), (b"x" * (2**20 + 1), "larger than 1 MiB")],
)
def test_what_is_no_caption_is_refused_in_words(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(PromptsError, match=why):
        read_caption(tmp_path / "a.txt")


def test_caption_is_written_whole_with_the_rights_it_had(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_caption(path, "one")
    path.chmod(0o640)
    write_caption(path, "two, é")
    assert read_caption(path) == "two, é"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_caption_that_no_file_can_hold_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_caption(path, "one")
    for text in ("half \ud800", "x" * (2**20 + 1), "a\0"):
        with pytest.raises(PromptsError):
            write_caption(path, text)
    assert read_caption(path) == "one"
    with pytest.raises(OutputError, match="cannot write"):
        write_caption(tmp_path / "none" / "a.txt", "x")


def test_pictures_of_odd_names_have_captions_and_other_kinds_are_told(tmp_path: Path) -> None:
    folder = _made(tmp_path, "a.txt", "b.txt", "c.txt", "e.txt", "c.svg", "notes", "d.heic")
    for name in ("a.jpg_large", "b", "e.mpo"):
        (folder / name).write_bytes(b"\xff\xd8\xff\xe0 and more")
    found = find_captions(folder)
    assert found.captions == {"a.jpg_large": "a.txt", "b": "b.txt", "e.mpo": "e.txt"}
    assert found.without_caption == ("d.heic",)
    assert [(one.source, "save them as PNG" in one.why) for one in found.skipped] == [("c.svg", True)]
