"""Easy Diffusion: one chunk a setting in PNG, JSON in EXIF; keys as in its code, or as in its panel."""

from __future__ import annotations

from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.generators.base import Generator, first_text, settings_of
from clipnb.prompts.records import Prompt

_MODEL, _PROMPT = ("use_stable_diffusion_model", "Stable Diffusion model"), ("prompt", "Prompt")
_NEGATIVE = ("negative_prompt", "Negative Prompt")


def _read(texts: Texts) -> Prompt | None:
    data = texts.json("UserComment") or dict(texts)
    if not any(name in data for name in _MODEL):
        return None
    return Prompt(first_text(data, *_PROMPT), first_text(data, *_NEGATIVE), settings=_settings(data))


def _settings(data: dict[str, object] | dict[str, str]) -> dict[str, str]:
    sizes = {name.lower(): data[name] for name in ("Width", "Height") if name in data}
    return settings_of({**data, **sizes}, (*_PROMPT, *_NEGATIVE, "Width", "Height"))


EASY_DIFFUSION = Generator(
    "Easy Diffusion",
    _read,
    (
        {
            "Prompt": "a cat, fur",
            "Negative Prompt": "dog",
            "Seed": "5",
            "Stable Diffusion model": "/models/dream.safetensors",
            "Width": "64",
            "Height": "32",
            "Guidance Scale": "7.5",
        },
        Prompt(
            "a cat, fur",
            "dog",
            settings={"Seed": "5", "Model": "dream", "CFG scale": "7.5", "Size": "64x32"},
        ),
    ),
)
