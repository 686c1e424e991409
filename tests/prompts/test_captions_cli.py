"""`clipnb captions`."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipnb.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"a": "1girl, long_hair", "b": "long hair, smile", "c": ""}.items():
        (tmp_path / f"{name}.png").touch()
        if text:
            (tmp_path / f"{name}.txt").write_text(text)
    return tmp_path


def run(folder: Path, *words: str) -> int:
    return main(["captions", str(folder), *words, "-q"])


def test_count_and_find_list_what_there_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "count", "--top", "1") == 0
    out, err = capsys.readouterr()
    assert out == "long_hair | 2\n"
    assert "2 captions of 3 images; 1 image without a caption, 0 captions without an image" in err
    assert run(folder, "find", "long hair", "--none", "smile") == 0
    assert capsys.readouterr().out == "a.png\n"
    assert run(folder, "check") == 1
    assert "without a caption:\n  c.png" in capsys.readouterr().out


def test_captions_in_another_encoding_are_read_by_its_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.txt").write_bytes("café".encode("cp1252"))
    assert run(folder, "count") == 1
    assert "name its encoding" in capsys.readouterr().err
    assert run(folder, "count", "--encoding", "cp1252") == 0
    assert "café | 1" in capsys.readouterr().out


def test_dry_run_shows_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "replace", "long hair", "braid", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "2 captions change" in out
    assert "+ 1girl, braid" in out
    assert (folder / "a.txt").read_text() == "1girl, long_hair"
    assert not (folder / ".clipnb-captions").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["replace", "long hair", "braid"], "1girl, braid"),
        (["remove", "1girl"], "long_hair"),
        (["append", "x", "y"], "1girl, long_hair, x, y"),
        (["prepend", "x"], "x, 1girl, long_hair"),
        (["sort", "--triggers", "long hair"], "long_hair, 1girl"),
        (["triggers", "long hair"], "long_hair, 1girl"),
        (["underscores", "off"], "1girl, long hair"),
    ],
)
def test_edits_are_written_and_undone(words: list[str], text: str, folder: Path) -> None:
    assert run(folder, *words) == 0
    assert (folder / "a.txt").read_text() == text
    assert run(folder, "undo") == 0
    assert (folder / "a.txt").read_text() == "1girl, long_hair"


def test_mapping_and_ban_files(folder: Path) -> None:
    (folder / "map.csv").write_text("tag,becomes\nlong hair,braid\n")
    (folder / "ban.list").write_text("smile\n")
    assert run(folder, "replace", "--mapping", str(folder / "map.csv")) == 0
    assert run(folder, "ban", str(folder / "ban.list")) == 0
    assert (folder / "b.txt").read_text() == "braid"


def test_captions_that_cannot_be_read_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.txt").write_bytes(b"\xff\xfe\xfa")
    assert run(folder, "append", "x") == 1
    assert "a.txt: it is no UTF-16-LE text" in capsys.readouterr().err
    assert (folder / "a.txt").read_bytes() == b"\xff\xfe\xfa"


@pytest.mark.parametrize(
    "words",
    [["replace", "a"], ["replace", "a", "b", "--mapping", "f"], ["replace", "a", "--mapping", "f"], ["find"],
     ["count", "--top", "0"], ["undo"], ["count", "--suffix", "png"]],
)  # fmt: skip
def test_useless_wishes_are_refused_in_one_line(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, *words) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("clipnb: ")


def test_interrupt_says_how_it_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("clipnb.prompts.caption_log.write_whole", interrupt)
        assert run(folder, "append", "x") == 130
    assert "the next command finishes it" in capsys.readouterr().err
    assert run(folder, "count") == 0
    assert (folder / "a.txt").read_text() == "1girl, long_hair, x"
