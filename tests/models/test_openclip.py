"""open_clip's own models, saved and loaded by the code that loads real ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch.nn import functional as F

from clipnb.errors import ModelUnavailableError
from clipnb.images import to_tensor
from clipnb.models.load import load_model, unload
from clipnb.models.openclip import OpenClipEncoder, SharedPass, TextPass, TrimmedPass, square_transform, text_pass
from tests.conftest import TINY_CONFIG, save_open_clip

TEXTS = ["a cat", "", "an oil painting of a lighthouse, storm, dramatic light", "many " * 200, "🦑 ünï, 日本"]
TEXT_TOWERS = {
    "argmax": {},
    "eos": {"pool_type": "eos", "eos_id": 49407},
    "unusual blocks": {"qk_norm": True},
    "bidirectional": {"no_causal_mask": True, "pool_type": "last"},
    "class token": {"embed_cls": True},
}
PASSES = {
    "argmax": SharedPass,
    "eos": SharedPass,
    "unusual blocks": TrimmedPass,
    "bidirectional": TextPass,
    "class token": TextPass,
}


def named(tmp_path: Path, text_options: dict[str, object], custom: bool) -> str:
    config = {**TINY_CONFIG, "text_cfg": {**TINY_CONFIG["text_cfg"], **text_options}}
    return save_open_clip(tmp_path / "model", config, custom_text=custom)


def plain_text_embeddings(encoder: OpenClipEncoder, texts: list[str]) -> torch.Tensor:
    with torch.no_grad():
        return F.normalize(encoder.model.encode_text(encoder.tokenizer(texts)), dim=-1)


@pytest.mark.parametrize("custom", [False, True], ids=["CLIP", "CustomTextCLIP"])
@pytest.mark.parametrize("tower", TEXT_TOWERS)
def test_trimmed_texts_equal_plainly_padded_ones(tmp_path: Path, tower: str, custom: bool) -> None:
    if tower == "class token" and not custom:
        pytest.skip("only custom text towers have a class token")
    encoder = load_model(named(tmp_path, TEXT_TOWERS[tower], custom), device="cpu")
    assert isinstance(encoder, OpenClipEncoder)
    assert type(text_pass(encoder.model)) is PASSES[tower]
    assert torch.allclose(encoder.encode_text(TEXTS), plain_text_embeddings(encoder, TEXTS), atol=1e-6)
    unload(encoder.name)


def test_pictures_equal_open_clips_own_way(tiny_clip: str) -> None:
    encoder = load_model(tiny_clip, device="cpu")
    model, _, transform = open_clip.create_model_and_transforms(tiny_clip)
    picture = Image.effect_mandelbrot((90, 60), (-2, -1, 1, 1), 30).convert("RGB")
    with torch.no_grad():
        theirs = model.eval().encode_image(transform(picture)[None], normalize=True)
    ours = encoder.encode_image(encoder.preprocess(picture)[None])
    assert torch.allclose(ours, theirs, atol=1e-6)
    assert encoder.encode_image(to_tensor(picture)[None]).shape == ours.shape


@pytest.mark.parametrize("size", [(90, 60), (41, 77)])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_pictures_are_cut_as_open_clip_cuts_them(mode: str, interpolation: str, size: tuple[int, int]) -> None:
    config = {"size": 32, "resize_mode": mode, "interpolation": interpolation, "mean": (0, 0, 0), "std": (1, 1, 1)}
    picture = Image.effect_mandelbrot(size, (-2, -1, 1, 1), 30).convert("RGB")
    theirs = image_transform_v2(PreprocessCfg(**config), is_train=False)(picture)
    ours = to_tensor(square_transform(config)(picture))
    assert (ours - theirs).abs().mean() < 0.5 / 255, "nothing but rounding differs"


def test_the_digest_follows_the_weights_and_not_the_file(tmp_path: Path, tiny_clip: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_clip.removeprefix("local-dir:"), copy)
    other = save_open_clip(tmp_path / "other", TINY_CONFIG, seed=1)
    digests = [load_model(name, device="cpu").digest for name in (tiny_clip, f"local-dir:{copy}", other)]
    assert digests[0] == digests[1] != digests[2]


def test_bf16_ranks_as_fp32_does(tiny_clip: str) -> None:
    texts = ["a cat", "a dog", "a very long sentence about the sea and the sky", "x"]
    exact, rough = (load_model(tiny_clip, device="cpu", precision=p).encode_text(texts) for p in ("fp32", "bf16"))
    assert rough.dtype == torch.float32
    assert torch.nn.functional.cosine_similarity(exact, rough).min() > 0.99


def test_a_checkpoint_with_an_architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An architecture of open_clip's registry and a file of weights: the file is what is loaded."""
    (tmp_path / "architectures").mkdir()
    import json

    (tmp_path / "architectures" / "Tiny-Test.json").write_text(json.dumps(TINY_CONFIG))
    open_clip.add_model_config(tmp_path / "architectures")
    folder = Path(save_open_clip(tmp_path / "saved", TINY_CONFIG, seed=3).removeprefix("local-dir:"))
    from_folder = load_model(f"local-dir:{folder}", device="cpu")
    from_safetensors = load_model(f"Tiny-Test/{folder}/open_clip_model.safetensors", device="cpu")
    torch.save(from_folder.model.state_dict(), tmp_path / "weights.pt")
    from_pickle = load_model(f"Tiny-Test/{tmp_path}/weights.pt", device="cpu")
    assert from_folder.digest == from_safetensors.digest == from_pickle.digest


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("/tmp/clipnb-evil-was-run"),))


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(ModelUnavailableError, match=r"loading failed.*no code in it is run") as told:
        load_model(f"ViT-B-32/{tmp_path}/evil.pt", device="cpu")
    assert "weights_only" not in str(told.value)
    assert not Path("/tmp/clipnb-evil-was-run").exists()


