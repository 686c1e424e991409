from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest
import torch
from torch import Tensor

from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.optimise import engine
from clipnb.optimise.language.config import ExperimentConfig

PIXELWISE = ("fourier", "pyramid", "rgb")
"""Parameterisations that can make any picture."""


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # the tensors are tiny: threads would only wait for each other
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tiny_clip: str) -> DualEncoder:
    return load_model(tiny_clip, "cpu")


@pytest.fixture(autouse=True)
def _same_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give experiments that name no seed the same ones each time."""
    monkeypatch.setattr(engine, "drawn_seed", count(1000).__next__)


class PlainEncoder(DualEncoder):
    """Sees the mean colour of a 4 x 4 grid; a text is a seeded random direction. Counts what it is asked."""

    def __init__(self, name: str = "plain", most: int = 10_000) -> None:
        self.name, self.device, self.dtype = name, torch.device("cpu"), torch.float32
        super().__init__(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
        self.dim, self.image_size, self.context_length = 48, 16, 77
        self.texts: list[str] = []
        self.batches: list[int] = []
        self.most = most

    def square(self, image):  # type: ignore[no-untyped-def]
        from clipnb.images import open_image

        return open_image(image).resize((16, 16))

    def fits(self, text: str, most: int | None = None) -> bool:
        return len(text) < (most or 77)

    @property
    def digest(self) -> str:  # type: ignore[override]
        return f"digest of {self.name}"

    def _image_features(self, normalised: Tensor) -> Tensor:
        self.batches.append(len(normalised))
        if len(normalised) > self.most:
            raise torch.cuda.OutOfMemoryError("pretended")
        return torch.nn.functional.adaptive_avg_pool2d(normalised, 4).flatten(1) + 1e-3

    def _tokenise(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        self.texts.extend(texts)
        seeds = torch.tensor([[sum(map(ord, text)) + 1] for text in texts])
        return seeds, torch.ones(len(texts), dtype=torch.long)

    def _text_features(self, tokens: Tensor) -> Tensor:
        rows = [torch.randn(48, generator=torch.Generator().manual_seed(int(t))) for t in tokens[:, 0]]
        return torch.stack(rows)


@pytest.fixture
def plain() -> PlainEncoder:
    return PlainEncoder()


def experiment(**changes: Any) -> ExperimentConfig:
    base = {
        "epochs": 5,
        "resolution": 16,
        "seed": 1,
        "targets": [{"features": [{"text": "a"}], "batch_size": 3, "transforms": [{"noise": 0.02}]}],
    }
    return ExperimentConfig.from_dict({**base, **changes})


def target(**changes: Any) -> dict[str, Any]:
    return {"targets": [{"features": [{"text": "a"}], **changes}]}
