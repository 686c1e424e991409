"""The file that Kaggle takes: the sample's form, every number as it was, and nothing replaced by surprise."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from clipnb.errors import OutputError
from clipnb.interrogate.kaggle.submission import SubmissionError, write_submission

SAMPLE = "imgId_eId,val\n20057f34d_0,0.018848453\n20057f34d_1,0.030189732\n20057f34d_2,0.07279176\n"


@pytest.fixture
def embeddings() -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.random.default_rng(0).normal(size=(3, 384)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


IDS = ["20057f34d", "227ef0887", "92e911621"]


def test_it_has_the_form_of_the_sample(embeddings: np.ndarray, tmp_path: Path) -> None:
    path = write_submission(embeddings, IDS, tmp_path / "submission.csv")
    frame, sample = pd.read_csv(path, dtype={"val": np.float32}), pd.read_csv(io.StringIO(SAMPLE))
    assert list(frame.columns) == list(sample.columns)
    assert list(frame.imgId_eId[:3]) == list(sample.imgId_eId)
    assert list(frame.imgId_eId) == [f"{name}_{i}" for name in IDS for i in range(384)]
    assert np.array_equal(frame.val.to_numpy().reshape(3, 384), embeddings)
    assert path.read_bytes().count(b"\n") == 1 + 3 * 384
    assert b"\r" not in path.read_bytes()


@pytest.mark.parametrize("form", ["flat", "tensor", "lists"])
def test_numbers_may_come_in_several_forms(form: str, embeddings: np.ndarray, tmp_path: Path) -> None:
    given = {"flat": embeddings.reshape(-1), "tensor": torch.from_numpy(embeddings), "lists": embeddings.tolist()}[form]
    files = [f"/kaggle/input/x/images/{name}.png" for name in IDS]
    one = write_submission(given, files, tmp_path / "one.csv")
    assert one.read_text() == write_submission(embeddings, IDS, tmp_path / "two.csv").read_text()


def test_nothing_is_replaced_without_being_told(embeddings: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    write_submission(embeddings, IDS, path)
    with pytest.raises(OutputError, match="overwrite=True"):
        write_submission(embeddings[:1], IDS[:1], path)
    assert len(path.read_text().splitlines()) == 1 + 3 * 384
    write_submission(embeddings[:1], IDS[:1], path, overwrite=True)
    assert len(path.read_text().splitlines()) == 1 + 384
    assert [file.name for file in tmp_path.iterdir()] == ["submission.csv"]


@pytest.mark.parametrize(
    ("change", "ids", "word"),
    [
        (lambda e: e[:2], IDS, r"shape \[3, 384\], not \[2, 384\]"),
        (lambda e: e[:, :100], IDS, r"not \[3, 100\]"),
        (lambda e: np.where(np.arange(3)[:, None] == 1, np.nan, e), IDS, "227ef0887 hold numbers that are not finite"),
        (lambda e: e * np.inf, IDS, "not finite"),
        (lambda e: e, ["a.png", "b", "sub/a.jpg"], "the id a;"),
        (lambda e: [["a"] * 384] * 3, IDS, "array of numbers"),
    ],
)
def test_what_is_no_submission_is_refused(
    change: object, ids: list[str], word: str, embeddings: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises(SubmissionError, match=word):
        write_submission(change(embeddings), ids, tmp_path / "submission.csv")  # type: ignore[operator]
    assert list(tmp_path.iterdir()) == []


def test_odd_names_stay_one_field(embeddings: np.ndarray, tmp_path: Path) -> None:
    names = ['say "hi", 100%', "naïve 猫", "v1.5"]
    frame = pd.read_csv(write_submission(embeddings, names, tmp_path / "odd.csv"))
    assert list(frame.imgId_eId) == [f"{name}_{i}" for name in names for i in range(384)]
