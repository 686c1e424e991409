"""The demo's page: one HTML file with everything inside, that asks for nothing from outside."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template

from PIL import Image

from clipnb.html import Bar, Markup, bars, element, escaped, joined

_SHOWN_SIDE = 512  # longest side of an image on the page, in pixels


@dataclass(frozen=True)
class Optimised:
    """A text that became an image: the final one, the stages on the way with their captions, a line about it."""

    text: str
    final: Image.Image
    stages: Sequence[tuple[str, Image.Image]]
    facts: str


@dataclass(frozen=True)
class Described:
    """An image that became a prompt; `ranked` are the best labels with their cosine in [-1, 1], best first."""

    image: Image.Image
    name: str
    prompt: str
    ranked: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Shown:
    """Everything that the page shows: text, images, and one page that guards itself.

    Attributes:
        setting: one line about the machine and the encoder.
        optimised: the first job's result.
        described: the second job's results.
        described_facts: one line about them.
        graph: the third job's result, a whole HTML page.
        still: the same as an image.
        tags_facts: one line about it.
        note: what the reader should know about the encoder.
        commands: what to try next, line by line.
    """

    setting: str
    optimised: Optimised
    described: Sequence[Described]
    described_facts: str
    graph: str
    still: Image.Image
    tags_facts: str
    note: str
    commands: Sequence[str]


def make_page(shown: Shown) -> str:
    """Return the page; every text in it is escaped."""
    template = Template((files("clipnb.demo") / "page.html").read_text(encoding="utf-8"))
    texts = {
        "setting": shown.setting,
        "text": shown.optimised.text,
        "optimised_facts": shown.optimised.facts,
        "described_facts": shown.described_facts,
        "tags_facts": shown.tags_facts,
        "graph": shown.graph,
        "note": shown.note,
        "commands": "\n".join(shown.commands),
    }
    return template.substitute(
        {name: escaped(text) for name, text in texts.items()},
        final=_data_url(shown.optimised.final),
        still=_data_url(shown.still, 1100),
        strip=joined(_stage(caption, image) for caption, image in shown.optimised.stages),
        cards=joined(map(_card, shown.described)),
    )


def _stage(caption: str, image: Image.Image) -> Markup:
    return element("figure", joined([_image(image, "", 192), element("figcaption", caption)]))


def _card(found: Described) -> Markup:
    ranked = bars([Bar(label, 100 * cosine) for label, cosine in found.ranked])
    name, prompt = element("p", found.name, "soft"), element("p", found.prompt, "prompt")
    return element("div", joined([_image(found.image, found.name), name, prompt, ranked]), "card")


def _image(image: Image.Image, alt: str, side: int = _SHOWN_SIDE) -> Markup:
    return Markup(f'<img alt="{escaped(alt)}" src="{_data_url(image, side)}">')


def _data_url(image: Image.Image, side: int = _SHOWN_SIDE) -> str:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
