"""Small captioners with random weights of the real architectures, saved as their makers save them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

SPECIAL = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "<image>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<|im_start|>",
    "<|im_end|>",
]
MARKS = [
    "<fake_token_around_image>",
    "<global-img>",
    "<end_of_utterance>",
    "<loc_1>",
    "<loc_2>",
    "<joy>",
    "<|vision_start|>",
]
WORDS = [*SPECIAL, *MARKS, "a", "photo", "of", "cat", "dog", "the", "sea", "red", "cup", "light", "on", "tree", "and"]
SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
VISION = {**SHAPE, "image_size": 32, "patch_size": 16}
IDS = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
TEXT = {**SHAPE, "vocab_size": len(WORDS), "max_position_embeddings": 1024, **IDS}
DECODER = {**TEXT, "num_key_value_heads": 4}
SIZE = {"height": 32, "width": 32}
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }} {% if message.content is string %}"
    "{{ message.content }}{% else %}{% for part in message.content %}{% if part.type == 'image' %}MARK{% else %}"
    "{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant {% endif %}"
)
# The picture is put into the first question, which has to be a text, as in JoyCaption's template.
JOY_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }} {% if message.role == 'user' %}<joy>{% endif %}"
    "{{ message.content.replace('<joy>', '').strip() }}<|im_end|>{% endfor %}<|im_start|>assistant "
)


def tokenizer(**marks: str) -> Any:
    plain = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"unk": "[UNK]", "pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "bos": "[CLS]", "eos": "[SEP]"}
    made = hf.PreTrainedTokenizerFast(
        tokenizer_object=plain,
        model_max_length=1024,
        model_input_names=["input_ids", "attention_mask"],
        **{f"{kind}_token": word for kind, word in names.items()},
        **({"extra_special_tokens": marks} if marks else {}),
    )
    made.add_special_tokens({"additional_special_tokens": [*SPECIAL[4:], *MARKS]})
    return made


def qwen2_vl(kind: str = "Qwen2VL") -> tuple[Any, list[Any]]:
    rope = {"type": "mrope", "rope_type": "default", "mrope_section": [1, 1, 2]}
    vision = {"depth": 2, "num_heads": 4, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2}
    if kind == "Qwen2VL":
        vision |= {"embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2}
    else:
        vision |= {"hidden_size": 32, "intermediate_size": 64, "out_hidden_size": 32, "window_size": 28}
        vision |= {"fullatt_block_indexes": [1]}
    marks = {"image_token_id": WORDS.index("<|image_pad|>"), "video_token_id": WORDS.index("<|video_pad|>")}
    marks |= {"vision_start_token_id": WORDS.index("<|vision_start|>")}
    config = getattr(hf, f"{kind}Config")(
        vision_config=vision, **DECODER, **marks, rope_scaling=rope, tie_word_embeddings=False
    )
    parts = {"image_processor": hf.Qwen2VLImageProcessor(min_pixels=28 * 28, max_pixels=84 * 84)}
    parts["video_processor"] = hf.Qwen2VLVideoProcessor()
    processor = getattr(hf, "Qwen2VLProcessor" if kind == "Qwen2VL" else "Qwen2_5_VLProcessor")(
        tokenizer=tokenizer(), chat_template=CHAT.replace("MARK", "<|vision_start|><|image_pad|>"), **parts
    )
    return getattr(hf, f"{kind}ForConditionalGeneration")(config), [processor]


def qwen2_5_vl() -> tuple[Any, list[Any]]:
    return qwen2_vl("Qwen2_5_VL")


def llava(chat: str | None = CHAT.replace("MARK", "<image>"), mark: str = "<image>") -> tuple[Any, list[Any]]:
    config = hf.LlavaConfig(
        vision_config=hf.CLIPVisionConfig(**VISION, projection_dim=32),
        text_config=hf.LlamaConfig(**DECODER),
        image_token_index=WORDS.index(mark),
        image_seq_length=4,
        vision_feature_select_strategy="default",
        vision_feature_layer=-2,
    )
    images = hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SIZE)
    processor = hf.LlavaProcessor(
        images, tokenizer(), 16, "default", chat_template=chat, image_token=mark, num_additional_image_tokens=1
    )
    return hf.LlavaForConditionalGeneration(config), [processor]


def joycaption() -> tuple[Any, list[Any]]:
    config = hf.LlavaConfig(
        vision_config=hf.SiglipVisionConfig(**VISION),
        text_config=hf.LlamaConfig(**DECODER),
        image_token_index=WORDS.index("<joy>"),
        image_seq_length=4,
        vision_feature_select_strategy="full",
        vision_feature_layer=-2,
    )
    processor = hf.LlavaProcessor(
        hf.SiglipImageProcessor(size=SIZE), tokenizer(), 16, "full", chat_template=JOY_CHAT, image_token="<joy>"
    )
    return hf.LlavaForConditionalGeneration(config), [processor]


def paligemma() -> tuple[Any, list[Any]]:
    vision = hf.SiglipVisionConfig(**VISION, vision_use_head=False)
    config = hf.PaliGemmaConfig(
        vision_config={**vision.to_dict(), "projection_dim": 32, "num_image_tokens": 4},
        text_config={"model_type": "gemma", **DECODER, "head_dim": 8, "num_image_tokens": 4},
        image_token_index=WORDS.index("<image>"),
        projection_dim=32,
        hidden_size=32,
    )
    images = hf.SiglipImageProcessor(size=SIZE)
    images.image_seq_length = 4
    processor = hf.PaliGemmaProcessor(images, tokenizer())
    model = hf.PaliGemmaForConditionalGeneration(config)
    model.resize_token_embeddings(len(processor.tokenizer))  # the processor adds tokens for places in the picture
    return model, [processor]


def idefics3() -> tuple[Any, list[Any]]:
    config = hf.Idefics3Config(
        vision_config=VISION,
        text_config={"model_type": "llama", **DECODER},
        image_token_id=WORDS.index("<image>"),
        scale_factor=2,
        pad_token_id=0,
    )
    images = hf.Idefics3ImageProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    chat = CHAT.replace("MARK", "<image>")
    processor = hf.Idefics3Processor(images, tokenizer(), image_seq_len=1, chat_template=chat)
    return hf.Idefics3ForConditionalGeneration(config), [processor]


def instructblip() -> tuple[Any, list[Any]]:
    config = hf.InstructBlipConfig(
        vision_config=VISION,
        qformer_config={**TEXT, "encoder_hidden_size": 32},
        text_config={"model_type": "llama", **DECODER},
        num_query_tokens=4,
        image_token_index=WORDS.index("<image>"),
    )
    processor = hf.InstructBlipProcessor(hf.BlipImageProcessor(size=SIZE), tokenizer(), tokenizer(), num_query_tokens=4)
    return hf.InstructBlipForConditionalGeneration(config), [processor]


def blip2() -> tuple[Any, list[Any]]:
    opt = {"model_type": "opt", "vocab_size": len(WORDS), "hidden_size": 32, "ffn_dim": 64, "word_embed_proj_dim": 32}
    config = hf.Blip2Config(
        vision_config=VISION,
        qformer_config={**TEXT, "encoder_hidden_size": 32},
        text_config={**opt, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64, **IDS},
        num_query_tokens=4,
        image_token_index=WORDS.index("<image>"),
    )
    processor = hf.Blip2Processor(hf.BlipImageProcessor(size=SIZE), tokenizer(), num_query_tokens=4)
    return hf.Blip2ForConditionalGeneration(config), [processor]


def florence2() -> tuple[Any, list[Any]]:
    vision = {"embed_dim": [8, 8, 8, 16], "num_heads": [1] * 4, "num_groups": [1] * 4, "depths": [1] * 4}
    text = {"model_type": "bart", "vocab_size": len(WORDS), "d_model": 32, "max_position_embeddings": 1024, **IDS}
    text |= {f"{side}_{what}": n for side in ("encoder", "decoder") for what, n in LAYERS.items()}
    config = hf.Florence2Config(
        vision_config={**vision, "projection_dim": 32, "window_size": 4},
        text_config={**text, "decoder_start_token_id": 3, "forced_eos_token_id": 3},
        image_token_id=WORDS.index("<image>"),
        **IDS,
    )
    images = hf.CLIPImageProcessor(size={"height": 64, "width": 64}, do_center_crop=False)
    images.image_seq_length = 5
    processor = hf.Florence2Processor(images, tokenizer(image_token="<image>"))
    model = hf.Florence2ForConditionalGeneration(config)
    for name, value in {"decoder_start_token_id": 3, **IDS}.items():
        setattr(model.generation_config, name, value)
    return model, [processor]


LAYERS = {"layers": 2, "attention_heads": 4, "ffn_dim": 64}
MAKERS = (qwen2_vl, qwen2_5_vl, llava, joycaption, paligemma, idefics3, instructblip, blip2, florence2)
KINDS = {maker.__name__: maker for maker in MAKERS}


@pytest.fixture(scope="session")
def save(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return what makes a captioner of a kind and saves it once."""
    root = tmp_path_factory.mktemp("captioners")

    def save(kind: str) -> Path:
        folder = root / kind
        if not folder.exists():
            with torch.random.fork_rng():
                torch.manual_seed(0)
                model, parts = KINDS[kind]()
                for weight in model.parameters():
                    if weight.dim() > 1:
                        torch.nn.init.normal_(weight, std=0.4)  # sharp: different pictures get different words
                    if len(weight) > 1000:
                        weight.data[len(WORDS) :] = 0  # PaliGemma's places are not said
            for part in (model, *parts):
                part.save_pretrained(folder)
        return folder

    return save


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    sizes = [(60, 40), (40, 60), (100, 64), (64, 64), (30, 90)]
    return [Image.fromarray(rng.integers(0, 255, (h, w, 3), dtype=np.uint8)) for w, h in sizes]
