"""InvokeAI: the JSON of `invokeai_metadata`; before, of `sd-metadata`; at first the command line `Dream`."""

from __future__ import annotations

import re

from clipnb.prompts.containers.texts import JsonObject, Texts
from clipnb.prompts.generators.base import Generator, first_text, joined, settings_of
from clipnb.prompts.records import Prompt

_PROMPTS = ("positive_prompt", "negative_prompt")
_UNWANTED = re.compile(r"\[([^\[\]]*)\]")  # the negative prompt of the older versions
_DREAM = re.compile(r'\s*"(.*)"(.*)', re.DOTALL)
_FLAG = re.compile(r"-([sSWHCAf]) ?(\S+)")
_FLAGS = {"s": "steps", "S": "seed", "W": "width", "H": "height", "C": "cfg_scale", "A": "sampler", "f": "strength"}


def _read(texts: Texts) -> Prompt | None:
    metadata = texts.json("invokeai_metadata")
    if metadata:
        text, negative = (first_text(metadata, name) for name in _PROMPTS)
        return Prompt(text, negative, settings=_settings(metadata))
    older = texts.json("sd-metadata") or {}
    image = older.get("image")
    if isinstance(image, dict):
        data = {**older, **image}
        settings = settings_of(data, ("prompt", "image", "model"), model_weights="Model", app_version="Version")
        return _split(_weighted(image.get("prompt")), settings)
    command = _DREAM.match(texts.get("Dream", ""))
    if not command:
        return None
    return _split(command[1], settings_of({_FLAGS[flag]: value for flag, value in _FLAG.findall(command[2])}))


def _settings(metadata: JsonObject) -> dict[str, str]:
    """Return the settings; what this generator calls a scheduler is a sampler, and its model is an object."""
    model = metadata.get("model")
    if isinstance(model, dict):
        metadata = {**metadata, "model": first_text(model, "name", "model_name", "key")}
    return settings_of(metadata, _PROMPTS, scheduler="Sampler", app_version="Version")


def _weighted(prompt: object) -> str:
    """Return a prompt that is a text, or a list of texts with weights."""
    if not isinstance(prompt, list):
        return prompt if isinstance(prompt, str) else ""
    return joined(*(first_text(part, "prompt") for part in prompt if isinstance(part, dict)))


def _split(prompt: str, settings: dict[str, str]) -> Prompt:
    unwanted = ", ".join(found.strip() for found in _UNWANTED.findall(prompt))
    return Prompt(_UNWANTED.sub("", prompt).strip(), unwanted, settings=settings)


INVOKEAI = Generator(
    "InvokeAI",
    _read,
    (
        {
            "invokeai_metadata": '{"app_version": "5.4.0", "positive_prompt": "a cat, fur", "negative_prompt": "dog", '
            '"width": 64, "height": 32, "seed": 9, "cfg_scale": 7.5, "steps": 30, "scheduler": "euler_a", '
            '"model": {"key": "1f2e", "name": "dream", "base": "sdxl"}}'
        },
        Prompt(
            "a cat, fur",
            "dog",
            settings={
                "Version": "5.4.0",
                "Seed": "9",
                "CFG scale": "7.5",
                "Steps": "30",
                "Sampler": "euler_a",
                "Model": "dream",
                "Size": "64x32",
            },
        ),
    ),
)
