"""One folder of captioned images: read, searched, edited, described, saved, undone. Knows no widget."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clipnb.errors import ConfigError, ImageError, PromptsError, counted, listed, printable
from clipnb.images import open_image
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.settings import Settings
from clipnb.models.captioner import Captioner
from clipnb.models.encoder import DualEncoder
from clipnb.prompts.caption_preview import Change, Preview
from clipnb.prompts.caption_set import CaptionSet
from clipnb.prompts.records import Skipped
from clipnb.prompts.tag_line import TagLine
from clipnb.widgets.common.session import Session
from clipnb.widgets.dataset.edits import EDITS, Edit
from clipnb.widgets.dataset.job import Job, Stage, StoppedError

NO_FOLDER = "there is no folder yet; write its path above and press Open"
_MOST_NAMED = 5


@dataclass(frozen=True)
class Filter:
    """Which images are wanted.

    Attributes:
        every: tags that all must be there.
        some: tags of which one must be there.
        none: tags that must not be there.
        text: what the caption or the file's name holds, in any case.
        bare: only images without a caption.
    """

    every: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    text: str = ""
    bare: bool = False


@dataclass(frozen=True)
class Describing:
    """How captions are made: a mode, names of the models, what the captioner is to write, and what stands in front."""

    mode: str
    model: str = "auto"
    captioner: str | None = None
    instruction: str | None = None
    front: str = ""


class DatasetSession(Session[Stage, None]):
    """Keeps the captions of a folder, and does one job after another with them.

    Attributes:
        captions: of the folder that is open, or None.
        images: their paths below the folder; their places are the keys that the panel uses.
        counts: tags with the number of images, most frequent first.
        unsaved: images whose captions are not written yet.
        edits: what was done since the last save, newest last.
    """

    def __init__(
        self,
        on_stage: Callable[[Stage], None],
        on_state: Callable[[], None],
        *,
        encoder: DualEncoder | None = None,
        captioner: Captioner | None = None,
        encoding: str | None = None,
        in_thread: bool | None = None,
    ) -> None:
        """Begin without a folder; `on_stage` and `on_state` are called in the thread that works."""
        super().__init__(on_state, in_thread)
        self.captions: CaptionSet | None = None
        self.images: tuple[str, ...] = ()
        self.counts: tuple[tuple[str, int], ...] = ()
        self.unsaved: frozenset[str] = frozenset()
        self.edits: list[Edit] = []
        self._on_stage = on_stage
        self._encoder, self._captioner, self._encoding = encoder, captioner, encoding
        self._loaded: tuple[Describing, Interrogator] | None = None
        self._job: Job | None = None

    # looking

    def path(self, key: int) -> Path:
        return self._opened().folder / self.images[key]

    def text(self, key: int) -> str:
        """Return an image's caption as it is now, empty where it has none."""
        try:
            return self._opened()[self.images[key]]
        except PromptsError:  # its file is gone, and the folder is being read anew
            return ""

    def find(self, wanted: Filter) -> list[int]:
        """Return the keys of the images that a filter lets through."""
        if self.captions is None:
            return []
        found = self.captions.find(all=wanted.every, any=wanted.some, none=wanted.none)
        text, places = wanted.text.casefold(), {image: key for key, image in enumerate(self.images)}
        keys = [places[image] for image in found if image in places]
        if wanted.bare:
            keys = [key for key in keys if not self.text(key).strip()]
        if text:
            keys = [key for key in keys if text in self.text(key).casefold() or text in self.images[key].casefold()]
        return keys

    # jobs

    def open(self, folder: str | Path) -> None:
        """Read a folder.

        Raises:
            ConfigError: a job is on, or there are edits that are not saved.
        """
        if not str(folder).strip():
            raise ConfigError(NO_FOLDER)
        if self.unsaved:
            raise ConfigError(f"{_captions(len(self.unsaved))} not saved yet; save or discard first")
        self._begin(lambda: self._open(folder))

    def edit(self, kind: str, texts: Sequence[str], keys: Sequence[int]) -> None:
        """Change the captions of some images; nothing is written before `save`."""
        captions, on = self._opened(), [self.images[key] for key in keys]
        self._begin(lambda: self._edit(captions, kind, lambda: EDITS[kind].make(captions, texts, on)))

    def set_caption(self, key: int, text: str) -> None:
        """Give one image another caption; nothing is written before `save`."""
        captions, image = self._opened(), self.images[key]
        self._begin(lambda: self._edit(captions, "caption", lambda: captions.set(image, text)))

    def describe(self, keys: Sequence[int], how: Describing) -> None:
        """Make captions for some images by an interrogator; nothing is written before `save`."""
        if not keys:
            raise ConfigError("all images that are shown have a caption")
        captions, images = self._opened(), [self.images[key] for key in keys]
        self._begin(lambda: self._describe(captions, images, how), stops=True)

    def save(self) -> None:
        """Write what was changed."""
        captions = self._opened()
        self._begin(lambda: self._save(captions))

    def undo(self) -> None:
        """Take back the newest edit, or the last save where none is left."""
        captions = self._opened()
        self._begin(lambda: self._undo(captions))

    def discard(self) -> None:
        """Take back all edits since the last save."""
        captions = self._opened()
        self._begin(lambda: self._discard(captions))

    def stop(self) -> None:
        """End soon, where images are being described; what was found stays. Other jobs are done to the end."""
        if self._job is not None and self.is_on:
            self._job.stop()

    def _opened(self) -> CaptionSet:
        if self.captions is None:
            raise ConfigError(NO_FOLDER)
        return self.captions

    def _begin(self, steps: Callable[[], Iterator[Stage]], *, stops: bool = False) -> None:
        if self.is_on:
            raise ConfigError("something is being done already; wait for its end, or stop it")
        self._job = Job(steps, self._on_stage, stops=stops)
        self._run(self._job)

    def _stepped(self, stage: Stage) -> None:
        self._on_stage(stage)

    def _open(self, folder: str | Path) -> Iterator[Stage]:
        yield Stage("reading captions")
        self.captions = CaptionSet(folder, encoding=self._encoding)
        self.edits.clear()
        self._count()
        yield Stage("", said=self._words(self.captions), skipped=self.captions.skipped)

    def _words(self, captions: CaptionSet) -> str:
        free = len(captions.without_image)
        more = (
            f"; {_captions(free, 'belong', 'belongs')} to no image, such as {captions.without_image[0]}" if free else ""
        )
        return f"there is no image in {captions.folder}{more}" if not self.images else more[2:]

    def _edit(self, captions: CaptionSet, name: str, make: Callable[[], Preview]) -> Iterator[Stage]:
        yield Stage(f"editing: {name}")
        before = captions.in_front
        preview = make()
        if preview or captions.in_front != before:
            self.edits.append(Edit(name, preview, before))
        self._count()
        yield Stage("", preview=preview, said="" if preview else "nothing changes")

    def _save(self, captions: CaptionSet) -> Iterator[Stage]:
        yield Stage("saving")
        written = captions.save()
        self.edits.clear()
        self._count()
        yield Stage("", said=f"{_captions(written.count)} saved", skipped=written.skipped)

    def _undo(self, captions: CaptionSet) -> Iterator[Stage]:
        yield Stage("undoing")
        if self.edits:
            name, changes, captions.in_front = self.edits.pop()
            for change in changes:
                captions.set(change.image, change.before)
            self._count()
            yield Stage("", said=f"undone: {name}, {_captions(len(changes))}")
        else:
            written = captions.undo()
            self._count()
            yield Stage("", said=f"the last save is undone, {_captions(written.count)}", skipped=written.skipped)

    def _discard(self, captions: CaptionSet) -> Iterator[Stage]:
        yield Stage("discarding")
        forgotten = captions.discard()
        self.edits.clear()
        self._count()
        yield Stage("", said=f"{_captions(len(forgotten))} as saved again")

    def _describe(self, captions: CaptionSet, images: Sequence[str], how: Describing) -> Iterator[Stage]:
        changes: list[Change] = []
        skipped: list[Skipped] = []
        try:
            yield Stage("loading the model", 0, len(images))
            interrogator = self._interrogator(how)
            for place, image in enumerate(images):
                yield Stage(f"describing {image}", place, len(images))
                try:
                    picture = open_image(captions.folder / image, image)
                except ImageError as error:
                    skipped.append(Skipped(image, str(error)))
                    continue
                prompt = interrogator.interrogate(picture, how.mode).prompt
                changes += captions.set(image, ", ".join(part for part in (how.front, prompt) if part))
        except StoppedError:
            pass
        finally:
            if changes:
                self.edits.append(Edit("describe", changes, captions.in_front))
            self._count()
        yield Stage("", preview=Preview(changes), said=f"{_captions(len(changes))} found", skipped=skipped)

    def _interrogator(self, how: Describing) -> Interrogator:
        """Return that of before where the same models are wanted: it holds them and tables."""
        models = replace(how, mode="", front="")
        if self._loaded is None or self._loaded[0] != models:
            settings = Settings(
                clip_model_name=how.model,
                caption_model_name=how.captioner,
                caption_instruction=how.instruction,
                quiet=True,
                chunk_size=512,  # so that Stop is heard soon
            )
            made = Interrogator(self._encoder, captioner=self._captioner, settings=settings)
            self._loaded = models, made
        return self._loaded[1]

    def _count(self) -> None:
        if self.captions is not None:
            self.images = self.captions.images
            self.counts = tuple(self.captions.count().items())
            self.unsaved = frozenset(change.image for change in self.captions.changes())


def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags that somebody typed.

    >>> tags_of(" 1girl, (red, blue:1.2),, ")
    ('1girl', '(red, blue:1.2)')
    """
    return TagLine.parse(text).tags


def skipped_words(skipped: Sequence[Skipped]) -> str:
    """Return what was left alone and why, for people; empty for nothing."""
    if not skipped:
        return ""
    rows = [f"{printable(os.fspath(one.source))}: {one.why}" for one in skipped]
    return f"{_captions(len(rows), 'were', 'was')} left alone. {listed(rows, _MOST_NAMED, '; ')}"


def _captions(count: int, many: str = "", one: str = "") -> str:
    verb = f" {one if count == 1 else many}" if many else ""
    return counted(count, "caption") + verb
