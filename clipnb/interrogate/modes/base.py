"""What a mode is: a way to make a prompt of a caption and the label tables. Imports no torch, so that help is quick."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from clipnb.errors import listed, nearest, quoted
from clipnb.interrogate.prompt import Phrase, cut_to_fit

if TYPE_CHECKING:
    from clipnb.interrogate.image_query import ImageQuery
    from clipnb.interrogate.result import Candidate, Tag
    from clipnb.interrogate.settings import Settings

PHRASE_TABLES = ("artists", "flavors", "mediums", "movements", "trendings")
"""Tables whose labels are ranked together where a prompt is a list of phrases."""

MODES: dict[str, type[Mode]] = {}
"""Every mode by its name."""


@dataclass(frozen=True)
class PromptCandidate:
    """A prompt that a mode made.

    Attributes:
        phrases: its parts; they fit the encoder's context.
        dropped: number of phrases that did not fit any more.
        candidates: the prompts that competed, best first.
        notes: what a reader of the result should know.
        embedding: what stands for the prompt in a submission, of unit length; none but in mode `pooled`.
        tags: what stands out, best first; none but in mode `tags`.
    """

    phrases: tuple[Phrase, ...]
    dropped: int = 0
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()
    embedding: tuple[float, ...] = ()
    tags: tuple[Tag, ...] = ()


class Mode(ABC):
    """Base class of modes; a subclass with a name registers itself in `MODES`.

    Attributes:
        name: what users call it.
        summary: one line, shown in the panel and in the command's help.
        max_flavors: default number of phrases; 0 where it adds none.
        takes_caption: whether the prompt begins with a caption.
        takes_proposals: whether it chooses from captions that the captioner proposes.
        takes_opening: whether it begins with `query.opening`, so that trigger and required words stand in it.
        of_sets: the function that takes its images, where it describes several of them by one prompt; else "".
        ranks_only: whether ranking tables is all it does, without measuring prompts.
        checked: whether phrases that lower the similarity of the whole prompt are left out of what it proposes.
        searches: whether it searches the collection of whole prompts.
        embeds: whether its results have an embedding.
        settings: names of the settings that change its prompts, besides those of all modes.
        batch_size: images at a time; None for what suits the device.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    max_flavors: ClassVar[int] = 32
    takes_caption: ClassVar[bool] = True
    takes_proposals: ClassVar[bool] = False
    takes_opening: ClassVar[bool] = False
    of_sets: ClassVar[str] = ""
    ranks_only: ClassVar[bool] = True
    checked: ClassVar[bool] = False
    searches: ClassVar[bool] = False
    embeds: ClassVar[bool] = False
    settings: ClassVar[tuple[str, ...]] = ()
    batch_size: ClassVar[int | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):
            known = MODES.get(cls.name, cls)
            if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"mode {cls.name!r} is {known.__module__}.{known.__qualname__} already")
            MODES[cls.name] = cls  # a notebook cell that runs again replaces its own class

    @classmethod
    def heeds(cls, setting: str) -> bool:
        """Return whether a setting that not all modes have a use for changes the mode's prompts."""
        composes = cls.takes_caption and not cls.of_sets
        of_kinds = {"collection": cls.searches, "least_certainty": composes}
        return setting in cls.settings or of_kinds.get(setting, False)

    @abstractmethod
    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        """Make the prompt of one image; what is `checked` may lose phrases afterwards.

        Args:
            query: the image, its rankings and measures.
            caption: what the prompt begins with; "" where the mode takes none.
            max_flavors: how many phrases at most.
        """


def find_mode(name: str, settings: Settings | None = None) -> Mode:
    """Return the mode of a name.

    Raises:
        SettingsError: there is none, which the message has the nearest for; or it cannot do what the settings wish.
    """
    from clipnb.interrogate.settings import SettingsError

    if not isinstance(name, str) or name not in MODES:
        raise SettingsError(f"there is no mode {quoted(name)}; use {nearest(quoted(name), MODES)}")
    mode = MODES[name]()
    wished = [wish for wish in ("trigger", "require") if settings is not None and getattr(settings, wish)]
    if wished and not mode.takes_opening:
        able = ", ".join(other for other, known in MODES.items() if known.takes_opening)
        raise SettingsError(f"mode {name} cannot take {wished[0]}; leave it out, or use {able}")
    return mode


def refuse_sets(mode: Mode) -> None:
    """Raise `SettingsError` for a mode that describes several images together, where each is asked about alone."""
    if mode.of_sets:
        from clipnb.interrogate.settings import SettingsError

        raise SettingsError(f"mode {mode.name} describes several pictures together: use clipnb.{mode.of_sets}")


def refuse_captions(mode: Mode, captions: Iterable[str | None]) -> None:
    """Raise `SettingsError` for captions, other than blank ones, that a mode would ignore."""
    if not mode.takes_caption and any(caption and caption.strip() for caption in captions):
        from clipnb.interrogate.settings import SettingsError

        taking = listed([name for name, known in MODES.items() if known.takes_caption])
        raise SettingsError(f"mode {mode.name} takes no caption; leave it out, or use one of {taking}")


def refuse_flavors(mode: Mode, max_flavors: int) -> None:
    """Raise `SettingsError` for a number of phrases in a mode that adds none."""
    if max_flavors and not mode.max_flavors:
        from clipnb.interrogate.settings import SettingsError

        adding = listed([name for name, known in MODES.items() if known.max_flavors])
        raise SettingsError(f"mode {mode.name} adds no phrases; leave max_flavors out, or use one of {adding}")


def fitting(query: ImageQuery, phrases: list[Phrase]) -> PromptCandidate:
    """Keep the leading phrases that fit the encoder's context and the limits of the settings."""
    kept = cut_to_fit(phrases, query.fits)
    return PromptCandidate(kept, dropped=len(phrases) - len(kept))
