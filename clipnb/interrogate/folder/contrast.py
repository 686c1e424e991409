"""What separates two sets of images: labels by the difference of their means, and a prompt for each set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import torch

from clipnb.errors import ImageError, listed, quoted
from clipnb.interrogate.difference import Contrast, Difference
from clipnb.interrogate.folder.chance import by_chance, intervals
from clipnb.interrogate.folder.sets import ImageSet, ReadSet, describe_set, one_interrogator, query_of, read_set
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.modes.base import PHRASE_TABLES
from clipnb.interrogate.settings import Settings, SettingsError, require_count

if TYPE_CHECKING:
    from clipnb.interrogate.labels.table import RankedLabel
    from clipnb.interrogate.labels.word_lists import LabelSource

CONTRASTED = ("objects", *PHRASE_TABLES)
"""Tables whose labels are compared."""
_NAMED = 5


def contrast(
    first: ImageSet,
    second: ImageSet,
    *,
    names: tuple[str, str] | None = None,
    max_flavors: int | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    interrogator: Interrogator | None = None,
    labels: LabelSource | None = None,
    settings: Settings | None = None,
) -> Contrast:
    """Find what separates two sets of images.

    Every label is ranked by the difference of its mean cosines to the sets. The best `settings.top_labels` of each
    table on each side get a bootstrap interval of their own, and count as certain where the difference is larger than
    chance makes it: than any label's, in 95 of 100 random divisions of the same images.

    Intervals are of single labels: with `lite` and pictures of one kind divided at random, some interval of thousands
    lay above or below 0 in every of 180 trials. The test looks at all labels at once, and holds for sets of any size.

    Args:
        first: paths, URLs, bytes, PIL images or arrays; a folder stands for the images in it.
        second: likewise. What is in both sets is left out of both, and said.
        names: what the sets are called; their folders' names, else "first" and "second".
        max_flavors: maximal number of phrases of the prompts; 8 when None.
        resamples: random draws of the intervals and of the test, at least 100.
        confidence: of both, in (0, 1).
        seed: of the draws.
        interrogator: models that are loaded already; made from `labels` and `settings` otherwise.
        labels: lists in place of the built-in ones, as `load_labels` takes them.
        settings: how it is done.

    Returns:
        The labels with their differences, and a prompt for each side.

    Raises:
        ImageError: a set has no images that can be read, or none that the other has not.
        ClipnbError: one of its other kinds for a model, list or setting that cannot be used.

    >>> from PIL import Image
    >>> reds = [Image.new("RGB", (64, 64), colour) for colour in ("red", "darkred", "crimson")]
    >>> blues = [Image.new("RGB", (64, 64), colour) for colour in ("blue", "navy", "skyblue")]
    >>> lists = {"objects": ["a red wall", "a blue lake"], "flavors": ["red", "blue"]}
    >>> settings = Settings(clip_model_name="lite", quiet=True)
    >>> found = contrast(reds, blues, names=("reds", "blues"), labels=lists, settings=settings)
    >>> found.counts, found.labels[0].label, found.labels[-1].label
    ((3, 3), 'a red wall', 'a blue lake')
    """
    require_count("resamples", resamples, least=100)
    if not isinstance(confidence, float) or not 0 < confidence < 1:
        raise SettingsError(f"confidence is a number between 0 and 1, not {quoted(confidence)}")
    called = names or (_name(first, "first"), _name(second, "second"))
    if called[0] == called[1]:
        called = (f"{called[0]} (first)", f"{called[1]} (second)")
    worker = one_interrogator(interrogator, labels, settings)
    sets = [read_set(worker, images, name) for images, name in zip((first, second), called, strict=True)]
    return compare_sets(worker, sets[0], sets[1], called, max_flavors, resamples, confidence, seed)


def compare_sets(
    worker: Interrogator,
    first: ReadSet,
    second: ReadSet,
    names: tuple[str, str],
    max_flavors: int | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Contrast:
    """Compare two sets that are read; see `contrast`."""
    start = perf_counter()
    first, second, shared = _apart(first, second, names)
    one, other = first.features, second.features
    generator = torch.Generator().manual_seed(seed)
    query = query_of(worker, first, one.mean(0) - other.mean(0))
    tables = [query.table(name) for name in CONTRASTED if query.takes(name) and len(query.table(name))]
    chance = by_chance(one.cpu(), other.cpu(), [table.embeddings for table in tables], resamples, confidence, generator)
    queries = [query, query_of(worker, second, other.mean(0) - one.mean(0))]
    sides = [
        describe_set(replace(asked, least=chance), "contrast", found, None, max_flavors, start)
        for asked, found in zip(queries, (first, second), strict=True)
    ]
    shown = [
        label for asked in queries for table in tables for label in asked.best(table.name, worker.settings.top_labels)
    ]
    found = _differences(worker, shown, first, second, chance, resamples, confidence, generator)
    few = [name for name, one in zip(names, (first, second), strict=True) if len(one.names) == 1]
    notes = [f"one picture in {' and in '.join(few)}: a difference has no interval"] * bool(few)
    notes += [f"in both sets, left out of both: {shared}"] * bool(shared)
    if not any(one.certain for one in found):
        notes.append("no label differs by more than chance makes it with so few pictures, or so similar ones")
    notes += [f"{name}: {note}" for name, one in zip(names, (first, second), strict=True) for note in one.notes]
    chosen = ", ".join(f"{len(table):,} {table.name}" for table in tables)
    return Contrast(
        names=names,
        counts=(len(first.names), len(second.names)),
        sides=(sides[0], sides[1]),
        labels=tuple(sorted(found, key=lambda one: one.difference, reverse=True)),
        chance=chance,
        confidence=confidence,
        model=worker.encoder.name,
        seconds=perf_counter() - start,
        notes=(*notes, f"chosen from {chosen}"),
    )


def _apart(first: ReadSet, second: ReadSet, names: tuple[str, str]) -> tuple[ReadSet, ReadSet, str]:
    """Leave out what is in both sets; and name it."""
    both = set(first.digests) & set(second.digests)
    shared = [name for name, digest in zip(first.names, first.digests, strict=True) if digest in both]
    sets = first.without(both), second.without(both)
    for name, one in zip(names, sets, strict=True):
        if not one.names:
            raise ImageError(f"every picture of the set {name} is in the other one too; give sets that differ")
    return *sets, listed(shared, _NAMED)


def _differences(
    worker: Interrogator,
    shown: list[RankedLabel],
    first: ReadSet,
    second: ReadSet,
    chance: float,
    resamples: int,
    confidence: float,
    generator: torch.Generator,
) -> list[Difference]:
    once = list({(one.table, one.label): one for one in shown}.values())
    embeddings = worker.encoder.encode_text([one.label for one in once])
    cosines = [(one.features @ embeddings.T).cpu() for one in (first, second)]
    lows, highs = intervals(cosines[0], cosines[1], resamples, confidence, generator).tolist()
    means = [one.mean(0).tolist() for one in cosines]
    return [
        Difference(one.label, one.table, mine - theirs, low, high, mine, theirs, abs(mine - theirs) > chance)
        for one, low, high, mine, theirs in zip(once, lows, highs, *means, strict=True)
    ]


def _name(images: ImageSet, usual: str) -> str:
    return Path(images).name or str(images) if isinstance(images, (str, Path)) else usual
