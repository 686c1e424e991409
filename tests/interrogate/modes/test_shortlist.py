"""Chains of encoders that compute each text anew score a shortlist, and end where those end that score everything."""

from __future__ import annotations

import pytest
import skimage.data
import torch

from clipnb.interrogate import Interrogator, Settings
from clipnb.interrogate.labels.word_lists import builtin_labels
from clipnb.models.encoder import DualEncoder


@pytest.fixture(scope="module")
def flavors() -> list[str]:
    return list(builtin_labels("flavors")[::16])


def test_a_shortlist_ends_where_all_phrases_do(
    lite: DualEncoder, flavors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded = []
    embed = lite.encode_text
    monkeypatch.setattr(lite, "encode_text", lambda texts, *rest: embedded.append(len(texts)) or embed(texts, *rest))
    found, counts = {}, {}
    for scoring in ("auto", "full"):
        settings = Settings(quiet=True, scoring=scoring)
        worker = Interrogator(lite, labels={"flavors": flavors}, settings=settings)
        worker.tables.open("flavors")
        embedded.clear()
        found[scoring] = worker.interrogate(skimage.data.coffee(), "best", "a cup of coffee", max_flavors=4)
        counts[scoring] = sum(embedded)
    assert counts["auto"] < 0.8 * counts["full"]
    assert found["auto"].similarity >= found["full"].similarity - 0.005


@pytest.mark.parametrize("name", ["lite", "encoder"])
def test_estimated_embeddings_are_near_to_computed_ones(name: str, request: pytest.FixtureRequest) -> None:
    encoder: DualEncoder = request.getfixturevalue(name)
    endings = ["warm light", "a tall castle", "by the sea"]
    beginning, parts = encoder.encode_text(["a cup of coffee"])[0], encoder.encode_text(endings)
    whole = encoder.encode_text([f"a cup of coffee, {ending}" for ending in endings])
    estimated = encoder.composed(beginning, parts, torch.tensor([0.6, 0.6, 0.6]))
    torch.testing.assert_close(estimated.norm(dim=-1), torch.ones(3))
    assert ((estimated * whole).sum(-1) > (parts * whole).sum(-1)).all()
    for share, expected in ((1.0, beginning.expand(3, -1)), (0.0, parts)):
        torch.testing.assert_close(
            encoder.composed(beginning, parts, torch.full((3,), share)), expected, atol=1e-3, rtol=0
        )
