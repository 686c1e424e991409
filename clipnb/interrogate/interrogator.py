"""From a picture to a prompt: one encoder, its label tables and a captioner, ready for many pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from clipnb.images import open_image
from clipnb.interrogate.captioning import NO_CAPTION, Caption, Captioning
from clipnb.interrogate.labels import LabelTable
from clipnb.interrogate.lists import LabelSource, builtin_labels, load_labels, table_labels
from clipnb.interrogate.modes import Draft
from clipnb.interrogate.phrases import Phrase, beginnings, join
from clipnb.interrogate.registry import find_mode
from clipnb.interrogate.result import Interrogation, Reason
from clipnb.interrogate.scene import STYLE_TABLES, Scene
from clipnb.interrogate.settings import Settings, require_count
from clipnb.models.registry import load_model

if TYPE_CHECKING:
    from PIL import Image

    from clipnb.images import ImageSource
    from clipnb.models.captions import Captioner
    from clipnb.models.encoder import DualEncoder


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


class Interrogator:
    """An encoder with its label tables, ready to describe pictures.

    Tables are opened, or embedded on first use, when a mode needs them; after that a picture costs an
    encoding and a few matrix products.
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
        self._lists = {} if labels is None else load_labels(labels)
        self.encoder = encoder or load_model(
            self.settings.clip_model_name, self.settings.device, self.settings.precision
        )
        self._captioning = Captioning(self.encoder, self.settings, captioner)
        self._tables: dict[str, LabelTable] = {}

    def table(self, name: str) -> LabelTable:
        """Give a label table: the user's own list or the built-in one, under this encoder.

        Args:
            name: one of `TABLES`.

        Raises:
            LabelsError: there is no such table.
        """
        if name not in self._tables:
            listed = self._lists.get(name) or builtin_labels(name)
            self._tables[name] = LabelTable.build(
                name,
                table_labels(name, listed),
                self.encoder,
                folder=Path(self.settings.cache_path) if self.settings.cache_path else None,
                chunk_size=self.settings.chunk_size,
                quiet=self.settings.quiet,
            )
        return self._tables[name]

    def encode(self, image: ImageSource) -> Tensor:
        """Embed one picture as the encoder was trained to see it; float32 [D], unit length."""
        return self._encode(open_image(image))

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
            SettingsError: the mode or the number of phrases means nothing.
        """
        chosen = find_mode(mode)
        count = chosen.max_flavors if max_flavors is None else max_flavors
        require_count("max_flavors", count, least=0)
        clock = _Clock()
        with clock.measure("picture"):
            picture = open_image(image)
            features = self._encode(picture)
        scene = Scene(self.encoder, features, self.settings, self._styles(), self.table)
        with clock.measure("caption"):
            sentence = self._captioning.caption(scene, picture, caption) if chosen.takes_caption else NO_CAPTION
        with clock.measure("prompt"):
            draft = chosen.draft(scene, sentence.text, count)
        with clock.measure("reasons"):
            reasons = explain(scene, draft.phrases)
        return Interrogation(
            prompt=join(draft.phrases),
            mode=mode,
            caption=sentence.text,
            caption_source=sentence.source,
            similarity=reasons[-1].similarity,
            ranked=scene.ranked,
            reasons=reasons,
            candidates=draft.candidates,
            model=self.encoder.name,
            seconds=clock.total,
            times=clock.times,
            notes=tuple(_notes(scene, sentence, draft)),
        )

    def _encode(self, picture: Image.Image) -> Tensor:
        with torch.no_grad():
            return self.encoder.encode_image(self.encoder.preprocess(picture)[None])[0]

    def _styles(self) -> bool:
        wished = self.settings.styles
        return self.encoder.knows_styles if wished == "auto" else wished


class _Clock:
    """Measures the parts of one interrogation, in seconds."""

    def __init__(self) -> None:
        self._start = perf_counter()
        self.times: dict[str, float] = {}

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.times[part] = perf_counter() - start

    @property
    def total(self) -> float:
        return perf_counter() - self._start


def explain(scene: Scene, phrases: Sequence[Phrase]) -> tuple[Reason, ...]:
    """Measure what each phrase of a prompt added to its similarity.

    Args:
        scene: the picture.
        phrases: the prompt's parts.

    Returns:
        A reason for each phrase, in order.
    """
    similarities = scene.similarities(beginnings(phrases))
    before = [0.0, *similarities]
    return tuple(
        Reason(phrase.text, phrase.origin, now, now - earlier)
        for phrase, now, earlier in zip(phrases, similarities, before, strict=False)
    )


def _notes(scene: Scene, caption: Caption, draft: Draft) -> Iterator[str]:
    if caption.note:
        yield caption.note
    if not scene.styles:
        yield f"left out, since {scene.encoder.name} cannot tell them apart: {', '.join(STYLE_TABLES)}"
    if scene.encoder.note:
        yield scene.encoder.note
    if caption.text and draft.phrases and not draft.phrases[0].text.startswith(caption.text):
        yield f"the caption is longer than the {scene.encoder.context_length} tokens that fit; it was cut"
    if draft.dropped:
        yield f"{draft.dropped} phrases did not fit into {scene.encoder.context_length} tokens"
