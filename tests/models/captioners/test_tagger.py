"""Taggers in WD14's form, with networks of timm and of onnxruntime, saved and loaded from disk."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from clipnb.errors import CaptionerError, ModelUnavailableError
from clipnb.models.captioner import TransformersCaptioner, load_captioner
from clipnb.models.captioners.tagger import LARGEST_TAGS, Tag, Tagger, in_words, read_tags

ROWS = ["general,9", "1girl,0", "long_hair,0", "^_^,0", "saber_(fate),4", "hat,0"]
CSV = "tag_id,name,category,count\n" + "".join(f"{i},{row},{10 - i}\n" for i, row in enumerate(ROWS))
SIDE = 32
SMALL = {"img_size": SIDE, "patch_size": 16, "embed_dim": 32, "depth": 1, "num_heads": 2}
CONFIG = {
    "architecture": "vit_tiny_patch16_224",
    "num_classes": len(ROWS),
    "model_args": SMALL,
    "pretrained_cfg": {"input_size": [3, SIDE, SIDE], "mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 1.0},
}


def timm_tagger(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = timm.create_model(CONFIG["architecture"], num_classes=len(ROWS), **SMALL)
        for weight in network.parameters():
            torch.nn.init.normal_(weight, std=0.4)
    save_file(network.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "selected_tags.csv").write_text(CSV)
    return folder


def field(number: int, value: int | bytes | str) -> bytes:
    """Return a field of a protocol buffer."""

    def varint(rest: int) -> bytes:
        return bytes([rest & 127 | 128]) + varint(rest >> 7) if rest > 127 else bytes([rest])

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def onnx_model(weights: np.ndarray, shape: tuple[int | str, ...]) -> bytes:
    """Return an ONNX file: pictures, flattened, times the weights, through a sigmoid."""

    def described(name: str, sizes: tuple[int | str, ...]) -> bytes:
        dims = b"".join(field(1, field(1 if isinstance(size, int) else 2, size)) for size in sizes)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))

    def node(kind: str, given: list[str], made: str) -> bytes:
        return field(1, b"".join(field(1, name) for name in given) + field(2, made) + field(4, kind))

    content = b"".join(field(1, size) for size in weights.shape) + field(2, 1) + field(8, "w")
    graph = node("Flatten", ["x"], "flat") + node("MatMul", ["flat", "w"], "z") + node("Sigmoid", ["z"], "y")
    graph += field(2, "tagger") + field(5, content + field(9, weights.astype("<f4").tobytes()))
    graph += field(11, described("x", shape)) + field(12, described("y", (shape[0], weights.shape[1])))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def onnx_tagger(folder: Path, pictures: int | str = "n") -> Path:
    folder.mkdir(exist_ok=True)
    weights = np.random.default_rng(0).normal(0, 3e-4, (8 * 8 * 3, len(ROWS)))
    (folder / "model.onnx").write_bytes(onnx_model(weights, (pictures, 8, 8, 3)))
    (folder / "selected_tags.csv").write_text(CSV)
    return folder


class Fixed:
    """A network that finds the same in every picture."""

    side = 4

    def __init__(self, probabilities: list[float]) -> None:
        self._found = torch.tensor([probabilities])

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        return self._found.repeat(len(pixels), 1)

    def move(self, device: torch.device) -> None:
        pass


TAGS = [Tag(in_words(name), category) for name, category in (row.split(",") for row in ROWS)]


def tagger(probabilities: list[float], **wishes: Any) -> Tagger:
    return Tagger(Fixed(probabilities), TAGS, "it", torch.device("cpu"), **wishes)


def test_tags_above_their_thresholds_are_named_likeliest_first() -> None:
    picture = Image.new("RGB", (5, 3))
    found = [0.99, 0.5, 0.9, 0.36, 0.86, 0.34]
    assert tagger(found).caption([picture]) == ["saber (fate), long hair, 1girl, ^_^"]
    assert tagger(found, max_tags=2).caption([picture]) == ["saber (fate), long hair"]
    assert tagger(found, tag_threshold=0.6, character_threshold=0.9).caption([picture]) == ["long hair"]
    assert tagger([0.0] * 6).caption([picture] * 3) == ["", "", ""]
    for wish in ({"tag_threshold": 35}, {"character_threshold": -0.1}, {"tag_threshold": "0.3"}):
        with pytest.raises(CaptionerError, match="a probability in"):
            tagger(found, **wish)


def test_pictures_are_padded_with_white() -> None:
    prepared = tagger([0.0] * 6).prepare(Image.new("RGB", (8, 4), "black"))
    assert (prepared.dtype, prepared.shape) == (torch.uint8, (4, 4, 3))
    assert prepared[0].min() > 200
    assert prepared[2].max() < 50


def test_a_tagger_of_timm_is_loaded_and_names_tags(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "black", "white", "green")]
    folder = timm_tagger(tmp_path / "tagger")
    prepared = torch.stack([load_captioner(str(folder), "cpu", quiet=True).prepare(picture) for picture in pictures])
    network = timm.create_model(CONFIG["architecture"], num_classes=len(ROWS), **SMALL).eval()
    network.load_state_dict(load_file(folder / "model.safetensors"))
    with torch.no_grad():
        likely = network((prepared.permute(0, 3, 1, 2)[:, [2, 1, 0]] / 255 - 0.5) / 0.5).sigmoid()
    threshold = float(likely[:, 2].sort().values[2:4].mean())  # between what the pictures have of one tag

    captioner = load_captioner(str(folder), "cpu", batch_size=2, quiet=True, tag_threshold=threshold)
    captions = captioner.caption(pictures)
    assert len(set(captions)) > 1
    assert {tag for caption in captions for tag in caption.split(", ") if tag} <= {tag.text for tag in TAGS[1:]}
    assert captions == [captioner.caption([captioner.prepare(picture)])[0] for picture in pictures]
    captioner.move(torch.device("cpu"))
    assert captioner.caption(pictures) == captions
    for caption, found in zip(captions, likely, strict=True):
        named = {TAGS[i].text for i in range(1, 6) if found[i] >= (0.85 if i == 4 else threshold)}
        assert set(filter(None, caption.split(", "))) == named


@pytest.mark.parametrize("at_a_time", ["n", 1])
def test_a_tagger_of_onnx_is_loaded_and_names_tags(
    at_a_time: int | str, tmp_path: Path, pictures: list[Image.Image]
) -> None:
    pytest.importorskip("onnxruntime")
    captioner = load_captioner(str(onnx_tagger(tmp_path / "tagger", at_a_time)), "cpu", tag_threshold=0.5)
    captions = captioner.caption(pictures)
    assert len(set(captions)) > 1
    weights = np.random.default_rng(0).normal(0, 3e-4, (8 * 8 * 3, len(ROWS)))
    for picture, caption in zip(pictures, captions, strict=True):
        blue_first = np.asarray(captioner.prepare(picture), np.float32)[..., ::-1].reshape(-1)
        likely = 1 / (1 + np.exp(-blue_first @ weights))
        named = {TAGS[i].text for i in range(1, 6) if likely[i] >= (0.85 if i == 4 else 0.5)}
        assert set(filter(None, caption.split(", "))) == named
    captioner.move(torch.device("cpu"))
    assert captioner.caption(pictures) == captions


def test_an_onnx_tagger_without_onnxruntime_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ModelUnavailableError, match="pip install onnxruntime"):
        load_captioner(str(onnx_tagger(tmp_path / "tagger")), "cpu")


def spoil_csv(folder: Path) -> None:
    (folder / "selected_tags.csv").write_text("a,b\n1,2\n")


def spoil_rows(folder: Path) -> None:
    (folder / "selected_tags.csv").write_text(CSV + "7,more,0,1\n")


def spoil_name(folder: Path) -> None:
    (folder / "selected_tags.csv").write_text(CSV + "7,,0,1\n")


def spoil_size(folder: Path) -> None:
    (folder / "selected_tags.csv").write_text(CSV + "x" * LARGEST_TAGS)


def spoil_encoding(folder: Path) -> None:
    (folder / "selected_tags.csv").write_bytes(b"name,category\n\xff,0\n")


def spoil_field(folder: Path) -> None:
    (folder / "selected_tags.csv").write_text("name,category\n" + "a" * 200_000 + ",0\n")


def spoil_architecture(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({**CONFIG, "architecture": "hf-hub:some/where"}))


def spoil_unknown(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({**CONFIG, "architecture": "no_such_net"}))


def spoil_arguments(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({**CONFIG, "model_args": {"checkpoint_path": "/etc/passwd"}}))


def spoil_side(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({**CONFIG, "pretrained_cfg": {"input_size": [3, 9, 10**9]}}))


def spoil_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\0" * 100)


def spoil_all(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_csv, "no columns name and category"),
        (spoil_rows, "size mismatch|Error"),
        (spoil_name, "without a name"),
        (spoil_size, "larger|MiB|bytes"),
        (spoil_encoding, r"selected_tags.csv cannot be read: it is no UTF-8 text"),
        (spoil_field, r"selected_tags.csv cannot be read: field larger"),
        (spoil_architecture, "reaches out"),
        (spoil_unknown, "timm knows no architecture 'no_such_net'"),
        (spoil_arguments, "reaches out by 'checkpoint_path'"),
        (spoil_side, "takes pictures of 1000000000 pixels"),
        (spoil_weights, "cannot load the captioner"),
        (spoil_all, "neither model.safetensors with timm's config.json nor model.onnx"),
    ],
)
def test_a_damaged_tagger_is_refused_in_one_line(spoil: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    folder = timm_tagger(tmp_path / "tagger")
    spoil(folder)
    with pytest.raises(ModelUnavailableError, match=message) as caught:
        load_captioner(str(folder), "cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [("n", 3, 8, 8), ("n", 8, 8, 4)])
def test_an_onnx_network_of_another_form_is_refused(shape: tuple[int | str, ...], tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    folder = onnx_tagger(tmp_path / "tagger")
    size = int(np.prod([length for length in shape if isinstance(length, int)]))
    (folder / "model.onnx").write_bytes(onnx_model(np.zeros((size, len(ROWS))), shape))
    with pytest.raises(ModelUnavailableError, match="WD14's form is"):
        load_captioner(str(folder), "cpu")
    (folder / "model.onnx").write_bytes(b"no network")
    with pytest.raises(ModelUnavailableError, match="cannot load the captioner"):
        load_captioner(str(folder), "cpu")


@pytest.mark.parametrize(
    "wish", [{"instruction": "say it"}, {"bits": 8}, {"repetition_penalty": 1.1}, {"num_beams": 4}, {"colour": "red"}]
)
def test_a_tagger_refuses_what_it_has_no_use_for(wish: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(
        CaptionerError, match=f"has no use for {next(iter(wish))}; leave it out; a tagger takes tag_threshold"
    ):
        load_captioner(str(timm_tagger(tmp_path / "tagger")), "cpu", **wish)


def test_a_generating_captioner_refuses_thresholds(save: Callable[[str], Path]) -> None:
    with pytest.raises(CaptionerError, match="has no use for tag_threshold"):
        load_captioner(str(save("llava")), "cpu", tag_threshold=0.3)


def test_a_captioner_beside_a_list_of_tags_stays_one(save: Callable[[str], Path], tmp_path: Path) -> None:
    for file in save("llava").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "selected_tags.csv").write_text(CSV)
    assert isinstance(load_captioner(str(tmp_path), "cpu", quiet=True), TransformersCaptioner)


def test_tags_are_read_with_blanks_for_underscores(tmp_path: Path) -> None:
    path = tmp_path / "selected_tags.csv"
    names = ["long_hair", "^_^", "(o)_(o)", ">_<", "fate/stay_night", "k-on!", "a_(b)", '"a, b"', "re:\0zero"]
    path.write_text("name,category\r\n" + "".join(f"{name},0\r\n" for name in names))
    texts = [tag.text for tag in read_tags(path)]
    assert texts == ["long hair", "^_^", "(o)_(o)", ">_<", "fate/stay night", "k-on!", "a_(b)", "a, b", "re:zero"]
