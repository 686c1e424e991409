"""What all encoders share, and the contract that each of them keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import clipnb
from clipnb.errors import UnknownModelError
from clipnb.models.encoder import DualEncoder, batches_by_length
from clipnb.models.load import load_as, load_model


@given(st.lists(st.integers(1, 77), max_size=60), st.integers(1, 200))
def test_batches_hold_every_text_once_and_stay_in_their_budget(lengths: list[int], budget: int) -> None:
    table = torch.tensor(lengths, dtype=torch.long)
    batches = list(batches_by_length(table, budget))
    assert sorted(int(i) for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * int(table[batch].max()) <= budget


@pytest.fixture(scope="module", params=["tiny", "lite"])
def encoder(request: pytest.FixtureRequest, tiny_clip: str) -> DualEncoder:
    return load_model(tiny_clip if request.param == "tiny" else "lite", device="cpu")


def test_pictures_of_any_shape_become_unit_embeddings(encoder: DualEncoder) -> None:
    for height, width in ((32, 32), (57, 31), (224, 224)):
        embeddings = encoder.encode_image(torch.rand(2, 3, height, width))
        assert embeddings.shape == (2, encoder.dim)
        assert embeddings.dtype == torch.float32
        assert torch.allclose(embeddings.norm(dim=-1), torch.ones(2), atol=1e-5)


def test_gradients_reach_the_pixels_and_nothing_else(encoder: DualEncoder) -> None:
    pixels = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (encoder.encode_image(pixels) @ encoder.encode_text(["a cat"]).T).sum().backward()
    assert pixels.grad is not None
    assert torch.isfinite(pixels.grad).all()
    assert pixels.grad.abs().max() > 0


@pytest.mark.parametrize(
    "pixels", [torch.rand(3, 8, 8), torch.rand(1, 4, 8, 8), torch.zeros(1, 3, 8, 8, dtype=torch.uint8)]
)
def test_what_is_no_batch_of_pictures_is_refused(encoder: DualEncoder, pixels: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"float \[B, 3, H, W\]"):
        encoder.encode_image(pixels)


def test_texts_keep_their_order_and_do_not_disturb_each_other(encoder: DualEncoder) -> None:
    texts = [
        "a cat",
        "a very long description of a harbour at dawn, fishing boats, mist",
        "",
        "dog",
        "ünïcode ✓ 日本",
    ]
    together = encoder.encode_text(texts)
    alone = torch.cat([encoder.encode_text([text]) for text in texts])
    assert torch.allclose(together, alone, atol=2e-6)
    assert torch.allclose(together.norm(dim=-1), torch.ones(len(texts)), atol=1e-5)


def test_no_text_at_all(encoder: DualEncoder) -> None:
    assert encoder.encode_text([]).shape == (0, encoder.dim)


def test_one_bare_text_is_a_mistake(encoder: DualEncoder) -> None:
    with pytest.raises(TypeError, match="list"):
        encoder.encode_text("a cat")


def test_progress_counts_every_text(encoder: DualEncoder) -> None:
    seen: list[tuple[int, int]] = []
    encoder.encode_text([f"thing {i}" for i in range(2000)], lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2000, 2000)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_preprocessing_takes_any_picture(encoder: DualEncoder) -> None:
    side = encoder.image_size
    for mode, size in (("RGBA", (90, 50)), ("L", (50, 90)), ("P", (31, 31)), ("RGB", (1, 400))):
        pixels = encoder.preprocess(Image.new(mode, size))
        assert pixels.shape == (3, side, side)
        assert pixels.min() >= 0
        assert pixels.max() <= 1


def test_the_context_has_an_end(encoder: DualEncoder) -> None:
    room = encoder.context_length - 2  # begin and end tokens
    assert encoder.fits(" ".join(["cat"] * room))
    assert not encoder.fits(" ".join(["cat"] * (room + 1)))


def test_digests_are_stable_and_the_default_says_what_it_is(encoder: DualEncoder) -> None:
    assert len(encoder.digest) == 16
    assert load_as(encoder.name, "fp32").digest == encoder.digest != load_as(encoder.name, "bf16").digest
    assert bool(encoder.explain("a cat")) == (encoder.name == "lite")


def test_weights_are_frozen(encoder: DualEncoder) -> None:
    modules = [value for value in vars(encoder).values() if isinstance(value, torch.nn.Module)]
    assert modules
    for module in modules:
        assert not module.training
        assert not any(parameter.requires_grad for parameter in module.parameters())


@pytest.mark.parametrize("use", [clipnb.Interrogator, partial(clipnb.Optimisation, clipnb.ExperimentConfig())])
def test_the_name_of_an_encoder_is_told_from_one(use: Callable[[object], object]) -> None:
    with pytest.raises(UnknownModelError, match=r"not 'lite'; give clipnb.load_model\(NAME\)"):
        use("lite")
