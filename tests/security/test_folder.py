"""Runs over folders and Kaggle's files: hostile names, captions, outputs and configurations hang and lose nothing."""

from __future__ import annotations

import csv
import json
import logging
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clipnb.errors import ClipnbError, ImageError, OutputError
from clipnb.interrogate import FolderRun, Interrogator, Settings, interrogate_folder, read_rows
from clipnb.interrogate.folder.manifest import FORMAT, claimed, refuse_foreign
from clipnb.interrogate.folder.rows import Row
from clipnb.interrogate.folder.run import find_output
from clipnb.interrogate.folder.run_log import RunLog
from clipnb.interrogate.kaggle.config import KaggleError, read_config
from clipnb.interrogate.kaggle.execute import find_pictures, image_ids
from clipnb.interrogate.kaggle.submission import write_submission
from clipnb.models.load import load_model

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=x", " =x", "plain", "'plain"]
SUFFIXES = ["csv", "jsonl", "parquet"]
Run = Callable[..., Path]


@pytest.fixture
def run(tiny_clip: str, tmp_path: Path) -> Run:
    """Run over a folder with one picture, by the small encoder with short lists; the output's path."""
    worker = Interrogator(
        load_model(tiny_clip, "cpu"),
        labels={name: ["one", "two"] for name in ("mediums", "movements", "artists", "trendings", "flavors")},
        settings=Settings(quiet=True, cache_path=tmp_path / "tables"),
    )
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (9, 9)).save(folder / "a.png")

    def start(name: str = "out.csv", **options: object) -> Path:
        given = {"paths": folder, "mode": "caption", "caption": "a cat", "interrogator": worker, **options}
        return interrogate_folder(output=tmp_path / name, **given).path

    return start


def write(path: Path, rows: list[Row]) -> None:
    find_output(path).replace(rows)


# formulas


@given(st.lists(st.text(), min_size=1, max_size=3), st.floats(-1, 1))
def test_any_text_survives_a_csv_row_and_none_is_a_formula(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], similarity: float
) -> None:
    path = tmp_path_factory.mktemp("rows") / "out.csv"
    rows = [Row(text, "", text, caption=text, error=text, similarity=similarity) for text in texts]
    write(path, rows)
    kept = [text.replace("\0", "\ufffd") for text in texts]  # which no table can hold
    assert list(find_output(path).read()) == [
        Row(text, "", text, caption=text, error=text, similarity=similarity) for text in kept
    ]
    with path.open(newline="", encoding="utf-8") as file:
        cells = [record[name] for record in csv.DictReader(file) for name in ("image", "prompt", "caption", "error")]
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in cells)


def test_a_run_guards_names_and_captions(run: Run, tmp_path: Path) -> None:
    for name in ("=1+1.png", "-2.png", "@x.png"):
        Image.new("RGB", (9, 9)).save(tmp_path / "pictures" / name)
    path = run(caption="=cmd|' /C calc'!A0")
    frame = read_rows(path)
    assert list(frame["image"]) == ["-2.png", "=1+1.png", "@x.png", "a.png"]
    assert set(frame["caption"]) == {"=cmd|' /C calc'!A0"}
    raw = pd.read_csv(path)
    assert list(raw["image"]) == ["'-2.png", "'=1+1.png", "'@x.png", "a.png"]
    assert all(caption.startswith("'=cmd") for caption in raw["caption"])


def test_a_run_begun_before_with_raw_cells_goes_on(run: Run, tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "pictures" / "=1+1.png")
    path = run(caption="=a")
    guarded = path.read_bytes()
    path.write_bytes(guarded.replace(b"'=", b"="))
    Image.new("RGB", (9, 9), "red").save(tmp_path / "pictures" / "b.png")
    assert list(read_rows(path)["image"]) == ["=1+1.png", "a.png"]
    run(caption="=a")
    assert list(read_rows(path)["image"]) == ["=1+1.png", "a.png", "b.png"]
    assert path.read_bytes().startswith(guarded), "what lay there raw is guarded now"


def test_ids_of_a_submission_stay_as_kaggle_compares_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_submission(np.ones((2, 384)), ["=1+1.png", "20057f34d"], tmp_path / "s.csv")
    assert path.read_text().splitlines()[1].startswith("=1+1_0,")
    assert "=1+1 begin as formulas do" in caplog.text


