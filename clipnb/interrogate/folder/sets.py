"""Several images described together: reading them, and one prompt for all."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor

from clipnb.errors import ClipnbError, ImageError, counted, listed
from clipnb.files import expanded
from clipnb.images import ImageSource, is_url
from clipnb.interrogate.batches import read_in_batches
from clipnb.interrogate.captions import COMPOSED, one_line
from clipnb.interrogate.certainty import certain_labels, certainty_of
from clipnb.interrogate.explained import doubts
from clipnb.interrogate.folder.image_files import find_images
from clipnb.interrogate.image_query import ImageQuery
from clipnb.interrogate.interrogator import Interrogator, Prepared
from clipnb.interrogate.modes import find_mode, refuse_captions
from clipnb.interrogate.modes.sets import ModeOfSets
from clipnb.interrogate.prompt import beginnings, join
from clipnb.interrogate.result import Interrogation, Reason
from clipnb.interrogate.settings import Settings, SettingsError, require_captions, require_count
from clipnb.interrogate.wishes import refuse_avoided
from clipnb.models.sight import SharedSight, Sight

if TYPE_CHECKING:
    from clipnb.interrogate.labels.word_lists import LabelSource

ImageSet = ImageSource | Sequence[ImageSource]
"""A folder, an image, or several of them."""
_NAMED = 3  # pictures in a note
_JUDGED = 256  # pictures whose certainty is kept, the first ones; .6 MB each


@dataclass(frozen=True)
class ReadSet:
    """The images of a set that could be read, each content once.

    Attributes:
        names: of the images.
        digests: of their pixels as the encoder sees them.
        features: float32 [N, D], unit length.
        captions: what the captioner says of each; empty where there is none.
        captioner: its name; "" where there is none.
        notes: what was left out, and why.
        sights: how certain the encoder is of some of them; empty where it has no calibration.
    """

    names: tuple[str, ...]
    digests: tuple[str, ...]
    features: Tensor
    captions: tuple[str, ...] = ()
    captioner: str = ""
    notes: tuple[str, ...] = ()
    sights: tuple[Sight, ...] = ()

    def without(self, digests: Iterable[str]) -> ReadSet:
        """Return the set without the images of some digests."""
        gone = set(digests)
        rows = [row for row, digest in enumerate(self.digests) if digest not in gone]
        names, own = (tuple(some[row] for row in rows) for some in (self.names, self.digests))
        return replace(self, names=names, digests=own, features=self.features[rows])


def interrogate_set(
    images: ImageSet,
    by: Literal["mean", "worst"] | None = None,
    caption: str | None = None,
    *,
    max_flavors: int | None = None,
    interrogator: Interrogator | None = None,
    labels: LabelSource | None = None,
    settings: Settings | None = None,
) -> Interrogation:
    """Describe several images by one prompt.

    A phrase is added as long as the prompt becomes better for the set, of those labels that stand out for it.

    Args:
        images: paths, URLs, bytes, PIL images or arrays; a folder stands for the images in it.
        by: "mean" for the highest mean cosine to the images, "worst" for the highest cosine to the one that the prompt
            suits least; `settings.set_by` when None.
        caption: what the prompt begins with; else the best of the captioner's captions and of composed ones.
        max_flavors: maximal number of phrases; 8 when None.
        interrogator: models that are loaded already; made from `labels` and `settings` otherwise.
        labels: lists in place of the built-in ones, as `load_labels` takes them.
        settings: how it is done.

    Returns:
        The prompt; its similarity is the mean cosine to the images, or the lowest one with "worst". Notes say which
        image it suits least, and which ones were left out: what cannot be read, and copies.

    Raises:
        ImageError: there are no images, or none can be read.
        ClipnbError: one of its other kinds for a model, list, caption or setting that cannot be used.

    >>> from PIL import Image
    >>> reds = [Image.new("RGB", (64, 64), colour) for colour in ("red", "darkred", "crimson")]
    >>> lists = {"objects": ["a red wall", "a lake"], "flavors": ["red", "blue"]}
    >>> found = interrogate_set(reds, labels=lists, settings=Settings(quiet=True, least_certainty=0))
    >>> found.prompt, found.notes[0].partition(":")[0]
    ('a photo of a red wall', '3 pictures')
    """
    worker = one_interrogator(interrogator, labels, settings)
    if by is not None:
        worker.settings.changed(set_by=by)
    refuse_captions(find_mode("set", worker.settings), [caption])
    start = perf_counter()
    found = read_set(worker, images)
    query = query_of(worker, found)
    if by is not None:
        query = replace(query, settings=query.settings.changed(set_by=by))
    return describe_set(query, "set", found, caption, max_flavors, start)


def one_interrogator(
    interrogator: Interrogator | None, labels: LabelSource | None, settings: Settings | None
) -> Interrogator:
    """Return the loaded interrogator, else a new one; `SettingsError` where both are asked for."""
    refuse_second_interrogator(interrogator, labels, settings)
    return interrogator or Interrogator(labels=labels, settings=settings)


def refuse_second_interrogator(
    interrogator: Interrogator | None, labels: LabelSource | None, settings: Settings | None
) -> None:
    """Raise `SettingsError` where a loaded interrogator is given, and what another one would be made of."""
    if interrogator is not None and (labels is not None or settings is not None):
        idle = "labels" if labels is not None else "settings"
        raise SettingsError(f"a loaded interrogator has its own {idle}; give it, or {idle}, but not both")


def read_set(worker: Interrogator, images: ImageSet, name: str = "") -> ReadSet:
    """Read and embed the images of a set, called `name` in errors.

    Raises:
        ImageError: there are none, or none can be read.
    """
    called = f"the set {name}" if name else "the set"
    sources = _sources(images)
    if not sources:
        raise ImageError(f"{called} has no pictures; give paths, folders or images")
    captioned = worker.captioner_name is not None
    if captioned:
        worker.load_captioner("set")
    rows: dict[str, tuple[str, Tensor, str]] = {}  # name, embedding and caption by digest
    sights: list[Sight] = []
    failed: list[str] = []
    copies = 0
    for batch in read_in_batches(lambda one: _read(worker, *one), sources, worker.batch_size("caption")):
        failed += [one for _, one in batch if isinstance(one, str)]
        new = _new_images(batch, rows)
        copies += len(batch) - sum(isinstance(one, str) for _, one in batch) - len(new)
        if new:
            prepared = [one for _, one in new.values()]
            texts = _captions(worker, prepared) if captioned else [""] * len(new)
            embeddings, seen = worker.look(prepared)
            for (digest, (label, _)), row, text in zip(new.items(), embeddings, texts, strict=True):
                rows[digest] = label, row, text
            sights += [sight for sight in seen if sight is not None][: _JUDGED - len(sights)]
    if not rows:
        raise ImageError(f"{called}: none of {counted(len(sources), 'picture')} can be read: {failed[0]}")
    notes = []
    if failed:
        notes.append(f"left out {len(failed)} of {len(sources)} pictures: {listed(failed, _NAMED, '; ')}")
    if copies:
        notes.append(f"copies of a picture count once; {copies} left out")
    names, features, captions = zip(*rows.values(), strict=True)
    said = tuple(dict.fromkeys(filter(None, captions)))
    captioner = worker.captioner_name or ""
    return ReadSet(names, tuple(rows), torch.stack(features), said, captioner, tuple(notes), tuple(sights))


def query_of(worker: Interrogator, found: ReadSet, apart: Tensor | None = None) -> ImageQuery:
    """Return the query of a set, by its mean and what its images show, or by what sets it apart, float32 [D]."""
    features = found.features.mean(0) if apart is None else apart
    query = replace(worker.query(features[None]), members=found.features)
    if apart is None and found.sights:
        query = replace(query, sight=SharedSight(found.sights))
    return replace(query, captions=lambda count: list(found.captions[:count]) if found.captions else [])


def describe_set(
    query: ImageQuery, name: str, found: ReadSet, caption: str | None, max_flavors: int | None, start: float
) -> Interrogation:
    """Describe a set by a mode of sets."""
    mode = find_mode(name, query.settings)
    if not isinstance(mode, ModeOfSets):
        raise TypeError(f"mode {name} describes single images")
    count = mode.max_flavors if max_flavors is None else max_flavors
    require_count("max_flavors", count, least=0)
    require_captions([caption], 1)
    refuse_avoided(query.rankings.tables.avoided, [("the caption", caption)])
    given = one_line(caption or "")
    made = mode.propose(query, given, count)
    prompt = join(made.phrases)
    merits = mode.merit(query, query.encoder.encode_text(beginnings(made.phrases))).tolist() if prompt else []
    measured = zip(made.phrases, merits, [0.0, *merits], strict=False)
    reasons = tuple(Reason(phrase.text, phrase.origin, now, now - before) for phrase, now, before in measured)
    begun = next((phrase.text for phrase in made.phrases if phrase.origin == "caption"), "")
    made_by = found.captioner if begun in found.captions else COMPOSED
    source = ("given" if given else made_by) if begun else "none"
    certainty = certainty_of(query, begun, query.encoder.encode_text) if source == COMPOSED else None
    notes = (*found.notes, *made.notes, *filter(None, [query.encoder.note]))
    seconds = perf_counter() - start
    return Interrogation(
        prompt=prompt,
        mode=name,
        caption=given or begun,
        caption_source=source,
        similarity=merits[-1] if merits else float("nan"),
        ranked={name: tuple(certain_labels(query, labels)) for name, labels in query.ranked.items()},
        certainty=certainty,
        reasons=reasons,
        candidates=made.candidates,
        model=query.encoder.name,
        seconds=seconds,
        times={"prompt": seconds},
        notes=(*_fit(query, found, prompt), *doubts(query, certainty), *notes),
    )


def _fit(query: ImageQuery, found: ReadSet, prompt: str) -> list[str]:
    """Say how well a prompt suits the images of a set."""
    if not prompt:
        return []
    cosines = (found.features @ query.encoder.encode_text([prompt])[0]).tolist()
    least = min(range(len(cosines)), key=cosines.__getitem__)
    told = f"{counted(len(cosines), 'picture')}: similarity {100 * sum(cosines) / len(cosines):.1f} on average"
    return [f"{told}, least {100 * cosines[least]:.1f} ({found.names[least]})"]


def _sources(images: ImageSet) -> list[tuple[str, ImageSource]]:
    given = cast("Sequence[ImageSource]", images if isinstance(images, (list, tuple)) else [images])
    found: list[tuple[str, ImageSource]] = []
    for place, one in enumerate(given, 1):
        if isinstance(one, (str, Path)) and not is_url(str(one)) and expanded(one).is_dir():
            found += [(str(Path(one) / file.image), file.source) for file in find_images([one])]
        else:
            found.append((str(one) if isinstance(one, (str, Path)) else f"picture {place}", one))
    return found


def _read(worker: Interrogator, name: str, source: ImageSource) -> Prepared | str:
    try:
        return worker.prepare(source, name)
    except ClipnbError as error:
        return one_line(str(error))


def _new_images(
    batch: Sequence[tuple[tuple[str, ImageSource], Prepared | str]], known: Container[str]
) -> dict[str, tuple[str, Prepared]]:
    """Return the images of a batch that are no copies, with their names, by digest."""
    new: dict[str, tuple[str, Prepared]] = {}
    for (label, _), one in batch:
        if isinstance(one, Prepared):
            digest = hashlib.sha256(one.pixels.numpy().tobytes()).hexdigest()[:32]
            if digest not in known:
                new.setdefault(digest, (label, one))
    return new


def _captions(worker: Interrogator, prepared: Sequence[Prepared]) -> list[str]:
    made = worker.interrogate_batch(prepared, "caption", reasons=False, similarity=False)
    return [one.caption if one.caption_source == worker.captioner_name else "" for one in made]
