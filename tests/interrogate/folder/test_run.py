"""A folder of pictures to one file of prompts: what is in it, whatever happened on the way."""

from __future__ import annotations

import csv
import json
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import skimage.data
from PIL import Image

from clipnb.cli import main
from clipnb.errors import ImageError, OutputError
from clipnb.interrogate import (
    FolderRun,
    Interrogation,
    Interrogator,
    Settings,
    SettingsError,
    interrogate_folder,
    read_rows,
)
from clipnb.interrogate.folder.rows import COLUMNS, Row
from clipnb.interrogate.folder.run import find_output
from clipnb.spreadsheet import unguard

Make = Callable[..., Interrogator]
Run = Callable[..., FolderRun]
ODD_NAMES = ["two\nlines.png", 'quoted "name", with comma.png', "smile \U0001f600.png", "=1+1.png", " space.png"]
NAMES = [*ODD_NAMES, "a.jpg", "b.gif", "c.webp", "d.bmp", "z.JPEG", "deeper/e.png", "deeper/f.png"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with twelve good pictures."""
    folder = tmp_path / "pictures"
    (folder / "deeper").mkdir(parents=True)
    photos = [Image.fromarray(getattr(skimage.data, name)()) for name in ("coffee", "chelsea", "rocket")]
    for number, name in enumerate(NAMES):
        photo = photos[number % 3]
        left = 7 * number
        photo.crop((left, left, left + 120, left + 90 + number)).save(folder / name)
    return folder


@pytest.fixture
def run(small: Make, pictures: Path, tmp_path: Path) -> Run:
    """Run over the folder with the small encoder, four pictures a batch."""
    worker = small()

    def start(name: str = "out.csv", **options: object) -> FolderRun:
        options = {"recursive": "paths" not in options, "batch_size": 4, "interrogator": worker, **options}
        return interrogate_folder(options.pop("paths", pictures), tmp_path / name, **options)

    return start


def read(path: Path) -> list[Row]:
    return list(find_output(path).read())


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_rows_are_what_one_by_one_gives(name: str, run: Run, small: Make, pictures: Path, tmp_path: Path) -> None:
    done = run(name, mode="fast", max_flavors=3)
    assert (done.made, done.kept, done.errors) == (12, 0, 0)
    frame = done.to_frame()
    assert tuple(frame.columns) == COLUMNS
    assert list(frame["image"]) == sorted(
        [*ODD_NAMES, "a.jpg", "b.gif", "c.webp", "d.bmp", "z.JPEG", "deeper/e.png", "deeper/f.png"]
    )
    for row in frame.itertuples():
        alone = small().interrogate(pictures / row.image, "fast", max_flavors=3)
        assert (row.prompt, row.caption, row.caption_source, row.model) == (
            alone.prompt,
            alone.caption,
            "composed",
            alone.model,
        )
        assert row.similarity == pytest.approx(alone.similarity, abs=1e-5)
        assert row.error == ""


def test_plain_readers_read_the_rows_too(run: Run, tmp_path: Path) -> None:
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        run(name, mode="caption")
    expected = read_rows(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        assert [unguard(record["image"]) for record in csv.DictReader(file)] == list(expected["image"])
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["prompt"] for line in lines] == list(expected["prompt"])
    assert list(pd.read_parquet(tmp_path / "out.parquet")["image"]) == list(expected["image"])
    pd.testing.assert_frame_equal(read_rows(tmp_path / "out.jsonl"), expected)
    pd.testing.assert_frame_equal(read_rows(tmp_path / "out.parquet"), expected)


def test_a_finished_run_has_nothing_left_to_do(run: Run, tmp_path: Path) -> None:
    run()
    before = (tmp_path / "out.csv").read_bytes()
    again = run()
    assert (again.made, again.kept) == (0, 12)
    assert (tmp_path / "out.csv").read_bytes() == before
    assert "12 were there already" in str(again)


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_a_file_cut_anywhere_is_gone_on_with(name: str, run: Run, tmp_path: Path) -> None:
    run(name)
    path = tmp_path / name
    whole = path.read_bytes()
    for cut in [*range(0, len(whole), len(whole) // 23), len(whole) - 1]:
        path.write_bytes(whole[:cut])
        run(name)
        assert path.read_bytes() == whole, cut


def test_shards_that_are_missing_are_made_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.interrogate.folder.parquet.SHARD_ROWS", 4)
    whole = run("out.parquet").to_frame()
    shards = sorted((tmp_path / "out.parquet").glob("part-*"))
    assert len(shards) == 3
    shards[1].unlink()
    again = run("out.parquet")
    assert (again.made, again.kept) == (4, 8)
    pd.testing.assert_frame_equal(again.to_frame(), whole)
    assert list(pd.read_parquet(tmp_path / "out.parquet")["image"]) == list(whole["image"])


def test_what_changed_is_done_again_and_what_is_new(run: Run, pictures: Path, tmp_path: Path) -> None:
    before = {row.image: row for row in run().to_frame().fillna(-1).itertuples(index=False)}
    Image.fromarray(skimage.data.astronaut()).save(pictures / "a.jpg")
    Image.fromarray(skimage.data.camera()).save(pictures / "0 first.png")
    again = run()
    after = {row.image: row for row in again.to_frame().fillna(-1).itertuples(index=False)}
    assert (again.made, again.kept) == (2, 11)
    assert [name for name in after if name not in before or after[name] != before[name]] == ["0 first.png", "a.jpg"]
    assert [row.image for row in read(tmp_path / "out.csv")] == sorted(after)


def test_rows_of_pictures_that_are_gone_stay(run: Run, pictures: Path, tmp_path: Path) -> None:
    run()
    (pictures / "a.jpg").unlink()
    assert len(run().to_frame()) == 12


def test_rows_of_pictures_that_are_gone_are_counted_and_dropped_when_asked(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    whole = run()
    assert (whole.others, whole.pruned) == (0, 0)
    (pictures / "a.jpg").rename(pictures / "renamed.jpg")
    (pictures / "b.gif").unlink()
    kept = run()
    assert (kept.made, kept.others, kept.pruned) == (1, 2, 0)
    assert "2 rows of images that are not there, which --prune drops" in str(kept)
    pruned = run(prune=True)
    assert (pruned.made, pruned.others, pruned.pruned) == (0, 0, 2)
    assert "2 rows dropped" in str(pruned)
    assert [row.image for row in read(tmp_path / "out.csv")] == sorted({*NAMES, "renamed.jpg"} - {"a.jpg", "b.gif"})


def test_rows_below_a_folder_that_cannot_be_read_are_not_pruned(
    run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    scan = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "deeper":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert run(prune=True).pruned == 0
    assert {"deeper/e.png", "deeper/f.png"} <= {row.image for row in read(tmp_path / "out.csv")}


def test_a_path_in_three_spellings_is_one_row(
    run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spellings = ["pictures/a.jpg", "./pictures//a.jpg", str(pictures / "a.jpg"), "pictures/deeper/../a.jpg"]
    assert run(paths=spellings).made == 1
    for spelling in spellings:
        again = run(paths=[spelling, "pictures/b.gif"])
        assert (again.made + again.kept, again.others) == (2, 0)
    assert again.kept == 2
    assert sorted(row.image for row in read(tmp_path / "out.csv")) == ["pictures/a.jpg", "pictures/b.gif"]


def test_rows_of_pictures_that_have_a_caption_are_not_pruned(run: Run, pictures: Path, tmp_path: Path) -> None:
    run()
    (pictures / "a.txt").write_text("a cat")
    done = run(captions=".txt", prune=True)
    assert (done.pruned, done.captions.written) == (0, len(NAMES) - 1)
    assert {row.image for row in read(tmp_path / "out.csv")} == set(NAMES)
    assert run(captions=".txt", prune=True).pruned == 0


def test_captions_are_written_where_a_table_spells_paths_in_another_way(
    run: Run, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(paths=["pictures/a.jpg", "pictures/b.gif"])
    done = run(paths=[str(pictures / "a.jpg"), str(pictures / "b.gif")], captions=".txt")
    assert (done.made, done.captions.written) == (0, 2)
    assert (pictures / "a.txt").exists()


def test_pictures_of_odd_names_are_read_and_other_kinds_counted(run: Run, pictures: Path, tmp_path: Path) -> None:
    (pictures / "a.jpg").rename(pictures / "a.jpg_large")
    (pictures / "b.gif").rename(pictures / "b")
    (pictures / "notes.txt").write_text("no picture")
    for number in range(3):
        (pictures / f"{number}.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    (pictures / "deeper" / "drawing.svg").write_text("<svg/>")
    done = run()
    assert done.made == len(NAMES)
    assert done.unread == {".heic": 3, ".svg": 1}
    assert "passed over: 3 .heic: pip install pillow-heif; 1 .svg: save them as PNG or JPEG" in str(done)
    assert {"a.jpg_large", "b"} <= {row.image for row in read(tmp_path / "out.csv") if not row.error}


def test_a_folder_of_nothing_but_other_kinds_says_what_to_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    with pytest.raises(ImageError, match=r"1 \.heic: pip install pillow-heif"):
        run(paths=tmp_path / "phone")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_that_a_spreadsheet_saved_is_gone_on_with(
    encoding: str, delimiter: str, run: Run, pictures: Path, tmp_path: Path
) -> None:
    if encoding == "cp1252":  # which has no such smile
        (pictures / ODD_NAMES[2]).rename(pictures / "caf\xe9.png")
    run()
    out = tmp_path / "out.csv"
    ours, rows = out.read_bytes(), read(out)
    with out.open(encoding="utf-8", newline="") as file:
        cells = list(csv.reader(file))
    if delimiter == ";":  # of a country that writes decimal commas
        place = cells[0].index("similarity")
        cells[1:] = [
            [cell.replace(".", ",") if i == place else cell for i, cell in enumerate(one)] for one in cells[1:]
        ]
    with out.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(cells)
    assert read(out) == rows
    (pictures / "a.jpg").rename(pictures / "another.jpg")
    done = run()
    assert (done.made, done.kept, done.others) == (1, len(NAMES) - 1, 1)
    (pictures / "another.jpg").rename(pictures / "a.jpg")
    assert run(prune=True).pruned == 1
    assert out.read_bytes() == ours


def test_lines_of_json_that_an_editor_saved_are_gone_on_with(run: Run, tmp_path: Path) -> None:
    run("out.jsonl")
    out = tmp_path / "out.jsonl"
    rows = read(out)
    out.write_bytes(b"\xef\xbb\xbf" + out.read_bytes().replace(b"\n", b"\r\n"))
    assert read(out) == rows
    assert run("out.jsonl").made == 0


def test_copies_of_a_picture_are_computed_once(
    run: Run, small: Make, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        (pictures / f"copy {number}.jpg").write_bytes((pictures / "a.jpg").read_bytes())
    worker, seen = small(), []
    encode = worker.encoder.encode_image
    monkeypatch.setattr(worker.encoder, "encode_image", lambda pixels: seen.append(len(pixels)) or encode(pixels))
    frame = run(interrogator=worker).to_frame()
    assert sum(seen) == 12
    assert len(frame) == 21
    copies = frame[frame["image"].str.startswith("copy") | (frame["image"] == "a.jpg")]
    assert len(copies) == 10
    assert len(copies.drop(columns="image").drop_duplicates()) == 1


def test_a_copy_that_was_forgotten_is_computed_again(run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pictures / "zz copy.jpg").write_bytes((pictures / "a.jpg").read_bytes())
    expected = run("one.csv").to_frame()
    monkeypatch.setattr("clipnb.interrogate.folder.worker.REMEMBERED_ROWS", 1)
    found = run("other.csv").to_frame()
    assert list(found["prompt"]) == list(expected["prompt"])


def test_damaged_files_are_rows_with_errors(run: Run, pictures: Path, tmp_path: Path) -> None:
    good = (pictures / "z.JPEG").read_bytes()
    (pictures / "truncated.jpg").write_bytes(good[: len(good) // 2])
    (pictures / "empty.png").write_bytes(b"")
    (pictures / "words.jpg").write_bytes(b"hello")
    square = struct.pack("<HH", 30_000, 30_000)
    (pictures / "bomb.gif").write_bytes(
        b"GIF89a" + square + b"\x80\0\0" + bytes(6) + b",\0\0\0\0" + square + b"\0\x02\0;"
    )
    (pictures / "loop.jpg").symlink_to("loop.jpg")
    (pictures / "gone.jpg").symlink_to("nothing.jpg")
    (pictures / "deeper" / "up").symlink_to("..", target_is_directory=True)
    os.mkfifo(pictures / "pipe.jpg")
    (pictures / "notes.txt").write_text("no picture, and not named like one")
    (pictures / "._z.JPEG").write_bytes(b"what another system keeps beside a file")
    (pictures / ".ipynb_checkpoints").mkdir()
    (pictures / ".ipynb_checkpoints" / "z-checkpoint.jpg").write_bytes(good)
    done = run(paths=[pictures], recursive=True)
    assert (done.made, done.errors) == (19, 7)
    frame = done.to_frame().set_index("image")
    reasons = {
        "truncated.jpg": "damaged",
        "empty.png": "no picture",
        "words.jpg": "no picture",
        "bomb.gif": "million are read",
        "loop.jpg": "symbolic links",
        "gone.jpg": "there is no picture",
        "pipe.jpg": "no regular file",
    }
    for name, words in reasons.items():
        assert words in frame.loc[name, "error"]
        assert frame.loc[name, "prompt"] == ""
    assert (frame["error"] != "").sum() == 7
    again = run()
    assert (again.made, again.kept, again.errors) == (0, 19, 7)


def test_errors_are_tried_again_when_asked_or_mended(run: Run, pictures: Path) -> None:
    broken = pictures / "broken.png"
    broken.write_bytes(b"hello")
    assert run().errors == 1
    assert run(retry_errors=True).made == 1
    broken.write_bytes((pictures / "a.jpg").read_bytes())
    mended = run()
    assert (mended.made, mended.errors) == (1, 0)
    assert len(mended.to_frame()) == 13


def test_a_folder_that_cannot_be_read_is_a_row(run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "deeper":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr("clipnb.interrogate.folder.image_files.os.scandir", refuse)
    frame = run().to_frame()
    assert len(frame) == 11
    assert frame.set_index("image").loc["deeper", "error"] == "cannot read the folder: Permission denied"


def test_names_are_relative_to_one_folder_and_as_given_otherwise(run: Run, pictures: Path, tmp_path: Path) -> None:
    alone = run("a.csv", paths=str(pictures), recursive=False).to_frame()
    assert set(alone["image"]) >= {"a.jpg"}
    assert len(alone) == 10
    both = run("b.csv", paths=[pictures / "deeper", pictures / "a.jpg", pictures / "a.jpg"]).to_frame()
    assert list(both["image"]) == [f"{pictures}/a.jpg", f"{pictures}/deeper/e.png", f"{pictures}/deeper/f.png"]


def test_the_same_run_goes_on_with_another_pace_but_no_other_way(run: Run, small: Make, tmp_path: Path) -> None:
    run(mode="classic")
    assert run(mode="classic", batch_size=5, workers=1).made == 0
    with pytest.raises(OutputError, match="mode was classic and is fast"):
        run(mode="fast")
    with pytest.raises(OutputError, match="caption was not given and is a cat"):
        run(mode="classic", caption="a cat")
    with pytest.raises(OutputError, match="settings beam_width was 4 and is 5"):
        run(mode="classic", interrogator=small(beam_width=5))
    other = Interrogator(small().encoder, labels={"flavors": ["one"]}, settings=small().settings)
    with pytest.raises(OutputError, match=r"labels flavors was [0-9a-f]{16} and is"):
        run(mode="classic", interrogator=other)
    assert json.loads((tmp_path / "out.csv.settings.json").read_text())["mode"] == "classic"


def test_what_is_avoided_and_required_belongs_to_how_rows_are_made(run: Run, small: Make, tmp_path: Path) -> None:
    (tmp_path / "banned.txt").write_text("sky\n")
    wishes = {"avoid": tmp_path / "banned.txt", "trigger": "sks", "without": "artists", "max_words": 9}
    run(interrogator=small(**wishes))
    rows = read_rows(tmp_path / "out.csv")
    assert all(prompt.startswith("sks, ") and "sky" not in prompt for prompt in rows.prompt[rows.error == ""])
    assert run(interrogator=small(**wishes)).made == 0
    for name, value in (("trigger", "other"), ("without", ()), ("max_words", 8)):
        with pytest.raises(OutputError, match=f"settings {name} was .* and is"):
            run(interrogator=small(**{**wishes, name: value}))
    (tmp_path / "banned.txt").write_text("sea\n")
    with pytest.raises(OutputError, match=r"avoided was .* and is"):
        run(interrogator=small(**wishes))


def test_what_is_no_output_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "folder.parquet" / "part-000000.parquet").write_bytes(b"mine")
    for name in ("table.csv", "folder.parquet"):
        with pytest.raises(OutputError, match=r"no output of clipnb interrogate .*; choose another name"):
            run(name)
    assert (tmp_path / "table.csv").read_text() == "a,b\n1,2\n"
    run("rows.csv")
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    with pytest.raises(OutputError, match="other columns"):
        run("rows.csv")


def test_an_output_in_use_is_left_alone(run: Run, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    run()
    with (tmp_path / "out.csv.settings.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="in use by another run"):
            run()
    assert run().made == 0


def test_ctrl_c_keeps_what_is_done(run: Run, small: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("whole.jsonl").path.read_bytes()
    worker = small()
    batch, calls = worker.interrogate_batch, []

    def interrupted(*args: object, **options: object) -> list[Interrogation]:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return batch(*args, **options)

    monkeypatch.setattr(worker, "interrogate_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("out.jsonl", interrogator=worker)
    assert (tmp_path / "out.jsonl").read_bytes() == b"".join(whole.splitlines(keepends=True)[:8])
    assert run("out.jsonl").made == 4
    assert (tmp_path / "out.jsonl").read_bytes() == whole


def test_mistakes_are_told_before_models_are_loaded(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"use \.csv, \.jsonl, \.parquet"):
        interrogate_folder(pictures, tmp_path / "out.txt")
    with pytest.raises(SettingsError, match="use local, ray"):
        interrogate_folder(pictures, tmp_path / "out.csv", engine="spark")
    with pytest.raises(SettingsError, match="batch_size"):
        interrogate_folder(pictures, tmp_path / "out.csv", batch_size=0)
    with pytest.raises(OutputError, match=r"'rows': the name has no suffix; use"):
        interrogate_folder(pictures, "rows")
    with pytest.raises(SettingsError, match=r"200000 characters; at most 100000"):
        interrogate_folder(pictures, tmp_path / "out.csv", caption="x" * 200_000)
    with pytest.raises(ImageError, match="--recursive"):
        interrogate_folder(tmp_path, tmp_path / "out.csv")
    with pytest.raises(ImageError, match=r"there is no file or folder .*picturs"):
        interrogate_folder(tmp_path / "picturs", tmp_path / "out.csv")
    with pytest.raises(ImageError, match="a path is empty"):
        interrogate_folder("", tmp_path / "out.csv")
    assert not list(tmp_path.glob("out.*"))


def test_a_loaded_interrogator_takes_no_other_labels_or_settings(run: Run, small: Make) -> None:
    for name, value in (("labels", ["a"]), ("settings", Settings())):
        with pytest.raises(SettingsError, match=f"a loaded interrogator has its own {name}"):
            run(interrogator=small(), **{name: value})


def test_one_missing_file_of_several_is_a_row(run: Run, pictures: Path) -> None:
    frame = run(paths=[pictures / "a.jpg", pictures / "no.jpg"]).to_frame()
    assert [bool(error) for error in frame["error"]] == [False, True]


def test_names_that_begin_like_a_home_folder_are_names(
    run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pictures / "a.jpg").rename(pictures / "~draft.jpg")
    monkeypatch.chdir(pictures)
    assert run("walked.csv", paths=".").errors == 0
    assert run("named.csv", paths="~draft.jpg").errors == 0


def test_similarity_may_be_left_out(run: Run) -> None:
    assert run(similarity=False).to_frame()["similarity"].isna().all()


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_of_several_rows_about_an_image_the_last_counts(name: str, tmp_path: Path) -> None:
    place = find_output(tmp_path / name)
    place.open()
    rows = [Row(image, "d", f"prompt of {image}", similarity=0.1) for image in "cab"]
    place.append(rows)
    place.append([replace(rows[0], prompt="newer")])
    place.close()
    assert read_rows(tmp_path / name)["prompt"].tolist() == ["prompt of a", "prompt of b", "newer"]


def test_the_command_writes_and_says_what(
    tiny_clip: str,
    pictures: Path,
    tmp_path: Path,
    small_lists: dict[str, list[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    for name, entries in small_lists.items():
        (labels / f"{name}.txt").write_text("\n".join(entries))
    out = tmp_path / "out.csv"
    options = ["--model", tiny_clip, "--labels", str(labels), "--quiet", "--mode", "caption"]
    assert main(["interrogate", str(pictures), "-o", str(out), *options]) == 0
    assert capsys.readouterr().out == f"{out}: 10 new rows\n"
    (pictures / "bad.png").write_bytes(b"")
    assert main(["interrogate", str(pictures), "-o", str(out), "-R", *options]) == 1
    assert "3 new rows, 10 were there already; 1 could not be read" in capsys.readouterr().out
    assert main(["interrogate", str(pictures), "--show", "prompt", *options]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 10