# what is no regular file


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", ["pipe", "/dev/zero"])
@pytest.mark.parametrize("which", ["rows", "settings"])
def test_pipes_and_devices_in_the_place_of_an_output(
    kind: str, which: str, suffix: str, run: Run, tmp_path: Path
) -> None:
    path = run(f"out.{suffix}")
    place = find_output(path)
    target = place.sidecar if which == "settings" else next(path.glob("part-*"), path) if path.is_dir() else path
    target.unlink()
    if kind == "pipe":
        os.mkfifo(target)
    else:
        target.symlink_to(kind)
    with pytest.raises(OutputError):
        run(f"out.{suffix}")
    if which == "rows":
        with pytest.raises(OutputError, match="no regular file"):
            read_rows(path)


def test_a_pipe_in_a_folder_of_pictures_is_a_row(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pictures" / "b.png")
    (tmp_path / "pictures" / "c.png").symlink_to("/dev/zero")
    assert [bool(error) for error in read_rows(run())["error"]] == [False, True, True]
    assert [path.name for path in find_pictures(tmp_path / "pictures")] == ["a.png"]


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "folder"])
def test_a_kaggle_configuration_that_is_no_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(kind)
    with pytest.raises(KaggleError, match="extend_path"):
        read_config(path)


# what is large


@pytest.mark.parametrize(
    "content", ["[" * 10**7, "{" * 10**5, '{"a":' * 10**5, " " * 10**7, f'{{"chunk_size": {"9" * 5000}}}']
)
def test_a_kaggle_configuration_of_brackets(content: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content)
    began = time.process_time()
    with pytest.raises(KaggleError, match="extend_path") as caught:
        read_config(tmp_path / "config.json")
    assert time.process_time() - began < 20
    assert len(str(caught.value)) < 1000


def test_a_kaggle_configuration_of_100_000_unknown_keys() -> None:
    began = time.process_time()
    with pytest.raises(KaggleError, match="and 99981 more") as caught:
        read_config({f"clip_modle {number}": "x" * 1000 for number in range(100_000)})
    assert time.process_time() - began < 30
    assert len(str(caught.value)) < 5000


def test_a_folder_of_100_000_names_beside_a_missing_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    def names(_: Path) -> object:
        for number in range(10**5):
            looked.append(number)
            yield Path(f"model {number}")

    monkeypatch.setattr(Path, "iterdir", names)
    with pytest.raises(KaggleError, match="dicts points nowhere"):
        read_config({"clip_model": "lite", "dicts": str(tmp_path / "dicst")})
    assert len(looked) < 10**4


def test_a_folder_of_images_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ImageError, match="cannot read the folder"):
        find_pictures(tmp_path)


def test_a_message_names_few_of_many_paths(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"folder {number}").mkdir()
    with pytest.raises(ImageError) as caught:
        interrogate_folder(sorted(tmp_path.iterdir()), tmp_path / "out.csv")
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    "text",
    ["[" * 10**6, '{"format":' * 10**5, "\xff", "[]", '"text"', f'{{"format": "{FORMAT}", "mode": {"9" * 5000}}}'],
)
def test_hostile_settings_beside_rows(text: str, run: Run, tmp_path: Path) -> None:
    path = run()
    (tmp_path / "out.csv.settings.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(OutputError, match="does not say how"):
        run()
    assert len(read_rows(path)) == 1


def test_settings_with_100_000_strange_keys(run: Run, tmp_path: Path) -> None:
    run()
    place = tmp_path / "out.csv.settings.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), **{f"k{n}": "v" * 20 for n in range(10**5)}}))
    with pytest.raises(OutputError, match=r"made in another way.*and 99980 more") as caught:
        run()
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize(
    "line",
    ["[" * 10**5, "[]", "1", '{"image": 1}', json.dumps({**Row("b").values(), "similarity": 10**400}), '{"a":' * 10**5],
)
def test_hostile_lines_of_json_are_left_out(line: str, tmp_path: Path) -> None:
    write(tmp_path / "out.jsonl", [Row("a")])
    with (tmp_path / "out.jsonl").open("a") as file:
        file.write(f"{line}\n")
    assert list(read_rows(tmp_path / "out.jsonl")["image"]) == ["a"]


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_a_record_without_end_is_refused_in_linear_time(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, [Row("a")])
    with (tmp_path / name).open("a") as file:
        file.write('"' + "x\n" * 10**7 if name == "out.csv" else "x" * 10**7)
    size, began = (tmp_path / name).stat().st_size, time.process_time()
    with pytest.raises(OutputError, match="a record of more than"):
        find_output(tmp_path / name).open()
    assert time.process_time() - began < 30
    assert (tmp_path / name).stat().st_size == size, "nothing is cut off"


@pytest.mark.parametrize(
    "columns",
    [{"image": [1]}, {"image": [None]}, {"similarity": ["much"]}, {"error": [b"\xff"]}, {"image": [["a"]]}],
)
def test_hostile_shards_are_refused_in_words(columns: dict[str, object], tmp_path: Path) -> None:
    write(tmp_path / "out.parquet", [Row("a")])
    shard = next((tmp_path / "out.parquet").glob("part-*"))
    pd.DataFrame({**pd.read_parquet(shard), **columns}).to_parquet(shard)
    with pytest.raises(OutputError, match="is no shard of rows"):
        read_rows(tmp_path / "out.parquet")


def test_a_shard_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    write(tmp_path / "out.parquet", [Row("a")])
    shard = next((tmp_path / "out.parquet").glob("part-*"))
    import pyarrow.parquet as pq

    table = pq.read_table(shard)
    pq.write_table(pa.concat_tables([table] * 2**21).combine_chunks(), shard)
    assert shard.stat().st_size < 10**6
    with pytest.raises(OutputError, match="more than a shard may have"):
        read_rows(tmp_path / "out.parquet")


def test_numbers_of_shards_in_other_writing_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "out.parquet", [Row("a")])
    for name in ("part-²", "part-٣", "part-"):
        (tmp_path / "out.parquet" / f"{name}.parquet").write_bytes(b"")
    place = find_output(tmp_path / "out.parquet")
    place.append([Row("b")])
    place.close()
    assert list(read_rows(tmp_path / "out.parquet")["image"]) == ["a", "b"]


