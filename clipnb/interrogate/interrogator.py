"""From a picture to a prompt: one encoder, its label tables and a captioner, ready for many pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from math import nan
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from clipnb.errors import ImageError
from clipnb.images import open_image, to_bytes
from clipnb.interrogate.batches import BatchSize, default_batch_size, read_in_batches
from clipnb.interrogate.captions import NO_CAPTION, Captioning
from clipnb.interrogate.clock import Clock
from clipnb.interrogate.explaining import explain, notes
from clipnb.interrogate.image_query import Rankings, Scene
from clipnb.interrogate.labels.tables import Tables
from clipnb.interrogate.labels.word_lists import LabelSource, load_labels
from clipnb.interrogate.modes.registry import find_mode
from clipnb.interrogate.prompt import join
from clipnb.interrogate.result import Interrogation
from clipnb.interrogate.settings import Settings, require_captions, require_count
from clipnb.models.load import load_model

if TYPE_CHECKING:
    from PIL import Image

    from clipnb.images import ImageSource
    from clipnb.models.captioner import Captioner
    from clipnb.models.encoder import DualEncoder

_CHAINS = 8  # pictures: a chain runs picture by picture, and its results should not be long in coming


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
    """Describe a picture by a prompt. For many pictures keep an `Interrogator`.

    Args:
        image: path, URL, bytes, PIL image or array.
        mode: "classic", "fast", "best", "negative", "caption" or "beam".
        encoder: measures texts against the picture; `settings.clip_model_name` is loaded unless given.
        caption: what the prompt begins with; made by the captioner, or composed from tables, unless given.
        captioner: one that is loaded already; `settings.caption_model_name` is loaded when needed otherwise.
        labels: lists to use in place of the built-in ones, as `load_labels` takes them.
        settings: how it is done.
        max_flavors: phrases at most; the mode's own number unless given.

    Returns:
        The prompt, and why.

    Raises:
        ClipnbError: one of its kinds for a picture, model, list, mode or setting that cannot be used.
    """
    worker = Interrogator(encoder, captioner=captioner, labels=labels, settings=settings)
    return worker.interrogate(image, mode, caption, max_flavors=max_flavors)


class Prepared(NamedTuple):
    """A picture, read and prepared.

    Attributes:
        pixels: uint8 [3, S, S], what the encoder looks at; a quarter of the floats to keep and to move.
        picture: what a captioner will look at: prepared for it where it is loaded; None where there is none.
    """

    pixels: Tensor
    picture: Image.Image | Tensor | None


class Interrogator:
    """An encoder with its label tables, ready to describe pictures.

    Tables are opened, or embedded on first use, when a mode needs them; after that a picture costs an
    encoding and a few matrix products.

    Attributes:
        encoder: measures texts against pictures.
        settings: how it is done.
        tables: the lists, and their embeddings.
    """

    def __init__(
        self,
        encoder: DualEncoder | None = None,
        *,
        captioner: Captioner | None = None,
        labels: LabelSource | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Read the lists and load the encoder.

        Args:
            encoder: measures texts against pictures; `settings.clip_model_name` is loaded unless given.
            captioner: one that is loaded already.
            labels: lists to use in place of the built-in ones of the same tables.
            settings: how it is done.
        """
        self.settings = settings or Settings()
        own = {} if labels is None else load_labels(labels)  # a mistake in them shows before the long work
        self.encoder = encoder or load_model(
            self.settings.clip_model_name, self.settings.device, self.settings.precision
        )
        self.tables = Tables(own, self.encoder, self.settings)
        self._batch = BatchSize("pictures")
        self._captioning = Captioning(self.encoder, self.settings, captioner)

    @property
    def captioner_name(self) -> str | None:
        """What makes captions; None where they are composed."""
        return self._captioning.name

    def encode(self, image: ImageSource) -> Tensor:
        """Embed one picture as the encoder was trained to see it; float32 [D], unit length."""
        return self._encode([self.prepare(image)])[0]

    def interrogate(
        self, image: ImageSource, mode: str = "classic", caption: str | None = None, *, max_flavors: int | None = None
    ) -> Interrogation:
        """Describe a picture by a prompt.

        Args:
            image: path, URL, bytes, PIL image or array.
            mode: one of `MODES`.
            caption: what the prompt begins with; a blank one counts as none.
            max_flavors: phrases at most; the mode's own number unless given.

        Returns:
            The prompt, and why.

        Raises:
            ImageError: the picture cannot be read.
            SettingsError: the mode, the caption or the number of phrases means nothing.
        """
        return self.interrogate_batch([image], mode, [caption], max_flavors=max_flavors)[0]

    def interrogate_many(
        self,
        images: Iterable[ImageSource],
        mode: str = "classic",
        captions: Iterable[str | None] | None = None,
        *,
        max_flavors: int | None = None,
        batch_size: int | None = None,
        reasons: bool = True,
    ) -> Iterator[Interrogation | ImageError]:
        """Describe any number of pictures, in order: read and prepared by threads while models run in batches.

        Args:
            images: paths, URLs, bytes, PIL images or arrays; taken as they are needed.
            mode: one of `MODES`.
            captions: what each prompt begins with, one for each image; None makes them.
            max_flavors: phrases at most; the mode's own number unless given.
            batch_size: pictures at a time; what suits device and mode unless given.
            reasons: measure what each phrase adds, which costs more than all the rest of `classic` and `fast`.

        Yields:
            What `interrogate` gives for each image; its `ImageError` where it cannot be read.

        Raises:
            SettingsError: mode, captions, number of phrases or batch size mean nothing.
        """
        size = self.batch_size(mode, batch_size)
        if captions is None:
            self.load_captioner(mode)
        given = repeat(None) if captions is None else iter(captions)
        for batch in read_in_batches(self._try_to_prepare, images, size):
            prepared = [one for _, one in batch]
            texts = list(islice(given, len(batch)))
            require_captions(texts, len(batch))
            good = [(one, text) for one, text in zip(prepared, texts, strict=True) if isinstance(one, Prepared)]
            found = iter(
                self.interrogate_batch(
                    [one for one, _ in good],
                    mode,
                    [text for _, text in good],
                    max_flavors=max_flavors,
                    reasons=reasons,
                )
            )
            yield from (next(found) if isinstance(one, Prepared) else one for one in prepared)

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
        """Describe a few pictures together: one pass of the encoder, of the captioner, and over each table.

        Args:
            images: what `interrogate` takes, or what `prepare` made of it.
            mode: one of `MODES`.
            captions: what each prompt begins with; None or a blank one makes it.
            max_flavors: phrases at most; the mode's own number unless given.
            reasons: measure what each phrase adds; results without have `reasons` empty.
            similarity: measure the whole prompts; results without have nan. `reasons` need it.

        Returns:
            A result for each, in order; their seconds are an equal share of the whole.

        Raises:
            ImageError: a picture cannot be read.
            SettingsError: the mode, the captions or the number of phrases mean nothing.
        """
        chosen = find_mode(mode)
        count = chosen.max_flavors if max_flavors is None else max_flavors
        require_count("max_flavors", count, least=0)
        given = [None] * len(images) if captions is None else captions
        require_captions(given, len(images))
        if not images:
            return []
        clock = Clock(share=len(images))
        with clock.measure("picture"):
            prepared = [image if isinstance(image, Prepared) else self.prepare(image) for image in images]
            scenes = self._scenes(self._encode(prepared))
        with clock.measure("caption"):
            pictures = [one.picture for one in prepared]
            takes = chosen.takes_caption
            sentences = self._captioning.captions(scenes, pictures, given) if takes else [NO_CAPTION] * len(scenes)
        with clock.measure("prompt"):
            drafts = [
                chosen.draft(scene, sentence.text, count) for scene, sentence in zip(scenes, sentences, strict=True)
            ]
        with clock.measure("reasons"):
            explained = (
                explain(scenes, [draft.phrases for draft in drafts], reasons=reasons)
                if similarity or reasons
                else [()] * len(scenes)
            )
        return [
            Interrogation(
                prompt=join(draft.phrases),
                mode=mode,
                caption=sentence.text,
                caption_source=sentence.source,
                similarity=why[-1].similarity if why else nan,
                ranked=scene.ranked,
                reasons=why if reasons else (),
                candidates=draft.candidates,
                model=self.encoder.name,
                seconds=clock.total,
                times=clock.times,
                notes=tuple(notes(scene, sentence, draft)),
            )
            for scene, sentence, draft, why in zip(scenes, sentences, drafts, explained, strict=True)
        ]

    def prepare(self, image: ImageSource, name: str = "") -> Prepared:
        """Read a picture and prepare it for the encoder; safe in threads.

        Args:
            image: path, URL, bytes, PIL image or array.
            name: what errors call it; its path or URL unless given.

        Returns:
            What `interrogate_batch` takes in its place.

        Raises:
            ImageError: the picture cannot be read.
        """
        picture = open_image(image, name)
        return Prepared(to_bytes(self.encoder.square(picture)), self._captioning.prepare(picture))

    def load_captioner(self, mode: str) -> None:
        """Load the captioner, if there is one and the mode asks it; `prepare` then prepares for it too.

        Args:
            mode: one of `MODES`.

        Raises:
            ModelUnavailableError: it cannot be had.
            SettingsError: there is no such mode.
        """
        if find_mode(mode).takes_caption:
            self._captioning.load()

    def batch_size(self, mode: str, wished: int | None = None) -> int:
        """Give the number of pictures that go through the models together.

        Args:
            mode: one of `MODES`.
            wished: the user's own number.

        Raises:
            SettingsError: the mode or the number means nothing.
        """
        chosen = find_mode(mode)
        if wished is None:
            return default_batch_size(self.encoder.device) if chosen.ranks_only else _CHAINS
        require_count("batch_size", wished, least=1)
        return wished

    def _try_to_prepare(self, image: ImageSource) -> Prepared | ImageError:
        try:
            return self.prepare(image)
        except ImageError as error:
            return error

    def _encode(self, prepared: Sequence[Prepared]) -> Tensor:
        def embed(some: Sequence[Prepared]) -> Tensor:
            pixels = torch.stack([one.pixels for one in some]).to(self.encoder.device)
            return self.encoder.encode_image(pixels.float() / 255)

        with torch.no_grad():
            return torch.cat(self._batch.map(embed, prepared))

    def _scenes(self, features: Tensor) -> list[Scene]:
        settings = self.settings if len(features) == 1 else self.settings.changed(quiet=True)
        wished = self.settings.styles
        styles = self.encoder.knows_styles if wished == "auto" else wished
        rankings = Rankings(features, self.tables.open)
        return [Scene(self.encoder, settings, styles, rankings, picture) for picture in range(len(features))]
