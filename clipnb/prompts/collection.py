"""What was read: a sequence of prompts that knows where each is from; other columns wait until they are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, overload

import numpy as np
import numpy.typing as npt

from clipnb.errors import PromptsError, counted, listed, nearest, shortened
from clipnb.prompts.records import Prompt, Skipped

if TYPE_CHECKING:
    import pandas as pd

Ints = npt.NDArray[np.int32]
MOST_CELLS = 100_000_000  # of a frame
OWN_COLUMNS = ("text", "negative", "source", "picture")
_NAMED = 3  # of what was skipped, in a report


class Part(Protocol):
    """Prompts of one file, or of all captions or pictures, in the order of their source."""

    texts: list[str]
    keeps: bool  # its repeats, where nothing else is wished

    def names(self) -> Iterable[str]:
        """Return the names of the settings."""

    def column(self, name: str) -> Sequence[str]:
        """Return one of `OWN_COLUMNS` or a setting, as long as `texts`; empty where a prompt has none."""

    def record(self, place: int) -> Prompt:
        """Return a prompt with all that is known of it."""


class Records:
    """A part whose prompts are here with all that is known of them."""

    keeps = True

    def __init__(self, prompts: Sequence[Prompt]) -> None:
        self.texts = [flat(prompt.text) for prompt in prompts]
        self.prompts = prompts

    def names(self) -> Iterable[str]:
        return dict.fromkeys(name for prompt in self.prompts for name in prompt.settings)

    def column(self, name: str) -> Sequence[str]:
        if name in OWN_COLUMNS:
            return [getattr(prompt, name) for prompt in self.prompts]
        return [prompt.settings.get(name, "") for prompt in self.prompts]

    def record(self, place: int) -> Prompt:
        return self.prompts[place]


@dataclass
class Rows:
    """A part whose prompts stand in lines or rows of a file; the other columns are read when they are asked for.

    Attributes:
        texts: one a row that holds a prompt, without line breaks.
        rows: the number of each one's line or row, from 1.
        where: the file and the word for its rows, such as `a.csv, row`.
        wholes: texts with their own line breaks, by place, of the few that have any.
        headings: reads the names of the columns.
        read: reads a column for the rows that hold a prompt.
        roles: the columns that hold the negative prompt and the picture.
        keeps: whether it is a collection in which repeats count, and no set of lines.
    """

    texts: list[str]
    rows: Sequence[int]
    where: str
    wholes: Mapping[int, str] = field(default_factory=dict)
    headings: Callable[[], Iterable[str]] = tuple
    read: Callable[[str], Sequence[str]] | None = None
    roles: Callable[[], Mapping[str, str]] = dict
    keeps: bool = True
    _read: dict[str, Sequence[str]] = field(default_factory=dict)

    def names(self) -> Iterable[str]:
        return [name for name in self.headings() if name not in self.roles().values()]

    def column(self, name: str) -> Sequence[str]:
        if name == "source":
            return [f"{self.where} {row}" for row in self.rows]
        if name == "text":
            return [self.wholes.get(place, text) for place, text in enumerate(self.texts)]
        heading = self.roles().get(name, "" if name in OWN_COLUMNS else name)
        if self.read is None or heading not in self.headings():
            return [""] * len(self.texts)
        if heading not in self._read:
            self._read[heading] = self.read(heading)
        return self._read[heading]

    def record(self, place: int) -> Prompt:
        roles = self.roles()
        own = {role: self.column(role)[place] for role in roles}
        settings = {name: cell for name in self.names() if (cell := self.column(name)[place])}
        text, source = self.wholes.get(place, self.texts[place]), f"{self.where} {self.rows[place]}"
        return Prompt(text, own.get("negative", ""), source, own.get("picture", ""), settings)


@dataclass(frozen=True)
class Prompts(Sequence[str]):
    """Prompts; a sequence of texts, each on one line, that knows where they came from.

    Text files are sets of lines: their prompts are distinct and sorted. Tables, captions and pictures are collections
    in which a prompt may stand n times: they keep all in their order. See `repeats` of `read_prompts`.

    Attributes:
        files: the files that were read, in order.
        replaced: number of bytes that were no text in their encoding and stand as U+FFFD now.
        skipped: what could not be read, with the reason; the first thousands of it.
        skips: how many files, rows and records were skipped.
        repeats: `keep` where repeated prompts stand as often as they were found, `once` where they do not, `auto`
            where that depends on the file.
        dropped: number of repeats that were left out.
        without_prompt: pictures that have no caption, or no prompt inside where these were read.
        without_picture: captions whose picture is missing.
        notes: what else there is to say, for people.
    """

    texts: Sequence[str] = ()
    files: tuple[Path, ...] = field(default=(), repr=False)
    replaced: int = 0
    skipped: tuple[Skipped, ...] = ()
    skips: int = 0
    repeats: str = "auto"
    dropped: int = 0
    without_prompt: tuple[Path, ...] = field(default=(), repr=False)
    without_picture: tuple[Path, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    _parts: Sequence[Part] = field(default=(), repr=False)
    _part_of: Ints = field(default_factory=lambda: np.zeros(0, np.int32), repr=False, compare=False)
    _place_in: Ints = field(default_factory=lambda: np.zeros(0, np.int32), repr=False, compare=False)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return tuple(self.texts[index]) if isinstance(index, slice) else self.texts[index]

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __repr__(self) -> str:
        return f"<Prompts: {self.report()}>"

    @property
    def lines(self) -> tuple[str, ...]:
        """The texts, as a tuple."""
        return tuple(self.texts)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names that `column` takes: text, negative, source, picture, and those of the settings."""
        names = (name for part in self._parts for name in part.names())
        return tuple(dict.fromkeys((*OWN_COLUMNS, *names)))

    def column(self, name: str) -> list[str]:
        r"""Return a column, one text a prompt, empty where a prompt has none.

        Columns of tables are read from their files when they are asked for, and kept.

        Args:
            name: one of `columns`, such as `negative`, `source`, or a setting such as `Sampler`.

        Raises:
            PromptsError: no prompt has such a column, or a file was changed since.

        >>> from clipnb.prompts.read import prompts_of
        >>> prompts_of({"mine.csv": b"prompt,model\na cat,one\na dog,two\n"}).column("model")
        ['one', 'two']
        """
        if name not in self.columns:
            known = nearest(name, self.columns)
            raise PromptsError(f"no column {shortened(name)!r} in these prompts; there is {known}")
        found = {number: self._parts[number].column(name) for number in np.unique(self._part_of).tolist()}
        places = zip(self._part_of.tolist(), self._place_in.tolist(), strict=True)
        return [found[number][place] for number, place in places]

    def where(self, name: str, value: str) -> Prompts:
        r"""Return the prompts whose column has a value.

        Raises:
            PromptsError: as `column`; or no prompt has the value.

        >>> from clipnb.prompts.read import prompts_of
        >>> list(prompts_of({"mine.csv": b"prompt,model\na cat,one\na dog,two\n"}).where("model", "two"))
        ['a dog']
        """
        values = self.column(name)
        chosen = [place for place, found in enumerate(values) if found == value]
        if not chosen:
            known = nearest(value, dict.fromkeys(values))
            raise PromptsError(f"no prompt has {shortened(value)!r} as its {name}; there is {known}")
        return replace(
            self,
            texts=[self.texts[place] for place in chosen],
            _part_of=self._part_of[chosen],
            _place_in=self._place_in[chosen],
        )

    def records(self) -> Iterator[Prompt]:
        """Yield the prompts with all that is known of them, with their own line breaks.

        Raises:
            PromptsError: a file was changed since.
        """
        for part, place in zip(self._part_of.tolist(), self._place_in.tolist(), strict=True):
            yield self._parts[part].record(place)

    def to_frame(self) -> pd.DataFrame:
        """Return a table: text, negative, source, picture, and a column for every setting; all are texts.

        Raises:
            PromptsError: more than 100,000,000 cells, or a file was changed since.
        """
        import pandas as pd

        if len(self.columns) * len(self) > MOST_CELLS:
            raise PromptsError(
                f"{len(self):,} prompts with {len(self.columns):,} columns are more than {MOST_CELLS:,} cells; "
                "ask for single columns by column(name)"
            )
        frame: pd.DataFrame = pd.DataFrame({name: self.column(name) for name in self.columns})
        return frame

    def report(self) -> str:
        r"""Return what was read, dropped and skipped, for people.

        >>> from clipnb.prompts.read import prompts_of
        >>> prompts_of({"mine.txt": b"a cat\na cat\na dog"}).report()
        '2 prompts from 1 file, 1 repeat dropped'
        """
        report = f"{counted(len(self), 'prompt')} from {counted(len(self.files), 'file')}"
        if self.skips:
            named = [f"{os.path.basename(skip.source)}: {skip.why}" for skip in self.skipped[:_NAMED]]  # noqa: PTH119 - no path
            more = f"; and {self.skips - len(named):,} more" if self.skips > len(named) else ""
            report += f" ({self.skips:,} skipped: {'; '.join(named)}{more})"
        if self.dropped:
            report += f", {counted(self.dropped, 'repeat')} dropped"
        if self.replaced:
            report += f", {counted(self.replaced, 'byte')} that were no text stand as \ufffd"
        for missing, word in ((self.without_prompt, "picture"), (self.without_picture, "caption")):
            if missing:
                what = "picture" if word == "caption" else "caption or prompt"
                names = listed([path.name for path in missing], _NAMED)
                report += f", {counted(len(missing), word)} without a {what} ({names})"
        return "; ".join((report, *self.notes))


