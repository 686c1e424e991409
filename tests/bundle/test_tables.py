"""Label tables of a bundle are found by an encoder of any precision, and nothing is embedded again."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipnb.bundle.build import make_tables
from clipnb.bundle.plan import expected_size
from clipnb.interrogate.labels.table import LabelTable
from clipnb.interrogate.labels.word_lists import builtin_labels
from clipnb.models.device import PRECISIONS
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_as


def test_they_are_found_in_every_precision(tiny_clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = make_tables(tiny_clip, tmp_path / "bundle" / "cache", ("mediums",))
    assert len({file.name for file in files}) == len(PRECISIONS)
    monkeypatch.setenv("CLIPNB_BUNDLE", str(tmp_path / "bundle"))
    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path / "cache"))

    def refuse(self: DualEncoder, texts: object, progress: object = None) -> None:
        raise AssertionError("embedded again")

    monkeypatch.setattr(DualEncoder, "encode_text", refuse)
    labels = builtin_labels("mediums")
    for precision in PRECISIONS:
        table = LabelTable.build("mediums", labels, load_as(tiny_clip, precision))
        assert table.embeddings.shape == (len(labels), 32)
    with pytest.raises(AssertionError, match="embedded again"):
        LabelTable.build("mediums", labels[1:], load_as(tiny_clip, "fp32"), quiet=True)


def test_their_size_is_told_before() -> None:
    assert expected_size(("mediums",)) == len(builtin_labels("mediums")) * 2 * 1024 * 3
