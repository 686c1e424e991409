"""Captioners of several kinds, made small from the libraries' own configs, saved, and loaded back from disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

from clipnb.errors import ModelUnavailableError
from clipnb.models.captioner import CAPTIONERS, TransformersCaptioner, captioner_files, load_captioner

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<image>"]
WORDS = [*SPECIAL, "a", "photo", "of", "cat", "dog", "the", "sea", "red", "cup", "light"]
SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
VISION = {**SHAPE, "image_size": 32, "patch_size": 16}
TEXT = {**SHAPE, "vocab_size": len(WORDS), "max_position_embeddings": 64}
IDS = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
SIZE = {"height": 32, "width": 32}


def tokenizer() -> hf.PreTrainedTokenizerFast:
    plain = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"unk": "[UNK]", "pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "bos": "[CLS]", "eos": "[SEP]"}
    return hf.PreTrainedTokenizerFast(tokenizer_object=plain, **{f"{kind}_token": word for kind, word in names.items()})


def blip() -> tuple[Any, list[Any]]:
    text = {**TEXT, **IDS, "sep_token_id": 3, "encoder_hidden_size": 32}
    config = hf.BlipConfig(text_config=text, vision_config=VISION, projection_dim=32, image_text_hidden_size=32)
    processor = hf.BlipProcessor(hf.BlipImageProcessor(size=SIZE), tokenizer())
    return hf.BlipForConditionalGeneration(config), [processor]


def blip2() -> tuple[Any, list[Any]]:
    opt = {"model_type": "opt", "vocab_size": len(WORDS), "hidden_size": 32, "ffn_dim": 64, "word_embed_proj_dim": 32}
    opt |= {"num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64, **IDS}
    config = hf.Blip2Config(
        vision_config=VISION,
        qformer_config={**TEXT, "encoder_hidden_size": 32},
        text_config=opt,
        num_query_tokens=4,
        image_token_index=WORDS.index("<image>"),
    )
    processor = hf.Blip2Processor(hf.BlipImageProcessor(size=SIZE), tokenizer(), num_query_tokens=4)
    return hf.Blip2ForConditionalGeneration(config), [processor]


def git() -> tuple[Any, list[Any]]:
    images = hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SIZE)
    return hf.GitForCausalLM(hf.GitConfig(vision_config=VISION, **TEXT, **IDS)), [hf.GitProcessor(images, tokenizer())]


def vit_gpt2() -> tuple[Any, list[Any]]:
    decoder = hf.GPT2Config(
        vocab_size=len(WORDS), n_embd=32, n_layer=2, n_head=4, n_positions=64, add_cross_attention=True, is_decoder=True
    )
    config = hf.VisionEncoderDecoderConfig.from_encoder_decoder_configs(hf.ViTConfig(**VISION), decoder)
    model = hf.VisionEncoderDecoderModel(config)
    for name, value in {"decoder_start_token_id": 2, "pad_token_id": 0, "eos_token_id": 3}.items():
        setattr(model.generation_config, name, value)
    return model, [hf.ViTImageProcessor(size=SIZE), tokenizer()]


KINDS = {"blip": blip, "blip2": blip2, "git": git, "vit-gpt2": vit_gpt2}


@pytest.fixture(scope="session")
def saved_captioner(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("captioners")

    def save(kind: str) -> Path:
        folder = root / kind
        if not folder.exists():
            with torch.random.fork_rng():
                torch.manual_seed(0)
                model, parts = KINDS[kind]()
                for weight in model.parameters():
                    weight.data.mul_(6)  # sharp enough that different pictures get different words
            for part in (model, *parts):
                part.save_pretrained(folder)
        return folder

    return save


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)).rotate(30 * i) for i in range(5)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_captioner_is_loaded_and_writes(
    kind: str, saved_captioner: Callable[[str], Path], pictures: list[Image.Image]
) -> None:
    captioner = load_captioner(str(saved_captioner(kind)), "cpu", max_new_tokens=8, batch_size=2)
    captions = captioner.caption(pictures)
    assert len(captions) == len(pictures)
    assert {word for caption in captions for word in caption.split()} <= set(WORDS) - {"[PAD]", "[CLS]", "[SEP]"}
    assert all(len(caption.split()) <= 8 for caption in captions)
    assert captions == [captioner.caption([picture])[0] for picture in pictures]
    assert any(captions)


def test_beams_are_taken(saved_captioner: Callable[[str], Path], pictures: list[Image.Image]) -> None:
    folder = str(saved_captioner("git"))
    beams = load_captioner(folder, "cpu", max_new_tokens=5, num_beams=3)
    assert all(len(caption.split()) <= 5 for caption in beams.caption(pictures[:2]))


@pytest.mark.parametrize("sampling", [False, True])
def test_several_captions_are_proposed_always_the_same(
    sampling: bool, saved_captioner: Callable[[str], Path], pictures: list[Image.Image]
) -> None:
    captioner = load_captioner(str(saved_captioner("blip")), "cpu", max_new_tokens=4)
    assert isinstance(captioner, TransformersCaptioner)
    state = torch.get_rng_state()
    proposed = captioner.propose(pictures[0], 3, sampling=sampling)
    assert len(proposed) == 3
    assert captioner.propose(captioner.prepare(pictures[0]), 3, sampling=sampling) == proposed
    assert torch.equal(torch.get_rng_state(), state)


def test_a_loaded_model_may_be_handed_in(saved_captioner: Callable[[str], Path], pictures: list[Image.Image]) -> None:
    folder = saved_captioner("blip")
    model = hf.BlipForConditionalGeneration.from_pretrained(folder)
    captioner = TransformersCaptioner(model, hf.BlipProcessor.from_pretrained(folder), "mine", max_new_tokens=4)
    assert captioner.caption(pictures[:1]) == load_captioner(str(folder), "cpu", max_new_tokens=4).caption(pictures[:1])
    assert captioner.caption([]) == []


def test_the_names_that_people_know() -> None:
    assert set(CAPTIONERS) >= {"blip-base", "blip-large", "blip2-2.7b", "blip2-flan-t5-xl", "git-large-coco"}
    assert all(callable(source) or source.count("/") == 1 for source in CAPTIONERS.values())


class Sizes:
    """The smallest captioner that keeps the contract."""

    def __init__(self, device: torch.device, **options: int) -> None:
        self.name, self.device, self.options = "sizes", device, options

    def prepare(self, image: Image.Image) -> Image.Image:
        return image

    def caption(self, images: Iterable[Image.Image]) -> list[str]:
        return [f"{image.width} x {image.height}" for image in images]

    def move(self, device: torch.device) -> None:
        self.device = device


@pytest.mark.parametrize("name", ["sizes", *(name for name, source in CAPTIONERS.items() if callable(source))])
def test_a_captioner_made_by_code_keeps_the_contract(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CAPTIONERS, "sizes", Sizes)
    captioner = load_captioner(name, "cpu", max_new_tokens=5)
    images = [Image.new("RGB", (40, 30), "red"), Image.new("RGB", (20, 20), "blue")]
    captions = captioner.caption(images)
    assert [caption.strip() for caption in captions] == captions
    assert captioner.caption([captioner.prepare(image) for image in images]) == captions
    captioner.move(torch.device("meta"))
    assert (captioner.device.type, captioner_files(name)) == ("meta", [])


@pytest.mark.parametrize("what", ["name", "hub id", "odd id", "empty folder", "no captioner", "torn weights"])
def test_what_cannot_be_loaded_says_why(what: str, tmp_path: Path, saved_captioner: Callable[[str], Path]) -> None:
    if what == "no captioner":
        hf.BertConfig(**TEXT).save_pretrained(tmp_path)
        tokenizer().save_pretrained(tmp_path)
    if what == "torn weights":
        for file in saved_captioner("git").iterdir():
            content = file.read_bytes()
            (tmp_path / file.name).write_bytes(content[:900] if file.suffix == ".safetensors" else content)
    name = {"name": "blip-lrage", "hub id": "nobody/no-such-captioner", "odd id": "a b/c?d"}.get(what, str(tmp_path))
    with pytest.raises(ModelUnavailableError, match="composed from label tables") as caught:
        load_captioner(name, "cpu")
    assert "\n" not in str(caught.value)
    assert what != "name" or "near it: blip-large" in str(caught.value)