def flat(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.splitlines()).strip() if not text.isprintable() else text.strip()


def collect(parts: Sequence[Part], repeats: Sequence[bool]) -> tuple[list[str], Ints, Ints, int]:
    """Join parts: first the prompts of those whose repeats are dropped, distinct and sorted, then the others.

    Args:
        parts: what was read.
        repeats: for each part, whether its repeats are kept.

    Returns:
        The texts, for each the number of its part and its place there, and how many were dropped.
    """
    sizes = [len(part.texts) for part in parts]
    part_of = np.repeat(np.arange(len(parts), dtype=np.int32), sizes)
    place_in = np.concatenate([np.zeros(0, np.int32), *(np.arange(size, dtype=np.int32) for size in sizes)])
    keeps = np.repeat(np.array(repeats, bool), sizes)
    firsts: dict[str, int] = {}
    once = [text for part, keep in zip(parts, repeats, strict=True) if not keep for text in part.texts]
    for place, text in enumerate(once):
        firsts.setdefault(text, place)
    texts = sorted(firsts)
    order = np.concatenate([np.flatnonzero(~keeps)[[firsts[text] for text in texts]], np.flatnonzero(keeps)])
    dropped = len(once) - len(texts)
    for part, keep in zip(parts, repeats, strict=True):
        if keep:
            texts += part.texts
    return texts, part_of[order], place_in[order], dropped