@pytest.mark.parametrize("damage", ["truncated", "text", "missing", "foreign config"])
def test_damaged_folders_are_one_clear_word(tmp_path: Path, damage: str) -> None:
    name = save_open_clip(tmp_path / "model", TINY_CONFIG)
    weights = tmp_path / "model" / "open_clip_model.safetensors"
    if damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "text":
        weights.write_text("these are no weights")
    elif damage == "missing":
        weights.unlink()
    else:
        (tmp_path / "model" / "open_clip_config.json").write_text('{"model_cfg": {"surprise": 1}}')
    with pytest.raises(ModelUnavailableError, match="'lite' works now"):
        load_model(name, device="cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_same_answers(tiny_clip: str) -> None:
    exact = load_model(tiny_clip, device="cpu").encode_text(["a cat", "a dog"])
    there = load_model(tiny_clip, device="cuda")
    assert there.dtype in (torch.bfloat16, torch.float16)
    assert torch.nn.functional.cosine_similarity(exact, there.encode_text(["a cat", "a dog"]).cpu()).min() > 0.99


def test_texts_and_gradients_equal_those_of_open_clips_own_layout(tiny_clip: str) -> None:
    encoder = load_model(tiny_clip, device="cpu")
    assert isinstance(encoder, OpenClipEncoder)
    assert not encoder.model.transformer.batch_first, "the faster layout is in use"
    plain = open_clip.create_model(tiny_clip).eval()
    with torch.no_grad():
        theirs = plain.encode_text(encoder.tokenizer(TEXTS), normalize=True)
    assert torch.allclose(encoder.encode_text(TEXTS), theirs, atol=1e-6)
    mean, std = (torch.tensor(plain.visual.preprocess_cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    gradients = []
    for encode in (encoder.encode_image, lambda x: plain.encode_image((x - mean) / std, True)):
        pixels = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)).requires_grad_()
        (encode(pixels) @ theirs[0]).sum().backward()
        gradients.append(pixels.grad)
    assert torch.allclose(*gradients, atol=1e-6)
