"""Generators of pictures: each reads the prompt that its program wrote among the texts of a picture."""

from __future__ import annotations

from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.generators.a1111 import A1111
from clipnb.prompts.generators.base import Generator
from clipnb.prompts.generators.comfyui import COMFYUI
from clipnb.prompts.generators.description import DESCRIPTION, MIDJOURNEY
from clipnb.prompts.generators.draw_things import DRAW_THINGS
from clipnb.prompts.generators.easy_diffusion import EASY_DIFFUSION
from clipnb.prompts.generators.fooocus import FOOOCUS
from clipnb.prompts.generators.invokeai import INVOKEAI
from clipnb.prompts.generators.novelai import NOVELAI
from clipnb.prompts.generators.swarmui import SWARMUI
from clipnb.prompts.records import Prompt

# What recognises its own texts by a mark comes first; a picture with A1111's text and a graph has the text made of it.
_ASKED = (
    *(FOOOCUS, SWARMUI, INVOKEAI, NOVELAI, DRAW_THINGS, EASY_DIFFUSION, MIDJOURNEY),
    *(A1111, COMFYUI, DESCRIPTION),
)
GENERATORS: dict[str, Generator] = {generator.name: generator for generator in _ASKED}
"""The generators by name, in the order in which they are asked; one of your own is asked before the last resort."""


def find_prompt(texts: Texts) -> tuple[Prompt | None, str]:
    """Return the prompt among the texts of a picture and its generator's name; None and "" where there is none."""
    for generator in sorted(GENERATORS.values(), key=lambda generator: generator.last_resort):
        found = generator.read(texts)
        if found and (found.text.strip() or found.negative.strip() or found.settings):
            return found, generator.name
    return None, ""
