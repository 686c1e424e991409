"""From an image to a prompt: one encoder, its label tables and a captioner, ready for many images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, repeat
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from clipnb.errors import ImageError, quoted, shortened
from clipnb.images import backdrop_of, open_image, read_image_file, to_bytes
from clipnb.interrogate.batches import BatchSize, Clock, default_batch_size, read_in_batches
from clipnb.interrogate.captions import COMPOSED, NO_CAPTION, Captioning, TextMemory
from clipnb.interrogate.certainty import certain_labels
from clipnb.interrogate.explained import explained_by, notes_of
from clipnb.interrogate.image_query import ImageQuery, Rankings
from clipnb.interrogate.known import compare_known
from clipnb.interrogate.labels.table import RankedLabel, Tables, best_of
from clipnb.interrogate.labels.word_lists import LabelSource, load_labels
from clipnb.interrogate.modes import find_mode, refuse_captions, refuse_flavors, refuse_sets
from clipnb.interrogate.modes.tolerance import without_lowering
from clipnb.interrogate.prompt import join
from clipnb.interrogate.resources import Resources
from clipnb.interrogate.result import Interrogation, Reason
from clipnb.interrogate.settings import Settings, SettingsError, require_captions, require_count
from clipnb.interrogate.wishes import (
    refuse_avoided,
    refuse_certainty,
    refuse_contradictions,
    refuse_nothing_left,
    refuse_other_models,
)
from clipnb.models.embedded import finite
from clipnb.models.encoder import require_encoder
from clipnb.models.load import load_model
from clipnb.prompts.metadata import Embedded, embedded_prompt

if TYPE_CHECKING:
    from PIL import Image

    from clipnb.images import ImageSource
    from clipnb.models.captioner import Captioner
    from clipnb.models.encoder import DualEncoder
    from clipnb.models.sight import Sight

_CHAINS = 8  # images: a chain runs image by image, and its results should not be long in coming


def interrogate(
    image: ImageSource,
    mode: str = "classic",
    encoder: DualEncoder | None = None,
    caption: str | None = None,
    *,
    captioner: Captioner | None = None,
    labels: LabelSource | None = None,
    settings: Settings | None = None,
    max_flavors: int | None = None,
) -> Interrogation:
    """Describe an image by a prompt. For many images keep an `Interrogator`.

    Args:
        image: path, URL, bytes, PIL image or array.
        mode: one of `clipnb.interrogate.modes.MODES`, each with a summary there.
        encoder: measures texts against the image; default: `settings.clip_model_name` is loaded.
        caption: what the prompt begins with; default: made by the captioner, or composed from label tables.
        captioner: a loaded captioner; default: `settings.caption_model_name` is loaded when needed.
        labels: lists in place of the built-in ones, as `load_labels` takes them.
        settings: how it is done.
        max_flavors: maximal number of phrases; default: the mode's own.

    Returns:
        The prompt, and why.

    Raises:
        ClipnbError: one of its kinds for an image, model, list, mode or setting that cannot be used.
    """
    worker = Interrogator(encoder, captioner=captioner, labels=labels, settings=settings)
    return worker.interrogate(image, mode, caption, max_flavors=max_flavors)


class Prepared(NamedTuple):
    """An image, read and prepared."""

    pixels: Tensor  # uint8 [3, S, S], for the encoder; a quarter of the floats to keep and to move
    image: Image.Image | Tensor | None  # for the captioner, prepared where it is loaded; None where there is none
    backdrop: str = ""  # what was laid under its transparency in place of white
    inside: Embedded | None = None  # the prompt that its file carries, to compare with; None compares nothing


class Interrogator:
    """An encoder with its label tables, ready to describe images.

    Tables are loaded from the cache, or embedded on first use, when a mode needs them; after that an image costs
    an encoding and a few matrix products.

    Attributes:
        encoder: measures texts against images.
        settings: how it is done.
        tables: the label lists and their embeddings.
        resources: what some modes need besides, such as a collection of prompts.
    """

    def __init__(
        self,
        encoder: DualEncoder | Settings | None = None,
        *,
        captioner: Captioner | None = None,
        labels: LabelSource | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Read the lists and load the encoder.

        Args:
            encoder: measures texts against images; default: `settings.clip_model_name` is loaded. Settings may stand
                here too: `Interrogator(Settings(...))`.
            captioner: a loaded captioner.
            labels: lists in place of the built-in ones of the same tables.
            settings: how it is done.

        Raises:
            SettingsError: settings that contradict each other, or the encoder and captioner that are given.
            LabelsError: a list cannot be read.
        """
        if isinstance(encoder, Settings):
            if settings is not None:
                raise SettingsError("settings are given twice; give them once")
            encoder, settings = None, encoder
        require_encoder(encoder)
        self.settings = settings or Settings()
        refuse_other_models(self.settings, encoder, captioner)
        own = {} if labels is None else load_labels(labels)  # a mistake in them shows before the long work
        self.encoder = encoder or load_model(
            self.settings.clip_model_name, self.settings.device, self.settings.precision
        )
        refuse_certainty(self.settings, self.encoder)
        self.tables = Tables(own, self.encoder, self.settings)
        self.resources = Resources(self.encoder, self.settings)
        self._batch = BatchSize("pictures")
        self._captioning = Captioning(self.encoder, self.settings, captioner)
        if self.settings.trigger or self.settings.require or self.settings.max_tokens:
            refuse_contradictions(self.query(torch.empty(0, self.encoder.dim)))

    @property
    def captioner_name(self) -> str | None:
        """The captioner's name; None where captions are composed."""
        return self._captioning.name

    def encode(self, image: ImageSource) -> Tensor:
        """Embed one image as the encoder was trained to see it; float32 [D], unit length."""
        return self.encode_batch([self.prepare(image)])[0]

    def interrogate(
        self,
        image: ImageSource,
        mode: str = "classic",
        caption: str | None = None,
        *,
        max_flavors: int | None = None,
        known: bool = False,
    ) -> Interrogation:
        """Describe an image by a prompt.

        Args:
            image: path, URL, bytes, PIL image or array.
            mode: one of `MODES`.
            caption: what the prompt begins with; a blank one counts as none.
            max_flavors: maximal number of phrases; default: the mode's own.
            known: compare with the prompt that the image's file carries inside, as generators write it; images in
                memory carry none.

        Returns:
            The prompt, and why.

        Raises:
            ImageError: the image cannot be read.
            SettingsError: the mode, the caption or the number of phrases is invalid.
        """
        if not known:
            return self.interrogate_batch([image], mode, [caption], max_flavors=max_flavors)[0]
        return self.interrogate_batch([self._prepare_known(image)], mode, [caption], max_flavors=max_flavors)[0]

    def interrogate_many(
        self,
        images: Iterable[ImageSource],
        mode: str = "classic",
        captions: Iterable[str | None] | None = None,
        *,
        max_flavors: int | None = None,
        batch_size: int | None = None,
        reasons: bool = True,
        known: bool = False,
    ) -> Iterator[Interrogation | ImageError]:
        """Describe any number of images, in order: read and prepared by threads while models run in batches.

        Args:
            images: paths, URLs, bytes, PIL images or arrays; taken as they are needed.
            mode: one of `MODES`.
            captions: what each prompt begins with, one for each image; None makes them.
            max_flavors: maximal number of phrases; default: the mode's own.
            batch_size: images at a time; default: what suits device and mode.
            reasons: measure what each phrase adds, which costs more than all the rest of `classic` and `fast`.
            known: compare with the prompt that each image's file carries inside; see `interrogate`.

        Yields:
            What `interrogate` returns for each image; its `ImageError` where it cannot be read.

        Raises:
            SettingsError: mode, captions, number of phrases or batch size are invalid.
        """
        size = self.batch_size(mode, batch_size)
        if captions is None:
            self.load_captioner(mode)
        given = repeat(None) if captions is None else iter(captions)
        for batch in read_in_batches(partial(self._try_to_prepare, known=known), images, size):
            texts = list(islice(given, len(batch)))
            require_captions(texts, len(batch))
            read = {place: one for place, (_, one) in enumerate(batch) if isinstance(one, Prepared)}
            found = iter(
                self.interrogate_batch(
                    list(read.values()),
                    mode,
                    [texts[place] for place in read],
                    max_flavors=max_flavors,
                    reasons=reasons,
                )
            )
            yield from (next(found) if isinstance(one, Prepared) else one for _, one in batch)
        if isinstance(captions, Sequence) and next(given, None) is not None:
            raise SettingsError(f"there are {len(captions)} captions, which are more than pictures; give one for each")

    def interrogate_batch(
        self,
        images: Sequence[ImageSource | Prepared],
        mode: str = "classic",
        captions: Sequence[str | None] | None = None,
        *,
        max_flavors: int | None = None,
        reasons: bool = True,
        similarity: bool = True,
    ) -> list[Interrogation]:
        """Describe a few images together: one pass of the encoder, of the captioner, and over each table.

        Args:
            images: what `interrogate` takes, or what `prepare` made of it.
            mode: one of `MODES`.
            captions: what each prompt begins with; None or a blank one makes it.
            max_flavors: maximal number of phrases; default: the mode's own.
            reasons: measure what each phrase adds; results without have `reasons` empty.
            similarity: measure the whole prompts; results without have nan, and keep phrases that lower it.
                `reasons` need it.

        Returns:
            A result for each, in order; their seconds are an equal share of the whole.

        Raises:
            ImageError: an image cannot be read.
            SettingsError: the mode, the captions or the number of phrases are invalid.
        """
        chosen = find_mode(mode, self.settings)
        count = chosen.max_flavors if max_flavors is None else max_flavors
        require_count("max_flavors", count, least=0)
        refuse_flavors(chosen, count)
        given = [None] * len(images) if captions is None else captions
        require_captions(given, len(images))
        refuse_sets(chosen)
        refuse_captions(chosen, given)
        refuse_avoided(self.tables.avoided, [("the caption", caption) for caption in given])
        if not images:
            return []
        clock = Clock(len(images))
        with clock.measure("picture"):
            prepared = [image if isinstance(image, Prepared) else self.prepare(image) for image in images]
            queries = self._queries(*self.look(prepared), prepared)
        with clock.measure("caption"):
            sentences = (
                self._captioning.captions(queries, [one.image for one in prepared], given)
                if chosen.takes_caption
                else [NO_CAPTION] * len(queries)
            )
            queries = [
                replace(query, caption_is_composed=sentence.source == COMPOSED)
                for query, sentence in zip(queries, sentences, strict=True)
            ]
        with clock.measure("prompt"):
            made = [
                chosen.propose(query, sentence.text, count) for query, sentence in zip(queries, sentences, strict=True)
            ]
            for query, candidate in zip(queries, made, strict=True):
                if not candidate.phrases and not any(query.ranked.values()):
                    refuse_nothing_left(query)
            memory = TextMemory(self.encoder)  # prompts are measured to check them, and again to explain them
            if chosen.checked and (similarity or reasons):
                made = without_lowering(queries, made, memory)
        with clock.measure("reasons"):
            explained: list[tuple[Reason, ...]] = [()] * len(queries)
            if similarity or reasons:
                explained = explained_by(queries, made, memory, reasons=reasons)
            inside = [one.inside for one in prepared]
            known = compare_known(queries, [join(one.phrases) for one in made], inside)
        return [
            Interrogation(
                prompt=join(candidate.phrases),
                mode=mode,
                caption=sentence.text,
                caption_source=sentence.source,
                similarity=why[-1].similarity if why else nan,
                ranked={name: tuple(certain_labels(query, labels)) for name, labels in query.ranked.items()},
                certainty=sentence.certainty,
                reasons=why if reasons else (),
                candidates=candidate.candidates,
                model=self.encoder.name,
                seconds=clock.total,
                times=clock.times,
                notes=tuple(notes_of(query, sentence, candidate, backdrop)),
                known=own,
                embedding=candidate.embedding,
                tags=candidate.tags,
            )
            for query, sentence, candidate, why, own, (_, _, backdrop, _) in zip(
                queries, sentences, made, explained, known, prepared, strict=True
            )
        ]

    def prepare(self, image: ImageSource, name: str = "") -> Prepared:
        """Read an image, called `name` in errors, and prepare it for `interrogate_batch`; safe in threads.

        Raises:
            ImageError: the image cannot be read.
        """
        opened = open_image(image, name, backdrop=self.settings.backdrop)
        pixels = to_bytes(self.encoder.square(opened))
        return Prepared(pixels, self._captioning.prepare(opened), backdrop_of(opened))

    def load_captioner(self, mode: str) -> None:
        """Load the captioner, if there is one and the mode needs it; `prepare` then prepares for it too.

        Raises:
            ModelUnavailableError: it cannot be had.
        """
        chosen = find_mode(mode)
        if chosen.takes_caption or chosen.takes_proposals:
            self._captioning.load()

    def batch_size(self, mode: str, wished: int | None = None) -> int:
        """Return the batch size for a mode: the wished one, else what suits device and mode.

        Raises:
            SettingsError: the mode or the number is invalid.
        """
        chosen = find_mode(mode, self.settings)
        if wished is None:
            usual = default_batch_size(self.encoder.device) if chosen.ranks_only else _CHAINS
            return chosen.batch_size or usual
        require_count("batch_size", wished, least=1)
        return wished

    def rank(self, image: ImageSource, texts: Sequence[str], top_count: int | None = None) -> list[RankedLabel]:
        """Rank texts of your own by their similarity to an image.

        Args:
            image: path, URL, bytes, PIL image or array.
            texts: N texts; equal ones are ranked once.
            top_count: how many to return; all unless given.

        Returns:
            The texts with their cosine in [-1, 1], most similar first; their table is "texts".

        Raises:
            ImageError: the image cannot be read.
            SettingsError: there are no texts, or something else.
        """
        if top_count is not None:
            require_count("top_count", top_count, least=1)
        measured = zip(texts, self.similarities(image, texts), strict=True)
        return best_of([[RankedLabel(text, value, "texts") for text, value in measured]], top_count or len(texts))

    def similarity(self, image: ImageSource, text: str) -> float:
        """Return the cosine of an image and a text, in [-1, 1]; see `similarities`."""
        return self.similarities(image, [text])[0]

    def similarities(self, image: ImageSource, texts: Sequence[str]) -> list[float]:
        """Return the cosine of an image and each text, in [-1, 1].

        Raises:
            ImageError: the image cannot be read.
            SettingsError: `texts` is no list of texts, or empty.
        """
        if isinstance(texts, str) or not texts or not all(isinstance(text, str) for text in texts):
            raise SettingsError(f"texts to compare with are a list such as ['a cat', 'a dog'], not {quoted(texts)}")
        similarities: list[float] = (self.encoder.encode_text(list(texts)) @ self.encode(image)).tolist()
        return similarities

    def _prepare_known(self, image: ImageSource) -> Prepared:
        """Read an image and the prompt that its file carries inside; one in memory carries none."""
        if not isinstance(image, (str, Path, bytes)):
            return self.prepare(image)._replace(inside=Embedded(None))
        content = image if isinstance(image, bytes) else read_image_file(image)
        name = "" if isinstance(image, bytes) else shortened(str(image), 200)
        return self.prepare(content, name)._replace(inside=embedded_prompt(content))

    def _try_to_prepare(self, image: ImageSource, *, known: bool = False) -> Prepared | ImageError:
        try:
            return self._prepare_known(image) if known else self.prepare(image)
        except ImageError as error:
            return error

    def encode_batch(self, prepared: Sequence[Prepared]) -> Tensor:
        """Embed prepared images; float32 [B, D], unit length."""
        return self.look(prepared)[0]

    def look(self, prepared: Sequence[Prepared]) -> tuple[Tensor, list[Sight | None]]:
        """Embed prepared images as `encode_batch` does, with how certain the encoder is of each."""

        def embed(some: Sequence[Prepared]) -> tuple[Tensor, list[Sight | None]]:
            pixels = torch.stack([one.pixels for one in some]).to(self.encoder.device)
            return self.encoder.look(pixels.float() / 255)

        with torch.no_grad():
            looked = self._batch.map(embed, prepared)
        features = finite(self.encoder, torch.cat([features for features, _ in looked]))
        return features, [sight for _, some in looked for sight in some]

    def _queries(
        self, features: Tensor, sights: Sequence[Sight | None], prepared: Sequence[Prepared]
    ) -> list[ImageQuery]:
        whole = self.query(features)
        queries = [
            replace(whole, image=image, ranked={}, pixels=one.pixels, sight=sight)
            for image, (one, sight) in enumerate(zip(prepared, sights, strict=True))
        ]
        return [  # what captions are made of is ranked for the same query
            replace(query, captions=partial(self._captioning.proposals, query, one.image))
            for query, one in zip(queries, prepared, strict=True)
        ]

    def query(self, features: Tensor) -> ImageQuery:
        """Return the query of the first of some images, embedded as float32 [B, D]."""
        settings = self.settings if len(features) == 1 else self.settings.changed(quiet=True)
        wished = self.settings.styles
        styles = self.encoder.knows_styles if wished == "auto" else wished
        return ImageQuery(self.encoder, settings, styles, Rankings(features, self.tables, self.resources))
