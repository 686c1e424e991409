"""What several importers write: prompts with weights, views, models, rates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from clipnb.images import is_url
from clipnb.models.sources import OPENAI_NAMES
from clipnb.optimise.importers.options import Given

_WEIGHTED = re.compile(r"(?P<text>.*?)(?::(?P<weight>-?\d*\.?\d+))?(?::(?P<stop>-?\d*\.?\d+|-?inf))?\s*", re.DOTALL)
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
HOUSEKEEPING = (
    "files and windows of its own; nothing is overwritten here, and the experiment is saved beside the picture"
)
FILMS = "a still picture is made; for a film give frames: with a camera and scenes"
GENERATOR = "there are no generators (VQGAN, BigGAN, diffusion) here; the picture's spectrum is changed instead"

TILT = {"random_perspective": {"distortion": 0.2, "outside": "mirror"}}


def weighed(feature: dict[str, Any], weight: float) -> dict[str, Any]:
    """Return a feature with its weight, which is left out where it is 1."""
    return feature if weight == 1 else {**feature, "weight": weight}


def prompts(given: Given, name: str, weight: float = 1.0, key: str = "text") -> list[dict[str, Any]]:
    """Read `a text:2 | another` as features; what stands behind a second colon is noted as not mapped."""
    features = []
    for part in str(given[name] or "").split("|"):
        found = _WEIGHTED.fullmatch(part.strip())
        if found is None or not found["text"].strip():
            continue
        if found["stop"]:
            given.lose(f"{name} (the number behind a second colon)", "a text counts until the end of its run")
        own = weight * float(found["weight"] or 1)
        features.append(weighed({key: found["text"].strip()}, own))
    return features


def plain(given: Given, name: str, weight: float = 1.0, key: str = "text") -> list[dict[str, Any]]:
    """Read one text, or the path of one picture, as a feature."""
    text = str(given[name] or "").strip()
    return [weighed({key: text}, weight)] if text else []


def cutouts(count: int, low: float, high: float = 1.0, **more: Any) -> dict[str, Any]:
    """Return the transform that cuts so many parts out, of sides in shares of the shorter one."""
    low, high = (round(min(1.0, max(0.01, side)), 3) for side in (low, high))
    return {"cutouts": {"count": min(4096, max(1, count)), "size": [min(low, high), max(low, high)], **more}}


def like(image: str, weight: float | str, by: str = "pixels") -> list[dict[str, Any]]:
    """Return the constraint that keeps the picture near another one, where there is one and it counts."""
    return [{"like": {"image": image, "by": by, "weight": weight}}] if image and weight else []


def models(given: Given, name: str, wanted: Iterable[str]) -> dict[str, Any]:
    """Return `model`, or several `models`; what is none of OpenAI's is noted."""
    known = []
    for model in wanted:
        if model in OPENAI_NAMES:
            known.append(model)
        else:
            given.lose(f"{name} ({model})", "only OpenAI's CLIPs have the same names here; see clipnb.list_models()")
    return {} if not known else {"model": known[0]} if len(known) == 1 else {"models": known}


def rate(given: Given, name: str, default: float) -> dict[str, Any]:
    """Return `learnrate` relative to the tool's own default, as 1 is sensible for each optimiser here."""
    relative = float(given[name]) / default
    return {} if relative == 1 else {"learnrate": round(relative, 6)}


def optimiser(given: Given, name: str) -> dict[str, Any]:
    """Return `optimizer`; those that are not here become the nearest one, which is noted."""
    word = str(given[name]).lower()
    if word not in ("adam", "adam_custom"):
        given.lose(f"{name} ({given[name]})", "Adam stands for it here")
    return {"optimizer": "adam"}


def output(given: Given, name: str) -> dict[str, Any]:
    """Return `output` of a folder."""
    folder = str(given[name] or "").rstrip("/")
    return {"output": f"{folder}/"} if folder and name in given.told else {}


def is_picture(name: str) -> bool:
    return is_url(name) or Path(name).suffix.lower() in _PICTURES


def pieces(items: Sequence[Any], name: str) -> dict[str, Any]:
    """Return a key of an experiment, left out where there is nothing."""
    return {name: list(items)} if items else {}
