"""Interrogation of a list of images beside the kernel's main thread. Knows no widget."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from clipnb.errors import ConfigError
from clipnb.images import open_image
from clipnb.interrogate.difference import Contrast
from clipnb.interrogate.folder.contrast import contrast
from clipnb.interrogate.folder.sets import interrogate_set
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.labels.word_lists import LabelSource
from clipnb.interrogate.modes import MODES
from clipnb.interrogate.result import Interrogation
from clipnb.interrogate.settings import Settings
from clipnb.models.captioner import Captioner
from clipnb.models.encoder import DualEncoder
from clipnb.progress import progress_to
from clipnb.widgets.common.session import Session

NO_IMAGE = "there is no picture yet; upload one, paste one, or give its path or URL"


@dataclass(frozen=True, eq=False)
class KeptImage:
    """An image that was checked and can be opened again; no pixels are kept.

    Attributes:
        name: for people, such as "holiday.jpg".
        size: width and height in pixels.
        source: the bytes of an image file, or the path of one.
        preview: JPEG, to be looked at.
        thumbnail: JPEG, to be chosen.
    """

    name: str
    size: tuple[int, int]
    source: bytes | Path
    preview: bytes
    thumbnail: bytes

    def open(self) -> Image.Image:
        return open_image(self.source)


@dataclass(frozen=True)
class ModelChoice:
    """Names of the encoder and the captioner (None: composed captions), own labels, and other settings."""

    model: str = "auto"
    captioner: str | None = None
    labels: str | tuple[str, ...] | None = None
    wishes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """An image to interrogate by a mode, with the user's caption if there is one.

    Modes of several images describe it together with others (`set`), or compare it with them (`contrast`); or all of
    them with the images `against` which they are to be told apart: a folder.
    """

    image: KeptImage
    mode: str
    caption: str | None = None
    others: tuple[KeptImage, ...] = ()
    against: str = ""


@dataclass(frozen=True)
class Described:
    """A request and its result; of mode `contrast` also what was compared, of which the result is one side."""

    request: Request
    result: Interrogation
    contrast: Contrast | None = None


class RequestProgress(NamedTuple):
    """How far a list of requests is: how many are done, and what is being done now (total 0: not known)."""

    finished: int
    requests: int
    activity: str
    unit: str = ""
    done: int = 0
    total: int = 0


class _StoppedError(Exception):
    """Raised inside the work when somebody pressed Stop."""


class _Requests:
    """The engine: interrogates image after image; opens models and label tables when they are needed."""

    def __init__(
        self, requests: Sequence[Request], load: Callable[[], Interrogator], report: Callable[[RequestProgress], None]
    ) -> None:
        self._requests, self._load, self._report = requests, load, report
        self._stopping = threading.Event()

    def steps(self) -> Iterator[Described]:
        try:
            self._tell(0, "loading the model")
            interrogator = self._load()
            for place, request in enumerate(self._requests):
                yield self._describe(interrogator, place, request)
        except _StoppedError:
            return

    def update(self, config: None) -> None:
        """Do nothing: a list goes on as it was begun."""

    def stop(self) -> None:
        """End at the next report of progress."""
        self._stopping.set()

    def _describe(self, interrogator: Interrogator, place: int, request: Request) -> Described:
        self._tell(place, f"{request.image.name} by {request.mode}")
        with progress_to(lambda *progress: self._tell(place, *progress)):
            if MODES[request.mode].of_sets:
                # It keeps no images that are taken out later.
                return Described(replace(request, others=()), *_described_together(interrogator, request))
            result = interrogator.interrogate(request.image.source, request.mode, request.caption, known=True)
        has_prompt = result.known is not None and result.known.prompt
        return Described(request, result if has_prompt else replace(result, known=None))

    def _tell(self, place: int, activity: str, unit: str = "", done: int = 0, total: int = 0) -> None:
        if self._stopping.is_set():
            raise _StoppedError
        self._report(RequestProgress(place, len(self._requests), activity, unit, done, total))


def _described_together(interrogator: Interrogator, request: Request) -> tuple[Interrogation, Contrast | None]:
    own, others = request.image.source, [other.source for other in request.others]
    if request.mode != "contrast":
        return interrogate_set([own, *others], caption=request.caption, interrogator=interrogator), None
    if request.against:
        names = "the pictures", request.against
        found = contrast([own, *others], request.against, names=names, interrogator=interrogator)
    else:
        found = contrast(own, others, names=(request.image.name, "the other pictures"), interrogator=interrogator)
    return found.sides[0], found


class InterrogationSession(Session[Described, None]):
    """Interrogates images in a thread, one list of requests at a time.

    Attributes:
        described: all results so far, oldest first.
    """

    def __init__(
        self,
        on_described: Callable[[Described], None],
        on_progress: Callable[[RequestProgress], None],
        on_state: Callable[[], None],
        *,
        encoder: DualEncoder | None = None,
        captioner: Captioner | None = None,
        labels: LabelSource | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Prepare; nothing is loaded before the first start.

        Args:
            on_described: called with a result, in the working thread as all others.
            on_progress: called with how far the list is.
            on_state: see `Session`.
            encoder: used instead of a model by name.
            captioner: used instead of one by name.
            labels: used where none are chosen.
            settings: of the interrogator; the model and the captioner in it are overridden by what is chosen.
        """
        super().__init__(on_state, in_thread=True)
        self.described: list[Described] = []
        self._on_described, self._on_progress = on_described, on_progress
        self._encoder, self._captioner, self._labels = encoder, captioner, labels
        self._settings = settings or Settings(chunk_size=512)  # so that Stop is heard soon
        self._loaded: tuple[ModelChoice, Interrogator] | None = None
        self._requests: _Requests | None = None

    def start(self, requests: Sequence[Request], choice: ModelChoice) -> None:
        if self.is_on:
            raise ConfigError("pictures are being described already; stop that first")
        if not requests:
            raise ConfigError(NO_IMAGE)
        self._requests = _Requests(requests, lambda: self._load(choice), self._on_progress)
        self._run(self._requests)

    def stop(self) -> None:
        """End soon: at the next report of progress, or after the present image."""
        if self._requests is not None and self.is_on:
            self._requests.stop()
        super().stop()

    def forget(self, image: KeptImage) -> None:
        """Keep what was found of an image, but not the image itself."""
        rest = replace(image, source=b"")
        for place, made in enumerate(self.described):
            if made.request.image is image:
                self.described[place] = replace(made, request=replace(made.request, image=rest))

    def _stepped(self, described: Described) -> None:
        self.described.append(described)
        self._on_described(described)

    def _load(self, choice: ModelChoice) -> Interrogator:
        """Return the interrogator of before where nothing changed: it holds models and tables."""
        if self._loaded is None or self._loaded[0] != choice:
            settings = self._settings.changed(
                clip_model_name=choice.model,
                caption_model_name=choice.captioner,
                quiet=True,
                **choice.wishes,
            )
            labels = choice.labels or self._labels
            interrogator = Interrogator(self._encoder, captioner=self._captioner, labels=labels, settings=settings)
            self._loaded = choice, interrogator
        return self._loaded[1]
