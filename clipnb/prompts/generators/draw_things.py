"""Draw Things: JSON in `exif:UserComment` of XMP, with `c` and `uc` for the two prompts."""

from __future__ import annotations

from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.generators.base import Generator, first_text, settings_of
from clipnb.prompts.records import Prompt


def _read(texts: Texts) -> Prompt | None:
    data = texts.json("UserComment")
    if data is None or "c" not in data:
        return None
    # `v2` is the whole configuration of the program, most of it at its defaults.
    return Prompt(first_text(data, "c"), first_text(data, "uc"), settings=settings_of(data, ("c", "uc", "v2")))


DRAW_THINGS = Generator(
    "Draw Things",
    _read,
    (
        {
            "CreatorTool": "Draw Things",
            "UserComment": '{"c": "a cat, fur", "uc": "dog", "seed": 7, "steps": 30, "scale": 7.5, "size": "512x768", '
            '"sampler": "Euler Ancestral", "model": "dream_q8.ckpt", "v2": {"batchCount": 1}}',
            "dc:description": "a cat, fur\n-dog\nSteps: 30, Sampler: Euler Ancestral",
        },
        Prompt(
            "a cat, fur",
            "dog",
            settings={
                "Seed": "7",
                "Steps": "30",
                "CFG scale": "7.5",
                "Size": "512x768",
                "Sampler": "Euler Ancestral",
                "Model": "dream_q8",
            },
        ),
    ),
)
