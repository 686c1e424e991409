"""The demo's page: one HTML file with everything inside, that asks for nothing from outside."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template

from PIL import Image

_SHOWN_SIDE = 512  # longest side of a picture on the page, in pixels


@dataclass(frozen=True)
class Picture:
    """A text that became a picture.

    Attributes:
        text: what was asked for.
        final: the picture.
        stages: the picture on its way, with what to write below each.
        facts: one line about how it was made.
    """

    text: str
    final: Image.Image
    stages: Sequence[tuple[str, Image.Image]]
    facts: str


@dataclass(frozen=True)
class Words:
    """A picture that became a prompt.

    Attributes:
        image: the picture.
        name: what it is called.
        prompt: what was made of it.
        ranked: the best labels with their cosine in [-1, 1], best first.
    """

    image: Image.Image
    name: str
    prompt: str
    ranked: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class Shown:
    """Everything that the page shows; all of it is text, pictures, and one page that guards itself.

    Attributes:
        setting: one line about the machine and the encoder.
        picture: the first job's result.
        words: the second job's results.
        words_facts: one line about them.
        graph: the third job's result, a whole HTML page.
        still: the same as a picture.
        tags_facts: one line about it.
        note: what the reader should know about the encoder.
        commands: what to try next, line by line.
    """

    setting: str
    picture: Picture
    words: Sequence[Words]
    words_facts: str
    graph: str
    still: Image.Image
    tags_facts: str
    note: str
    commands: Sequence[str]


def make_page(shown: Shown) -> str:
    """Write the page; every text in it is escaped."""
    template = Template((files("clipnb.demo") / "page.html").read_text(encoding="utf-8"))
    texts = {
        "setting": shown.setting,
        "text": shown.picture.text,
        "picture_facts": shown.picture.facts,
        "words_facts": shown.words_facts,
        "tags_facts": shown.tags_facts,
        "graph": shown.graph,
        "note": shown.note,
        "commands": "\n".join(shown.commands),
    }
    return template.substitute(
        {name: html.escape(text) for name, text in texts.items()},
        picture=_data_url(shown.picture.final),
        still=_data_url(shown.still, 1100),
        strip="".join(_stage(caption, image) for caption, image in shown.picture.stages),
        cards="".join(map(_card, shown.words)),
    )


def _stage(caption: str, image: Image.Image) -> str:
    return f'<figure><img alt="" src="{_data_url(image, 192)}"><figcaption>{html.escape(caption)}</figcaption></figure>'


def _card(words: Words) -> str:
    best = max((value for _, value in words.ranked), default=1.0)
    bars = "".join(_bar(label, value, best) for label, value in words.ranked)
    name, prompt = html.escape(words.name), html.escape(words.prompt)
    picture = f'<img alt="{name}" src="{_data_url(words.image)}">'
    return f'<div class="card">{picture}<p class="soft">{name}</p><p class="prompt">{prompt}</p>{bars}</div>'


def _bar(label: str, value: float, best: float) -> str:
    width = 100 * max(0.0, value) / max(best, 1e-6)
    label = html.escape(label)
    return (
        f'<div class="bar"><span title="{label}">{label}</span>'
        f'<i style="width: {width:.0f}%"></i><b>{value:.2f}</b></div>'
    )


def _data_url(image: Image.Image, side: int = _SHOWN_SIDE) -> str:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
