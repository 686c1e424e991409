"""NovelAI: the prompt in `Description`, everything in the JSON of `Comment`; both inside JSON in a WebP's EXIF."""

from __future__ import annotations

from collections.abc import Iterator

from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.generators.base import Generator, first_text, joined, settings_of
from clipnb.prompts.records import Prompt

_PROMPTS = ("prompt", "uc", "v4_prompt", "v4_negative_prompt", "signed_hash")


def _read(texts: Texts) -> Prompt | None:
    inside = texts.json("UserComment") or {}
    if isinstance(inside.get("Comment"), str):
        outer, texts = texts, Texts({name: value for name, value in inside.items() if isinstance(value, str)})
        texts.problems = outer.problems
    data = texts.json("Comment")
    if data is None or not ("uc" in data or "v4_prompt" in data or "NovelAI" in texts.get("Software", "")):
        return None
    text = joined(*_captions(data.get("v4_prompt"))) or first_text(data, "prompt") or texts.get("Description", "")
    negative = joined(*_captions(data.get("v4_negative_prompt"))) or first_text(data, "uc")
    settings = settings_of(data, _PROMPTS)
    if texts.get("Source"):
        settings["Model"] = texts["Source"]
    return Prompt(text, negative, settings=settings)


def _captions(prompt: object) -> Iterator[str]:
    """Yield the caption of the picture, then those of its characters."""
    caption = prompt.get("caption") if isinstance(prompt, dict) else None
    if not isinstance(caption, dict):
        return
    yield first_text(caption, "base_caption")
    characters = caption.get("char_captions")
    for character in characters if isinstance(characters, list) else ():
        if isinstance(character, dict):
            yield first_text(character, "char_caption")


NOVELAI = Generator(
    "NovelAI",
    _read,
    (
        {
            "Description": "1girl, {cat ears}",
            "Software": "NovelAI",
            "Source": "Stable Diffusion XL 7BCCAA2C",
            "Comment": '{"prompt": "1girl, {cat ears}", "steps": 28, "width": 832, "height": 1216, "scale": 5.0, '
            '"uc": "lowres", "seed": 123, "sampler": "k_euler"}',
        },
        Prompt(
            "1girl, {cat ears}",
            "lowres",
            settings={
                "Steps": "28",
                "CFG scale": "5.0",
                "Seed": "123",
                "Sampler": "k_euler",
                "Size": "832x1216",
                "Model": "Stable Diffusion XL 7BCCAA2C",
            },
        ),
    ),
)
