"""Which files are read as what: captions and their pictures, folders, globs, names, standard input."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from clipnb.errors import PromptsError
from clipnb.prompts.caption_files import find_captions
from clipnb.prompts.read import KINDS, prompts_of, read_prompts


def made(folder: Path, **files: str) -> Path:
    """Write texts by names in which `_` stands for the dot; pictures are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


@pytest.mark.parametrize("how", ["folder", "glob", "names", "uploads"])
def test_a_picture_with_two_captions_counts_once(tmp_path: Path, how: str) -> None:
    folder = made(tmp_path / "set", a_png="", a_txt="by hand", a_caption="by a model", b_jpg="", b_caption="another")
    given = {"folder": folder, "glob": folder / "*", "names": sorted(folder.glob("*.[tc]*"))}
    uploads = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    prompts = prompts_of(uploads) if how == "uploads" else read_prompts(given[how])
    assert sorted(prompts) == ["another", "by hand"]
    assert [Path(skip.source).name for skip in prompts.skipped] == ["a.caption"]
    assert "a.txt" in prompts.report()
    assert prompts.without_picture == ()


def test_a_caption_that_is_named_is_read_whatever_else_its_picture_has(tmp_path: Path) -> None:
    folder = made(tmp_path, a_png="", a_txt="by hand", a_caption="by a model")
    assert list(read_prompts(folder / "a.caption")) == ["by a model"]


def test_the_reader_pairs_as_caption_sets_do(tmp_path: Path) -> None:
    names = [
        "a.png",
        "a.TXT",
        "b.jpg",
        "b.jpg.txt",
        "c.webp",
        "d.heic",
        "d.caption",
        "e.png",
        "e.jpg",
        "e.txt",
        "f.txt",
    ]
    for folder in (tmp_path, tmp_path / "deep"):
        folder.mkdir(exist_ok=True)
        for name in names:
            (folder / name).write_text("x")
    found, read = find_captions(tmp_path), read_prompts(tmp_path)
    pairs = dict(zip(read.column("source"), read.column("picture"), strict=True))
    images = {str(tmp_path / text): str(tmp_path / image) for image, text in reversed(found.captions.items())}
    assert {source: picture for source, picture in pairs.items() if picture} == images
    assert sorted(read.without_prompt) == sorted(tmp_path / name for name in found.without_caption)
    assert sorted(read.without_picture) == sorted(tmp_path / name for name in found.without_image)


def test_few_texts_with_the_names_of_pictures_leave_lists_lists(tmp_path: Path) -> None:
    folder = made(tmp_path, cat_png="", cat_txt="a,\nb", one_txt="x\ny", two_txt="z")
    assert list(read_prompts(folder)) == ["x", "y", "z", "a, b"]


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    made(tmp_path, a_txt="a")
    made(tmp_path / "closed").chmod(0)
    try:
        prompts = read_prompts(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert [skip.source for skip in prompts.skipped] == [str(tmp_path / "closed")]


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    made(tmp_path, a_txt="a")
    (tmp_path / "b.txt").symlink_to(tmp_path / "gone")
    prompts = read_prompts(tmp_path)
    assert (list(prompts), prompts.skips) == (["a"], 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_files_of_any_name(tmp_path: Path, kind: str) -> None:
    (tmp_path / "notes.md").write_text("prompt,id\na,b\n")
    if kind in ("text", "csv", "wildcards", "parameters", "captions"):
        assert len(read_prompts(tmp_path / "notes.md", kind=kind)) > 0
    else:
        with pytest.raises(PromptsError, match=r"notes\.md"):
            read_prompts(tmp_path / "notes.md", kind=kind)


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("auto", "b\na\n", ["a", "b"]),
        ("csv", "prompt,n\nb,1\n", ["b"]),
        ("captions", "b,\na\n", ["b, a"]),
        ("wildcards", "# no\na\n", ["a"]),
    ],
)
def test_standard_input_is_read_as_what_it_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, kind: str, text: str, found: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert list(read_prompts("-", kind=kind)) == found


def test_standard_input_that_is_empty_or_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for content, words in ((b"", "no prompts in -"), (b"a" * 101, "standard input: more than 100 bytes")):
        monkeypatch.setattr("clipnb.prompts.read.MOST_BYTES", 100)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        with pytest.raises(PromptsError, match=words):
            read_prompts("-")


def test_a_glob_of_many_captions_looks_at_their_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        made(tmp_path, **{f"{number}_txt": "a", f"{number}_png": ""})
    looked: list[str] = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: looked.append(str(path)) or real(path))
    assert len(read_prompts([tmp_path / f"{number}.txt" for number in range(20)])) == 20
    assert looked.count(str(tmp_path)) == 1
