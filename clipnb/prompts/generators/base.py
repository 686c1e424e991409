"""What every generator of pictures is to its reader: a name, a function, and an example."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PureWindowsPath

from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.records import Prompt

NAMES = {
    "steps": "Steps",
    "num_inference_steps": "Steps",
    "sampler": "Sampler",
    "sampler_name": "Sampler",
    "scheduler": "Schedule type",
    "noise_schedule": "Schedule type",
    **dict.fromkeys(("scale", "cfg", "cfg_scale", "cfgscale", "guidance_scale", "guidance scale"), "CFG scale"),
    "seed": "Seed",
    "noise_seed": "Seed",
    "size": "Size",
    "clip_skip": "Clip skip",
    "clip skip": "Clip skip",
    **dict.fromkeys(("model", "base_model", "base model", "base_model_name", "model_weights"), "Model"),
    **dict.fromkeys(("use_stable_diffusion_model", "stable diffusion model"), "Model"),
    "model_hash": "Model hash",
    "base_model_hash": "Model hash",
    "vae": "VAE",
    "use_vae_model": "VAE",
    "denoise": "Denoising strength",
    "strength": "Denoising strength",
    "version": "Version",
}
"""A1111's names of settings by what other generators call them, so that one can group by `Model` whoever wrote it."""
_MODEL_SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft")


@dataclass(frozen=True)
class Generator:
    """A program that writes its prompts into pictures.

    Attributes:
        name: what `Embedded.generator` says.
        read: of the texts of a picture returns the prompt, or None where another program wrote them.
        example: texts as it writes them, and the prompt that they hold; tests check it.
        last_resort: asked only when no other generator knows the texts.
    """

    name: str
    read: Callable[[Texts], Prompt | None]
    example: tuple[Mapping[str, str], Prompt]
    last_resort: bool = False


def plain(value: object) -> str:
    """Return a value of JSON as the text of a setting.

    >>> plain("a cat"), plain(["a", {"b": "c"}]), plain(None)
    ('a cat', '["a", {"b": "c"}]', '')
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:  # which loading may just have passed
        return "..."


def settings_of(data: Mapping[str, object], without: Iterable[str] = (), **names: str) -> dict[str, str]:
    """Return the settings of a flat object as texts, under A1111's names where it has them.

    Args:
        data: the object; `width` and `height` in it become `Size`, and a model's file its bare name.
        without: keys that are left out.
        names: the setting that a key of this generator is, where `NAMES` does not say so.

    >>> settings_of({"steps": "20", "width": "64", "height": "32", "eta": None, "model": "sd/dream.safetensors"})
    {'Steps': '20', 'Model': 'dream', 'Size': '64x32'}
    """
    settings: dict[str, str] = {}
    left_out = {*without, "width", "height"}
    for key, value in data.items():
        text = plain(value)
        if text and key not in left_out:
            name = names.get(key) or NAMES.get(key.lower(), key)
            settings.setdefault(name, model_name(text) if name == "Model" else text)
    if isinstance(data.get("width"), str) and isinstance(data.get("height"), str):
        settings.setdefault("Size", f"{data['width']}x{data['height']}")
    return settings


def model_name(file: str) -> str:
    r"""Return the name of a model's file as A1111 writes it, without folder and suffix.

    >>> model_name(r"sdxl\dream v1.5.safetensors"), model_name("dream v1.5")
    ('dream v1.5', 'dream v1.5')
    """
    path = PureWindowsPath(file)  # which knows both kinds of slashes
    return path.stem if path.suffix.lower() in _MODEL_SUFFIXES else file


def first_text(data: Mapping[str, object], *keys: str) -> str:
    """Return the first of these values that is a text and not blank."""
    return next((value for key in keys if isinstance(value := data.get(key), str) and value.strip()), "")


def joined(*texts: str) -> str:
    r"""Join texts by line breaks, each once, blank ones left out.

    >>> joined("a cat", "", "a cat", "fur")
    'a cat\nfur'
    """
    return "\n".join(dict.fromkeys(text for text in texts if text.strip()))
