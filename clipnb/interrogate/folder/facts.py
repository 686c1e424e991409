"""What a run over many pictures is asked for, and everything that its rows depend on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.labels.word_lists import TABLES
from clipnb.interrogate.modes import find_mode

FORMAT = "clipnb rows 1"
"""First fact of every output that this version can go on with."""
_NO_MATTER = ("batch_size", "workers")  # of a wish: they change the pace and not the rows
_SETTINGS = ("flavor_intermediate_count", "min_flavors", "beam_width", "lazy", "scoring", "styles")
_OF_CAPTIONER = ("caption_max_length", "caption_num_beams")

Facts = dict[str, Any]
"""Everything that the rows depend on besides the pictures, as JSON has it."""


@dataclass(frozen=True)
class Wish:
    """What is asked for, of every picture alike.

    Attributes:
        mode: one of `MODES`.
        caption: what every prompt begins with; None makes one for each.
        max_flavors: phrases at most; the mode's own number where None.
        similarity: whether the similarity of each prompt is measured.
        batch_size: pictures at a time; what suits device and mode where None.
        workers: threads that read pictures, or copies of the models on a cluster; what suits them where None.
    """

    mode: str = "classic"
    caption: str | None = None
    max_flavors: int | None = None
    similarity: bool = True
    batch_size: int | None = None
    workers: int | None = None


def facts_of(worker: Interrogator, wish: Wish) -> Facts:
    """Collect what the rows depend on.

    Args:
        worker: the models, lists and settings.
        wish: what is asked for.
    """
    facts = {"format": FORMAT, **{name: value for name, value in asdict(wish).items() if name not in _NO_MATTER}}
    facts |= {"model": worker.encoder.name, "model digest": worker.encoder.digest}
    takes_caption = find_mode(wish.mode).takes_caption and wish.caption is None
    facts["captioner"] = worker.captioner_name if takes_caption else None
    relevant = (*_SETTINGS, *_OF_CAPTIONER) if facts["captioner"] else _SETTINGS
    facts["settings"] = {name: getattr(worker.settings, name) for name in relevant}
    facts["labels"] = {table: _digest(worker.tables.labels(table)) for table in TABLES}
    return facts


def _digest(labels: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps(labels).encode()).hexdigest()[:16]
