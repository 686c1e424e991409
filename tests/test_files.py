"""Contents are found installed or not; a name holds a whole file or does not change."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from clipnb import files
from clipnb.errors import OutputError
from clipnb.files import no_device


def test_contents_of_the_checkout() -> None:
    assert files.shipped("labels", "mediums.txt").is_file()
    assert files.shipped("experiments").is_dir()
    assert files.shipped("prompts").is_dir()


def test_contents_of_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "_data" / "prompts").mkdir(parents=True)
    monkeypatch.setattr(files, "PACKAGE", tmp_path)
    assert files.shipped("prompts") == tmp_path / "_data" / "prompts"
    assert files.shipped("labels", "a.txt") == tmp_path / "_data" / "labels" / "a.txt"


def test_cache_folder_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path))
    assert files.cache_folder("labels") == tmp_path / "labels"
    monkeypatch.delenv("CLIPNB_CACHE")
    assert "clipnb" in str(files.cache_folder())


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "kept.txt"
    target.write_text("old")

    def write_half() -> None:
        with files.write_atomically(target) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["kept.txt"]


def test_a_copy_is_whole_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"content")
    files.copy_atomically(tmp_path / "source", tmp_path / "new" / "copy")
    assert (tmp_path / "new" / "copy").read_bytes() == b"content"
    with pytest.raises(OutputError, match="cannot write"):
        files.copy_atomically(tmp_path / "missing", tmp_path / "new" / "copy")
    assert (tmp_path / "new" / "copy").read_bytes() == b"content"
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_a_copy_of_what_is_missing_leaves_the_rest_alone(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"content")
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "claimed").touch()  # by a copy that was killed
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("mine", "claimed", "link", "new"):
        files.copy_missing(tmp_path / "source", tmp_path / name)
    assert [(tmp_path / name).read_bytes() for name in ("mine", "claimed", "new")] == [b"mine", b"content", b"content"]
    assert (tmp_path / "link").is_symlink()
    assert not (tmp_path / "nowhere").exists()


def test_written_files_have_ordinary_rights(tmp_path: Path) -> None:
    with files.write_atomically(tmp_path / "a" / "b.txt") as temporary:
        temporary.write_text("new")
    with files.write_atomically(tmp_path / "c.txt") as temporary:
        temporary.unlink()  # as libraries do that write to a private name of their own
        temporary.touch(mode=0o600)
    (tmp_path / "plain").touch()
    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a/b.txt", "c.txt", "plain")]
    assert len(set(rights)) == 1


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="cannot write into"),
        files.write_atomically(tmp_path / "file" / "x"),
    ):
        pytest.fail("the block must not run")


@pytest.mark.skipif(os.name == "nt", reason="needs /dev/full")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    def write_to_full_disk() -> None:
        with files.write_atomically(tmp_path / "x.txt"), open("/dev/full", "w") as full:  # noqa: PTH123
            full.write("x" * 10**6)

    with pytest.raises(OutputError, match="No space left"):
        write_to_full_disk()
    assert not list(tmp_path.iterdir())


def test_names_that_are_taken_get_a_number(tmp_path: Path) -> None:
    wished = tmp_path / "a.png"
    (tmp_path / "a-1.png").touch()
    assert [files.claim(wished).name for _ in range(2)] == ["a.png", "a-2.png"]


@pytest.mark.parametrize(
    ("given", "name"),
    [("CON", "CON_"), ("nul.txt", "nul_.txt"), ("Com1 .png", "Com1_ .png"), ("lpt9", "lpt9_"), ("com10", "com10"),
     ("nulls.txt", "nulls.txt"), ("a.con", "a.con")],
)  # fmt: skip
def test_names_of_devices_are_put_aside(given: str, name: str) -> None:
    assert no_device(given) == name