# names that are no Unicode


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_undecodable_names_come_back_escaped(suffix: str, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    (folder / "a.png").rename(folder / os.fsdecode(b"caf\xe9.png"))
    (folder / os.fsdecode(b"caf\xe9.gif")).write_bytes(b"no picture")
    path = run(f"out.{suffix}")
    frame = read_rows(path)
    assert list(frame["image"]) == ["caf\\xe9.gif", "caf\\xe9.png"]
    assert "caf\\xe9.gif" in frame["error"][0]
    assert len(read_rows(run(f"out.{suffix}"))) == 2


def test_a_name_that_looks_like_an_escaped_one_is_another_row(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    (folder / "a.png").rename(folder / os.fsdecode(b"caf\xe9.png"))
    Image.new("RGB", (9, 9), "red").save(folder / "caf\\xe9.png")
    frame = read_rows(run())
    assert len(frame) == len(set(frame["image"])) == len(set(frame["digest"])) == 2
    assert "caf\\xe9.png" in set(frame["image"])
    assert read_rows(run()).equals(frame)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_halves_of_surrogate_pairs_come_back_escaped(suffix: str, run: Run, tmp_path: Path) -> None:
    path = run(f"one.{suffix}", paths=["\ud800.png", "a\0b.png", str(tmp_path / "pictures" / "a.png")])
    assert "\\ud800.png" in set(read_rows(path)["image"])
    assert list(read_rows(run(f"two.{suffix}", caption="a \ud800 cat"))["caption"]) == ["a \ufffd cat"]
    assert len(read_rows(run(f"two.{suffix}", caption="a \ud800 cat"))) == 1
    write(tmp_path / f"three.{suffix}", [Row.read({**Row("a").values(), "caption": "\udcff"})])
    assert list(read_rows(tmp_path / f"three.{suffix}")["caption"]) == ["\\udcff"]


def test_undecodable_names_in_a_submission(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    ids = image_ids(tmp_path)
    path = write_submission(np.ones((1, 384)), ids, tmp_path / "s.csv")
    assert path.read_text().splitlines()[1].startswith("caf\\xe9_0,")


@pytest.mark.parametrize("name", ["~nobody-here/x", "a\0b", "\ud800"])
def test_paths_that_no_file_can_have(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (9, 9)).save("a.png")
    for key in ("clip_path", "dicts", "embedding_path"):
        with pytest.raises(KaggleError, match=f"{key} points nowhere"):
            read_config({"clip_model": "lite", key: name})
    with pytest.raises(KaggleError, match="extend_path"):
        read_config(f"{name}/config.json")
    with pytest.raises(ImageError, match="data_path"):
        find_pictures(name)
    if not name.startswith("~"):  # which is an ordinary name where nobody is called so
        with pytest.raises(OutputError):
            write_submission(np.ones((1, 384)), ["a"], f"{name}/s.csv")
    for place in (f"{name}.csv", f"{name}/out.csv", f"{name}.parquet"):
        with pytest.raises(ClipnbError):
            interrogate_folder(name, place)
        if not name.startswith("~"):
            with pytest.raises(OutputError), claimed(find_output(place), {"format": FORMAT}):
                pass


# nothing is lost


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_links_that_lead_nowhere_are_left_alone(suffix: str, tmp_path: Path) -> None:
    for link in (tmp_path / f"out.{suffix}", find_output(tmp_path / f"o.{suffix}").sidecar):
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(tmp_path / "nowhere")
    for name in ("out", "o"):
        with pytest.raises(OutputError, match="leads nowhere"):
            refuse_foreign(find_output(tmp_path / f"{name}.{suffix}"))
    with pytest.raises(OutputError):
        write_submission(np.ones((1, 384)), ["a"], tmp_path / f"out.{suffix}")
    assert not (tmp_path / "nowhere").exists()


def test_an_output_behind_a_link_stays_behind_it(run: Run, tmp_path: Path) -> None:
    path = run()
    (tmp_path / "link.csv").symlink_to(path)
    (tmp_path / "link.csv.settings.json").symlink_to(tmp_path / "out.csv.settings.json")
    Image.new("RGB", (9, 9), "red").save(tmp_path / "pictures" / "0.png")
    run("link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert list(read_rows(path)["image"]) == ["0.png", "a.png"]


def test_somebody_elses_settings_are_not_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.csv.settings.json").write_text('{"mine": 1}')
    with pytest.raises(OutputError, match="does not come from such a run"):
        run()
    assert (tmp_path / "out.csv.settings.json").read_text() == '{"mine": 1}'
    (tmp_path / "torn.csv.settings.json").write_text('{\n "format": "clip')
    assert len(read_rows(run("torn.csv"))) == 1


def add_rows(path: Path, name: str) -> None:
    """Append ten rows, each as a run of its own, as often refused as another process has the output."""
    for number in range(10):
        while True:
            place = find_output(path)
            try:
                with claimed(place, {"format": FORMAT}):
                    log = RunLog(place)
                    log.known(retry_errors=False)
                    place.open()
                    log.append([Row(f"{name} {number}")])
                    place.close()
                    log.settle()
                break
            except OutputError as error:
                assert "in use by another run" in str(error)  # noqa: PT017
                time.sleep(0.002)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_processes_that_write_one_output_lose_nothing(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    start = multiprocessing.get_context("fork")
    writers = [start.Process(target=add_rows, args=(tmp_path / f"out.{suffix}", name)) for name in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    rows = [row.image for row in find_output(tmp_path / f"out.{suffix}").read()]
    assert rows == sorted(f"{name} {number}" for name in "abcd" for number in range(10))


def add_submission(path: Path, value: float) -> None:
    try:
        write_submission(np.full((20, 384), value), [str(n) for n in range(20)], path)
    except OutputError:
        os._exit(7)


def test_processes_that_write_one_submission_overwrite_nothing(tmp_path: Path) -> None:
    start = multiprocessing.get_context("fork")
    writers = [start.Process(target=add_submission, args=(tmp_path / "s.csv", 1.0 + n)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(writer.exitcode for writer in writers) == [0, 7, 7, 7]
    won = [writer.exitcode for writer in writers].index(0)
    assert set(pd.read_csv(tmp_path / "s.csv")["val"]) == {1.0 + won}


def test_a_submission_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise OutputError(f"cannot write {path}: the disk is full")

    monkeypatch.setattr("clipnb.interrogate.kaggle.submission.write_atomically", refuse)
    with pytest.raises(OutputError, match="the disk is full"):
        write_submission(np.ones((1, 384)), ["a"], tmp_path / "s.csv")
    assert list(tmp_path.iterdir()) == []


def test_what_is_said_cannot_act_on_a_terminal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        write_submission(np.ones((1, 384)), ["=\x1b[2J"], tmp_path / "s.csv")
    assert "\x1b" not in str(FolderRun(Path("\x1b[2J"), 1, 0, 1)) + caplog.text


@pytest.mark.parametrize("path", ["x" * 300 + "/y", "x/" * 5000, "\0/a"])
@pytest.mark.parametrize("key", ["clip_path", "blip_path", "dicts", "embedding_dir", "embedding_path"])
def test_a_configuration_may_name_any_path(key: str, path: str) -> None:
    with pytest.raises(KaggleError, match=key) as caught:
        read_config({"clip_model": "lite", key: path})
    assert len(str(caught.value)) < 1000


def test_a_configuration_may_name_any_model(tmp_path: Path) -> None:
    config = read_config({"clip_model": "lite", "embedding_path": str(tmp_path), "embedding_model": "x" * 300})
    with pytest.raises(KaggleError, match=r"embedding_path: .* holds no model"):
        config.sentence_encoder()
