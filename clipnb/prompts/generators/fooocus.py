"""Fooocus and its forks: JSON, or a text like A1111's, in `parameters` or EXIF."""

from __future__ import annotations

import re

from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.generators.a1111 import parse_parameters
from clipnb.prompts.generators.base import Generator, first_text, settings_of
from clipnb.prompts.records import Prompt

_PROMPT, _NEGATIVE = ("prompt", "Prompt"), ("negative_prompt", "Negative Prompt", "Negative")
_RESOLUTION = re.compile(r"\D*(\d+)\D+(\d+)\D*")


def _read(texts: Texts) -> Prompt | None:
    scheme = texts.get("fooocus_scheme") or texts.get("MakerNote")
    data = texts.json("parameters") or texts.json("UserComment")
    if data is None:
        text = texts.text("parameters") or texts.text("UserComment")
        return parse_parameters(text) if text and scheme == "a1111" else None
    made_by = f"{data.get('version')} {data.get('software')} {texts.get('Software')}"
    if scheme not in ("fooocus", "a1111") and "ooocus" not in made_by:
        return None
    settings = settings_of(data, (*_PROMPT, *_NEGATIVE))
    size = _RESOLUTION.fullmatch(settings.pop("resolution", "") or settings.pop("Resolution", ""))
    if size:
        settings.setdefault("Size", f"{size[1]}x{size[2]}")
    return Prompt(first_text(data, *_PROMPT), first_text(data, *_NEGATIVE), settings=settings)


FOOOCUS = Generator(
    "Fooocus",
    _read,
    (
        {
            "parameters": '{"prompt": "a cat, fur", "negative_prompt": "dog", "steps": 30, '
            '"resolution": "(1152, 896)", "guidance_scale": 4.0, "base_model": "juggernaut", '
            '"sampler": "dpmpp_2m", "version": "Fooocus v2.5.5"}',
            "fooocus_scheme": "fooocus",
        },
        Prompt(
            "a cat, fur",
            "dog",
            settings={
                "Steps": "30",
                "CFG scale": "4.0",
                "Model": "juggernaut",
                "Sampler": "dpmpp_2m",
                "Version": "Fooocus v2.5.5",
                "Size": "1152x896",
            },
        ),
    ),
)
