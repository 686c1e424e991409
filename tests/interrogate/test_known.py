"""The prompt that a picture carries inside, beside the one that was found: printed, in tables, in Python."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from clipnb.cli import main
from clipnb.errors import ImageError, OutputError
from clipnb.interrogate import Interrogator, SettingsError, interrogate_folder, read_rows
from clipnb.interrogate.folder.rows import ALL_COLUMNS, COLUMNS
from clipnb.interrogate.known import LONGEST_KNOWN
from clipnb.models.encoder import DualEncoder

Make = Callable[..., Interrogator]
PROMPT = "a cup of coffee, dark light"
HOSTILE = '=HYPERLINK("x"), <script>alert(1)</script> \x1b[31mred\u202e'


def with_prompt(image: Image.Image, path: Path, prompt: str | None) -> Path:
    text = PngInfo()
    if prompt is not None:
        text.add_itxt("parameters", f"{prompt}\nNegative prompt: blurry\nSteps: 20, Sampler: Euler, Seed: 1")
    image.save(path, pnginfo=text)
    return path


@pytest.fixture
def pictures(photo: Image.Image, tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    small = photo.resize((90, 60))
    with_prompt(small, folder / "a.png", PROMPT)
    with_prompt(small.rotate(180), folder / "b.png", None)
    with_prompt(small.rotate(90), folder / "c.png", HOSTILE)
    (folder / "d.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture
def labels(small_lists: dict[str, list[str]], tmp_path: Path) -> str:
    folder = tmp_path / "labels"
    folder.mkdir()
    for name, entries in small_lists.items():
        (folder / f"{name}.txt").write_text("\n".join(entries))
    return str(folder)


def test_similarities_are_those_of_the_encoder(small: Make, encoder: DualEncoder, pictures: Path) -> None:
    worker = small()
    found = worker.interrogate(pictures / "a.png", known=True)
    own, made = encoder.encode_text([PROMPT, found.prompt])
    image = worker.encode(pictures / "a.png")
    assert (found.known.prompt, found.known.negative, found.known.generator) == (PROMPT, "blurry", "A1111")
    assert found.known.similarity == pytest.approx(float(own @ image), abs=1e-5)
    assert found.known.agreement == pytest.approx(float(own @ made), abs=1e-5)
    assert found.similarity == pytest.approx(float(made @ image), abs=1e-5)


def test_bytes_carry_it_and_images_in_memory_do_not(small: Make, pictures: Path) -> None:
    path, worker = pictures / "a.png", small()
    assert worker.interrogate(path.read_bytes(), known=True).known.prompt == PROMPT
    without = worker.interrogate(Image.open(path), known=True)
    assert (without.known.prompt, without.known.similarity, without.known.agreement) == ("", None, None)
    assert "no prompt" in str(without)
    assert worker.interrogate(path).known is None
    assert json.loads(json.dumps(without.to_dict()))["known"]["agreement"] is None


def test_a_prompt_without_end_is_cut_and_said(small: Make, photo: Image.Image, tmp_path: Path) -> None:
    path = with_prompt(photo.resize((60, 40)), tmp_path / "long.png", "x, " * LONGEST_KNOWN)
    known = small().interrogate(path, known=True).known
    assert len(known.prompt) == LONGEST_KNOWN
    assert any("100,000 are taken" in problem for problem in known.problems)


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_columns_of_tables_and_older_ones_go_on(name: str, small: Make, pictures: Path, tmp_path: Path) -> None:
    worker, place = small(), tmp_path / name
    done = interrogate_folder(pictures, place, known=True, batch_size=2, interrogator=worker)
    assert (done.made, done.errors) == (4, 1)
    frame = read_rows(place)
    assert tuple(frame.columns) == ALL_COLUMNS
    assert list(frame["known"]) == [PROMPT, "", HOSTILE, ""]
    alone = worker.interrogate(pictures / "a.png", known=True).known
    assert frame["known_similarity"][0] == pytest.approx(alone.similarity, abs=1e-5)
    assert frame["agreement"][0] == pytest.approx(alone.agreement, abs=1e-5)
    assert np.isnan(frame["agreement"][1])
    again = interrogate_folder(pictures, place, known=True, batch_size=2, interrogator=worker)
    assert (again.made, again.kept) == (0, 4)
    with pytest.raises(OutputError, match="known was True and is not given"):
        interrogate_folder(pictures, place, batch_size=2, interrogator=worker)
    assert read_rows(place).equals(frame)
    plain = tmp_path / f"plain {name}"
    interrogate_folder(pictures, plain, batch_size=2, interrogator=worker)
    assert tuple(read_rows(plain).columns) == COLUMNS
    with pytest.raises(OutputError, match="known was not given and is True"):
        interrogate_folder(pictures, plain, known=True, batch_size=2, interrogator=worker)
    assert interrogate_folder(pictures, plain, batch_size=2, interrogator=worker).kept == 4


def test_a_table_that_has_only_its_heading_may_become_another(small: Make, pictures: Path, tmp_path: Path) -> None:
    place = tmp_path / "out.csv"
    interrogate_folder(pictures, place, known=True, batch_size=2, interrogator=small())
    for columns, known in ((COLUMNS, True), (ALL_COLUMNS, False)):
        place.write_text(",".join(columns) + "\n")
        done = interrogate_folder(pictures, place, known=known, batch_size=2, interrogator=small())
        assert done.made == 4
        assert tuple(read_rows(place).columns) == (ALL_COLUMNS if known else COLUMNS)


def test_hostile_prompts_are_no_formulas(small: Make, pictures: Path, tmp_path: Path) -> None:
    interrogate_folder(pictures, tmp_path / "out.csv", known=True, batch_size=2, interrogator=small())
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        cells = [row["known"] for row in csv.DictReader(file)]
    assert cells[2] == f"'{HOSTILE}"


def test_hostile_prompts_are_shown_as_text(small: Make, pictures: Path) -> None:
    found = small().interrogate(pictures / "c.png", known=True)
    assert "<script" not in found._repr_html_()
    assert "&lt;script" in found._repr_html_()
    assert not {"\x1b", "\u202e"} & set(str(found))


def test_it_is_printed(tiny_clip: str, pictures: Path, labels: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interrogate", "-q", "--known", "-m", tiny_clip, "--labels", labels, str(pictures)]) == 1
    out = capsys.readouterr().out
    assert f"inside the picture: {PROMPT} (A1111)" in out
    assert "to the picture, " in out
    assert "inside the picture: no prompt" in out
    assert "\x1b" not in out


def test_nowhere_to_show_it_is_a_mistake(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interrogate", str(pictures), "--known", "--show", "prompt"]) == 2
    assert main(["interrogate", str(pictures), "--known", "--captions"]) == 2
    assert capsys.readouterr().err.count("clipnb: ") == 2
    with pytest.raises(SettingsError):
        interrogate_folder(pictures, captions=".txt", known=True)


def test_many_are_compared_as_one_by_one(small: Make, pictures: Path) -> None:
    worker = small()
    paths = [pictures / name for name in ("a.png", "b.png", "d.png")]
    first, second, unread = worker.interrogate_many(paths, known=True, batch_size=2)
    assert first.known == worker.interrogate(paths[0], known=True).known
    assert first.known.prompt == PROMPT
    assert second.known.prompt == ""
    assert isinstance(unread, ImageError)
    assert next(worker.interrogate_many(paths)).known is None
