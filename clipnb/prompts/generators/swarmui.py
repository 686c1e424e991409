"""SwarmUI: JSON with `sui_image_params` in `parameters` or EXIF."""

from __future__ import annotations

from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.generators.base import Generator, first_text, settings_of
from clipnb.prompts.records import Prompt


def _read(texts: Texts) -> Prompt | None:
    data = texts.json("parameters") or texts.json("UserComment") or {}
    found = data.get("sui_image_params")
    if not isinstance(found, dict):
        return None
    settings = settings_of(found, ("prompt", "negativeprompt"), swarm_version="Version")
    return Prompt(first_text(found, "prompt"), first_text(found, "negativeprompt"), settings=settings)


SWARMUI = Generator(
    "SwarmUI",
    _read,
    (
        {
            "parameters": '{"sui_image_params": {"prompt": "a cat, fur", "negativeprompt": "dog", "model": "sd/dream", '
            '"seed": 5, "steps": 20, "cfgscale": 7.0, "width": 64, "height": 32, "swarm_version": "0.9.6"}}'
        },
        Prompt(
            "a cat, fur",
            "dog",
            settings={
                "Model": "sd/dream",
                "Seed": "5",
                "Steps": "20",
                "CFG scale": "7.0",
                "Version": "0.9.6",
                "Size": "64x32",
            },
        ),
    ),
)
