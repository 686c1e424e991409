"""Planted faults are told, good encoders are left in peace, and a machine looks at weights once."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import nn

from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model, unload
from clipnb.models.probe import probe, probe_once


def towers(encoder: DualEncoder) -> list[nn.Module]:
    return sorted(
        (part for part in vars(encoder).values() if isinstance(part, nn.Module)), key=lambda x: type(x).__name__
    )


def spoil(index: int, change: Callable[[torch.Tensor], torch.Tensor], every: int = 1) -> Callable[[DualEncoder], None]:
    def plant(encoder: DualEncoder) -> None:
        matrices = [weights for weights in towers(encoder)[index].parameters() if weights.ndim > 1]
        for weights in matrices[::every]:
            weights.data = change(weights.data)

    return plant


def shuffled(weights: torch.Tensor) -> torch.Tensor:
    order = torch.randperm(weights.numel(), generator=torch.Generator().manual_seed(0))
    return weights.flatten()[order].view_as(weights)


def not_finite(weights: torch.Tensor) -> torch.Tensor:
    return weights.clone().index_fill_(0, torch.tensor([0]), float("nan"))


CHANGES = {"shuffled": shuffled, "zeroed": torch.zeros_like, "reversed": lambda x: x.flip(0), "broken": not_finite}
FAULTS = {
    f"{name} {part} {tower}": spoil(index, change, every)
    for index, tower in enumerate(("first tower", "second tower"))
    for name, change in CHANGES.items()
    for part, every in (("whole", 1), ("half", 2))
}


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_told(fault: str) -> None:
    encoder = deepcopy(load_model("lite", "cpu"))
    FAULTS[fault](encoder)
    assert probe(encoder).problems


def test_the_embedded_encoder_is_not_accused() -> None:
    verdict = probe(load_model("lite", "cpu"))
    assert (verdict.right, verdict.problems) == (verdict.of, [])


def test_random_weights_are_told_in_words_and_looked_at_once(
    tiny_clip: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CLIPNB_PROBE", "1")
    unload(tiny_clip)
    encoder = load_model(tiny_clip, "cpu")
    assert "does not tell things apart" in caplog.text
    assert "does not tell things apart" in encoder.note
    monkeypatch.setattr("clipnb.models.probe.probe", lambda _: pytest.fail("it was kept"))
    assert probe_once(encoder).problems
    unload(tiny_clip)
