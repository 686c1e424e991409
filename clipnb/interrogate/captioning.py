"""Where the caption of a picture comes from: the user, a captioner, or the label tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import torch

from clipnb.interrogate.composing import COMPOSED, compose_caption
from clipnb.interrogate.scene import Scene
from clipnb.interrogate.settings import Settings
from clipnb.models.captions import Captioner, load_captioner

if TYPE_CHECKING:
    from PIL import Image

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

    def caption(self, scene: Scene, picture: Image.Image, given: str | None) -> Caption:
        """Take the given caption, else make one, else compose one.

        Args:
            scene: the picture under the encoder.
            picture: the same, RGB.
            given: the user's caption; a blank one counts as none.

        Raises:
            ModelUnavailableError: the captioner cannot be loaded.
        """
        if given is not None and given.strip():
            return Caption(" ".join(given.split()), "given")
        note = "the caption is composed from label tables; give a caption or a captioner for a better one"
        captioner = self._load()
        if captioner is not None:
            with self._turn_of(captioner):
                (text,) = captioner.caption([picture])
            if text:
                return Caption(" ".join(text.split()), captioner.name)
            note = f"{captioner.name} had nothing to say; the caption is composed from label tables"
        return Caption(compose_caption(scene), COMPOSED, note)

    def _load(self) -> Captioner | None:
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
