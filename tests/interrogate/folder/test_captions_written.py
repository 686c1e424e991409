"""Prompts written as captions of their images: beside them or apart, once, and undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from clipnb.cli import main
from clipnb.errors import OutputError, PromptsError
from clipnb.interrogate import (
    CaptionOptions,
    FolderRun,
    Interrogator,
    SettingsError,
    interrogate_folder,
    read_rows,
)
from clipnb.prompts.caption_set import CaptionSet

Make = Callable[..., Interrogator]
Write = Callable[..., FolderRun]
NAMES = ("a.png", "b.png", "deep/c.png")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        photo = Image.fromarray((skimage.data.coffee, skimage.data.chelsea, skimage.data.rocket)[number]())
        photo.resize((90, 60)).save(folder / name)
    return folder


@pytest.fixture
def write(small: Make, pictures: Path) -> Write:
    worker = small()

    def start(output: Path | None = None, paths: object = pictures, **options: object) -> FolderRun:
        return interrogate_folder(
            paths,
            output,
            recursive=paths is pictures,
            batch_size=2,
            interrogator=worker,
            captions=CaptionOptions(**options),
        )

    return start


def texts(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*.txt") if ".clipnb-captions" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(found)}


@pytest.fixture
def prompts(small: Make, pictures: Path) -> dict[str, str]:
    worker = small()
    return {name: worker.interrogate(pictures / name).prompt for name in NAMES}


def test_captions_stand_beside_their_images_and_undo_takes_them_away(
    write: Write, pictures: Path, prompts: dict[str, str]
) -> None:
    done = write(prepend="sks", append="high quality")
    assert done.path is None
    assert done.captions.written == 3
    assert texts(pictures) == {
        name.replace(".png", ".txt"): f"sks, {prompt}, high quality" for name, prompt in prompts.items()
    }
    CaptionSet(pictures).undo()
    assert texts(pictures) == {}
    with pytest.raises(OutputError, match="captions and no table"):
        done.to_frame()


def test_images_with_a_caption_are_not_interrogated_by_default(write: Write, pictures: Path, tmp_path: Path) -> None:
    (pictures / "a.TXT").write_text("mine")
    (pictures / "b.png.txt").write_text("")
    done = write(tmp_path / "rows.csv")
    assert (done.made, done.captions.written, done.captions.kept) == (1, 1, 2)
    assert list(read_rows(tmp_path / "rows.csv")["image"]) == ["deep/c.png"]
    assert (pictures / "a.TXT").read_text() == "mine"
    assert sorted(texts(pictures)) == ["b.png.txt", "deep/c.txt"]
    again = write(tmp_path / "rows.csv")
    assert (again.made, again.captions.written, again.captions.kept) == (0, 0, 3)


def test_a_prompt_is_appended_once(write: Write, pictures: Path, prompts: dict[str, str]) -> None:
    (pictures / "a.txt").write_text("sks, 1cup")
    (pictures / "b.txt").write_text("A cat. ")
    expected = {
        "a.txt": f"sks, 1cup, {prompts['a.png']}, good",
        "b.txt": f"sks, A cat. {prompts['b.png']}, good",
        "deep/c.txt": f"sks, {prompts['deep/c.png']}, good",
    }
    for _ in range(2):
        done = write(existing="append", prepend="sks", append="good")
        assert texts(pictures) == expected
    assert (done.captions.written, done.captions.kept) == (0, 3)
    CaptionSet(pictures).undo()
    assert texts(pictures) == {"a.txt": "sks, 1cup", "b.txt": "A cat. "}


def test_captions_are_replaced_and_come_back(write: Write, pictures: Path, prompts: dict[str, str]) -> None:
    (pictures / "a.txt").write_bytes(b"\xff\xfem\x00e\x00")
    assert write(existing="replace").captions.written == 3
    assert CaptionSet(pictures)["a.png"] == prompts["a.png"]
    CaptionSet(pictures).undo()
    assert (pictures / "a.txt").read_bytes() == b"\xff\xfem\x00e\x00"
    assert not (pictures / "b.txt").exists()


def test_captions_in_a_mirrored_folder(write: Write, pictures: Path, tmp_path: Path, prompts: dict[str, str]) -> None:
    apart = tmp_path / "captions"
    (apart / "deep").mkdir(parents=True)
    (apart / "deep/c.txt").write_text("mine")
    done = write(tmp_path / "rows.jsonl", folder=apart)
    assert (done.made, done.captions.written, done.captions.kept) == (2, 2, 1)
    assert texts(pictures) == {}
    assert texts(apart) == {"a.txt": prompts["a.png"], "b.txt": prompts["b.png"], "deep/c.txt": "mine"}
    CaptionSet(pictures, captions=apart).undo()
    assert texts(apart) == {"deep/c.txt": "mine"}


def test_unreadable_images_get_none_and_are_told(write: Write, pictures: Path) -> None:
    (pictures / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = write()
    assert (done.errors, done.captions.written) == (1, 2)
    assert [one.source for one in done.captions.skipped] == ["b.png"]
    assert not (pictures / "b.txt").exists()
    assert "1 image got none:\n  b.png: " in str(done)


def test_images_of_one_stem_and_hidden_ones_are_told(write: Write, pictures: Path) -> None:
    Image.open(pictures / "b.png").save(pictures / "a.jpg")
    Image.open(pictures / "b.png").save(pictures / ".b.png")
    done = write(paths=[pictures / "a.jpg", pictures / "a.png", pictures / ".b.png"])
    told = {Path(one.source).name: one.why for one in done.captions.skipped}
    assert "hidden" in told[".b.png"]
    assert "a.jpg" in told["a.png"]
    assert sorted(texts(pictures)) == ["a.txt"]


def test_a_log_that_is_a_link_is_not_written_through(write: Write, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (pictures / ".clipnb-captions").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is a link"):
        write()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_links_folders_and_damaged_captions_are_left_alone(write: Write, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (pictures / "a.txt").symlink_to(tmp_path / "secret")
    (pictures / "b.txt").mkdir()
    (pictures / "deep/c.txt").write_bytes(b"\xff\x80 no text")
    done = write(existing="append")
    assert done.captions.written == 0
    assert {one.source for one in done.captions.skipped} == set(NAMES)
    assert (tmp_path / "secret").read_text() == "secret"
    assert write(existing="skip").captions.kept == 3


def test_rows_that_are_there_become_captions(write: Write, pictures: Path, small: Make, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    interrogate_folder(pictures, rows, recursive=True, batch_size=2, interrogator=small())
    done = write(rows)
    assert (done.made, done.kept, done.captions.written) == (0, 3, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"existing": "skipp"}, "use skip"),
        ({"suffix": ".png"}, "no suffix"),
        ({"prepend": "a\0b"}, "prepend"),
        ({"append": "x" * 100_001}, "append"),
        ({"append": "\ud800"}, "half a character"),
        ({"prepend": 3}, "prepend"),
    ],
)
def test_wrong_wishes_are_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises((SettingsError, PromptsError), match=words):
        CaptionOptions(**options)


def test_images_of_the_web_have_no_place_for_captions(write: Write) -> None:
    with pytest.raises(PromptsError, match="download it first"):
        write(paths=["https://example.com/a.png"])


def test_nothing_to_write_is_a_mistake(pictures: Path) -> None:
    with pytest.raises(OutputError, match="nothing would be written"):
        interrogate_folder(pictures)


@pytest.mark.parametrize("option", ["--prepend=x", "--append=x", "--existing=skip", "--captions-to=x"])
def test_options_of_captions_need_captions(option: str, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interrogate", str(pictures), option]) == 2
    assert f"{option.split('=')[0]} belongs to --captions" in capsys.readouterr().err


def test_a_path_is_not_taken_for_a_suffix(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["interrogate", "--captions", str(pictures)])
    assert "put paths in front of it" in capsys.readouterr().err


def test_the_command_writes_captions(
    tiny_clip: str, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels").mkdir()
    for name in ("mediums", "movements", "artists", "flavors", "trendings", "negative", "objects"):
        (tmp_path / f"labels/{name}.txt").write_text(f"{name} one\n{name} two")
    options = ["-m", tiny_clip, "--labels", str(tmp_path / "labels"), "--caption", "\x1b[31mred =1+1"]
    status = main(["interrogate", str(pictures), "--captions", ".caption", "--prepend", "sks", *options])
    out, err = capsys.readouterr()
    assert (status, "2 captions written" in out) == (0, True)
    assert (pictures / "a.caption").read_text().startswith("sks, ")
    assert "\x1b[31m" not in out + err
    assert f"clipnb captions {pictures} undo --suffix .caption" in err
    CaptionSet(pictures, ".caption").undo()
    assert not (pictures / "a.caption").exists()
    assert main(["interrogate", "-q", str(pictures), "--captions", *options]) == 0
    assert (pictures / "a.txt").is_file()
