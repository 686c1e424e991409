"""Where the captions of pictures come from: the user, a captioner, or the label tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import torch

from clipnb.interrogate.batches import BatchSize
from clipnb.interrogate.image_query import Scene
from clipnb.interrogate.memory import TextMemory
from clipnb.interrogate.settings import Settings
from clipnb.interrogate.zero_shot_caption import COMPOSED, compose_captions
from clipnb.models.captioner import Captioner, load_captioner

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from clipnb.models.encoder import DualEncoder

_CPU = torch.device("cpu")


class Caption(NamedTuple):
    """A caption and where it comes from.

    Attributes:
        text: one line; "" where a mode takes none.
        source: "given", "composed", the captioner's name, or "none".
        note: what a reader should know about it, or "".
    """

    text: str
    source: str
    note: str = ""


NO_CAPTION = Caption("", "none")


class Captioning:
    """Makes captions; takes turns on the device with the encoder where the settings say so."""

    def __init__(self, encoder: DualEncoder, settings: Settings, captioner: Captioner | None = None) -> None:
        """Keep the models.

        Args:
            encoder: gives up the device meanwhile with `settings.clip_offload`.
            settings: name the captioner, which is loaded on first use.
            captioner: one that is loaded already.
        """
        self._encoder, self._settings, self._captioner = encoder, settings, captioner
        self._batch = BatchSize("pictures in the captioner")
        self._embed = TextMemory(encoder)

    @property
    def name(self) -> str | None:
        """The captioner's name; None where captions are composed."""
        return self._captioner.name if self._captioner else self._settings.caption_model_name or None

    def prepare(self, picture: Image.Image) -> Image.Image | Tensor | None:
        """Give what the captioner needs of a picture, as little as that is; None where there is no captioner."""
        if self._captioner is None:
            return picture if self._settings.caption_model_name else None
        return self._captioner.prepare(picture)

    def captions(
        self, scenes: Sequence[Scene], pictures: Sequence[Image.Image | Tensor | None], given: Sequence[str | None]
    ) -> list[Caption]:
        """Take the given captions, else make them, else compose them; all of a batch together.

        Args:
            scenes: pictures of one batch under the encoder.
            pictures: what `prepare` made of them.
            given: the user's captions; a blank one counts as none.

        Raises:
            ModelUnavailableError: the captioner cannot be loaded.
        """
        captions = {i: Caption(one_line(text), "given") for i, text in enumerate(given) if text and text.strip()}
        note = "the caption is composed from label tables; give a caption or a captioner for a better one"
        left = [i for i in range(len(scenes)) if i not in captions]
        captioner = self.load() if left else None
        if captioner is not None:
            texts = self._made(captioner, [picture for i in left if (picture := pictures[i]) is not None])
            captions |= {i: Caption(text, captioner.name) for i, text in zip(left, texts, strict=True) if text}
            note = f"{captioner.name} had nothing to say; the caption is composed from label tables"
        left = [i for i in left if i not in captions]
        composed = compose_captions([scenes[i] for i in left], self._embed) if left else []
        captions |= {i: Caption(text, COMPOSED, note) for i, text in zip(left, composed, strict=True)}
        return [captions[i] for i in range(len(scenes))]

    def _made(self, captioner: Captioner, pictures: Sequence[Image.Image | Tensor]) -> list[str]:
        with self._turn_of(captioner):
            return [one_line(text) for texts in self._batch.map(captioner.caption, pictures) for text in texts]

    def load(self) -> Captioner | None:
        """Load the captioner, if there is one.

        Raises:
            ModelUnavailableError: it cannot be had.
        """
        if self._captioner is None and self._settings.caption_model_name:
            self._captioner = load_captioner(
                self._settings.caption_model_name,
                _CPU if self._settings.caption_offload else self._encoder.device,
                max_new_tokens=self._settings.caption_max_length,
                num_beams=self._settings.caption_num_beams,
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


def one_line(text: str) -> str:
    """Return a text with single spaces and no line breaks; halves of surrogate pairs, which no tokeniser takes, go."""
    return " ".join(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").split())
