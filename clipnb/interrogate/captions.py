"""Where the captions of images come from: the user, a captioner, or the label tables."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from clipnb.interrogate.batches import BatchSize
from clipnb.interrogate.certainty import caption_of, certainty_of, things_to_say
from clipnb.interrogate.image_query import Embed, ImageQuery, measure
from clipnb.interrogate.settings import Settings, SettingsError
from clipnb.models.captioner import Captioner, load_captioner
from clipnb.models.captioners.faults import CutText, fault_of
from clipnb.progress import log

if TYPE_CHECKING:
    from PIL import Image

    from clipnb.models.encoder import DualEncoder

COMPOSED = "composed"
"""What a result calls the source of a caption that is made of label tables."""
_CPU = torch.device("cpu")
_KEPT = 16_384  # texts; 32 MiB of embeddings of 512 floats
_CUT_OFF = "ends where it may be no longer; caption_max_length (--caption-length) allows more"
_AVOIDED = "said what is avoided"
_FALLEN_BACK = "; the caption is composed from label tables"
_PLAIN_MEDIUM = "a photo"  # where the encoder cannot tell mediums apart
_MEDIUMS, _THINGS, _PAIRED = 3, 16, 6


class Caption(NamedTuple):
    """A caption and where it comes from."""

    text: str  # one line; "" in modes that take none
    source: str  # "given", "composed", the captioner's name, or "none"
    note: str = ""  # for the reader of a result
    certainty: float | None = None  # that it is right, in [0, 1]; None where that is not known


NO_CAPTION = Caption("", "none")


class Captioning:
    """Makes captions; takes turns on the device with the encoder where the settings say so.

    The captioner that the settings name is loaded on first use, unless a loaded one is given.
    """

    def __init__(self, encoder: DualEncoder, settings: Settings, captioner: Captioner | None = None) -> None:
        self._encoder, self._settings, self._captioner = encoder, settings, captioner
        self._batch = BatchSize("pictures in the captioner")
        self._embed = TextMemory(encoder)
        self._warned = False

    @property
    def name(self) -> str | None:
        """The captioner's name; None where captions are composed."""
        return self._captioner.name if self._captioner else self._settings.caption_model_name or None

    def prepare(self, image: Image.Image) -> Image.Image | Tensor | None:
        """Return what the captioner needs of an image, as little as that is; None where there is no captioner."""
        if self._captioner is None:
            return image if self._settings.caption_model_name else None
        return self._captioner.prepare(image)

    def captions(
        self, queries: Sequence[ImageQuery], images: Sequence[Image.Image | Tensor | None], given: Sequence[str | None]
    ) -> list[Caption]:
        """Return the given captions, else the captioner's, else composed ones; all of a batch together.

        Args:
            queries: the images under the encoder.
            images: what `prepare` made of them.
            given: the user's captions; a blank one counts as none.
        """
        captions = {i: Caption(one_line(text), "given") for i, text in enumerate(given) if text and text.strip()}
        note = "the caption is composed from label tables; give a caption or a captioner for a better one"
        notes = dict.fromkeys(range(len(queries)), note)
        left = [i for i in range(len(queries)) if i not in captions]
        captioner = self.load() if left else None
        if captioner is not None:
            with self._turn_of(captioner):
                made = self._batch.map(captioner.caption, [one for i in left if (one := images[i]) is not None])
            texts = [text for batch in made for text in batch]
            said = dict(zip(left, map(one_line, texts), strict=True))
            cut = {i for i, text in zip(left, texts, strict=True) if isinstance(text, CutText)}
            told = f"the caption of {captioner.name} {_CUT_OFF}"
            if cut and len(queries) > 1 and not self._warned:
                log.warning("%s, at least once", told)
                self._warned = True
            faults = {i: fault_of(text) or (None if queries[i].allows(text) else _AVOIDED) for i, text in said.items()}
            captions |= {
                i: Caption(text, captioner.name, told if i in cut else "") for i, text in said.items() if not faults[i]
            }
            notes |= {i: f"{captioner.name} {fault}{_FALLEN_BACK}" for i, fault in faults.items() if fault}
        left = [i for i in left if i not in captions]
        composed = zero_shot_captions([queries[i] for i in left], self._embed) if left else []
        none = Caption("", "none", "no caption: objects, which one is composed of, are switched off or avoided")
        made_up = zip(left, composed, strict=True)
        captions |= {
            i: Caption(text, COMPOSED, notes[i], certainty_of(queries[i], text, self._embed)) if text else none
            for i, text in made_up
        }
        return [captions[i] for i in range(len(queries))]

    def proposals(self, query: ImageQuery, image: Image.Image | Tensor | None, count: int) -> list[str]:
        """Return captions of one image to choose from: the captioner's, else composed ones; at most `count`.

        Raises:
            SettingsError: the captioner proposes a single one.
        """
        captioner = self.load()
        if captioner is None or image is None:
            return composed_captions(query, count)
        propose = getattr(captioner, "propose", None)
        if propose is None:
            raise SettingsError(
                f"{captioner.name} makes one caption of an image; mode rerank needs a captioner with a method propose, "
                "as those of transformers have it, or none at all"
            )
        with self._turn_of(captioner):
            texts = propose(image, count, sampling=self._settings.caption_sampling)
        said = [text for text in dict.fromkeys(map(one_line, texts)) if not fault_of(text) and query.allows(text)]
        return said or composed_captions(query, count)

    def load(self) -> Captioner | None:
        """Load the captioner, if there is one; `ModelUnavailableError` where it cannot be had."""
        if self._captioner is None and self._settings.caption_model_name:
            self._captioner = load_captioner(
                self._settings.caption_model_name,
                _CPU if self._settings.caption_offload else self._encoder.device,
                max_new_tokens=self._settings.caption_max_length,
                num_beams=self._settings.caption_num_beams,
                quiet=self._settings.quiet,
                **self._settings.captioner_wishes,
            )
        return self._captioner

    @contextmanager
    def _turn_of(self, captioner: Captioner) -> Iterator[None]:
        device = self._encoder.device
        if self._settings.clip_offload:
            self._encoder.move(_CPU)
        if self._settings.caption_offload:
            captioner.move(device)
        try:
            yield
        finally:
            if self._settings.caption_offload:
                captioner.move(_CPU)
            if self._settings.clip_offload:
                self._encoder.move(device)


class TextMemory:
    """Embeds texts that come again, image after image; remembers the ones that were asked for last."""

    def __init__(self, encoder: DualEncoder, kept: int = _KEPT) -> None:
        self._encoder, self._kept = encoder, kept
        self._known: OrderedDict[str, Tensor] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Embed texts, all that are new by one pass; float32 [N, D], unit length, on the encoder's device."""
        for text in texts:
            if text in self._known:
                self._known.move_to_end(text)
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            self._known |= {text: row.clone() for text, row in zip(new, self._encoder.encode_text(new), strict=True)}
        embeddings = torch.stack([self._known[text] for text in texts]).to(self._encoder.device)
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        return embeddings


def zero_shot_captions(queries: Sequence[ImageQuery], embed: Embed | None = None) -> list[str]:
    """Compose captions such as "a photo of a cup of coffee", or with two things where that suits better.

    Whole captions compete, not words: the likeliest mediums with the likeliest things, then pairs of the best
    things under the winning medium.
    """
    parts = []
    for query in queries:
        mediums = [ranked.label for ranked in query.best("mediums", _MEDIUMS)] or _plain_mediums(query)
        medium, things = things_to_say(query, query.best("objects", _THINGS))
        mediums = [medium] if medium else mediums
        pairings = [(medium, thing) for medium in mediums for thing in things]
        parts.append([one for one in pairings if query.allows(caption_of(*one))])
    singles = [[caption_of(medium, thing) for medium, thing in some] for some in parts]
    best: list[tuple[str, list[tuple[float, str]]]] = []
    for some, values in zip(parts, measure(queries, singles, embed), strict=True):
        winner = some[values.index(max(values))][0] if some else ""
        things_found = [(value, thing) for value, (medium, thing) in zip(values, some, strict=True) if medium == winner]
        best.append((winner, sorted(things_found, reverse=True)))
    pairs = [
        [
            text
            for (_, one), (_, other) in combinations(things[:_PAIRED], 2)
            if query.allows(text := caption_of(medium, f"{one} and {other}"))
        ]
        for query, (medium, things) in zip(queries, best, strict=True)
    ]
    return [
        max([*((value, caption_of(medium, thing)) for value, thing in things[:1]), *zip(values, texts, strict=True)])[1]
        if things
        else ""
        for (medium, things), texts, values in zip(best, pairs, measure(queries, pairs, embed), strict=True)
    ]


def composed_captions(query: ImageQuery, count: int) -> list[str]:
    """Compose captions of the likeliest medium and the likeliest things, one of each thing."""
    mediums = [ranked.label for ranked in query.best("mediums")] or _plain_mediums(query)
    captions = [caption_of(mediums[0], ranked.label) for ranked in query.best("objects", count)]
    return list(filter(query.allows, captions))


def _plain_mediums(query: ImageQuery) -> list[str]:
    return [_PLAIN_MEDIUM] if query.allows(_PLAIN_MEDIUM) else [""]


def one_line(text: str) -> str:
    """Return a text with single spaces and no line breaks; halves of surrogate pairs, which no tokeniser takes, go."""
    return " ".join(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").split())
