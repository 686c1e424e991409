"""What is kept of a run, in bounded memory: similarities and snapshots; `viewer.py` and `chart.py` show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from PIL import Image, ImageOps

from clipnb.errors import OutputError
from clipnb.images import to_pil, to_tensor
from clipnb.optimise.film.writing import save_film
from clipnb.optimise.step import Step

T = TypeVar("T")
MAX_BYTES = 512 * 2**20
"""Pixels of all snapshots together, in bytes."""
_FILM_SIDE = 512  # pixels; a film of larger pictures takes minutes to write


@dataclass(frozen=True)
class Curve:
    """Similarity of one text or image: cosine x 100 at rising numbers of steps; `judge` names one that only looks."""

    label: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    judge: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A picture after a step.

    Attributes:
        picture: RGB, 8 bits.
        about: the step, with an empty image.
    """

    picture: Image.Image
    about: Step

    @classmethod
    def of(cls, step: Step) -> Snapshot:
        return cls(to_pil(step.image), replace(step, image=step.image.new_empty(0)))

    @property
    def unit(self) -> str:
        """What is counted: "step", or "frame" in a film."""
        return "step" if self.about.frame is None else "frame"

    @property
    def number(self) -> int:
        """Number of the step or frame, from 1."""
        return 1 + (self.about.index if self.about.frame is None else self.about.frame)

    def as_step(self) -> Step:
        """Return the step, its image float [3, H, W] in [0, 1] on the CPU."""
        return replace(self.about, image=to_tensor(self.picture))


class _Thinned(Generic[T]):
    """Items of steps at even distances; every second is dropped when there are too many.

    Attributes:
        forgotten: how often what came last was dropped.
    """

    def __init__(self, most: int) -> None:
        self._most, self._stride, self.forgotten = most, 1, 0
        self._items: list[tuple[int, T]] = []

    def __len__(self) -> int:
        return len(self._items)

    def forget_after(self, index: int) -> None:
        """Drop what is behind the step of that number."""
        self._items = [item for item in self._items if item[0] <= index]
        self.forgotten += 1

    def _wants(self, index: int) -> bool:
        return index % self._stride == 0

    def _append(self, index: int, item: T, most: int) -> None:
        self._items.append((index, item))
        if len(self._items) > most:
            self._stride *= 2
            *earlier, last = self._items
            self._items = [*earlier[::2], last]


class Similarities(_Thinned[Mapping[tuple[str, str], float]]):
    """The similarities of all steps, by the name of a judge ("": what guides) and the text or image."""

    def __init__(self, most: int = 2000) -> None:
        super().__init__(most)
        self._known: set[tuple[str, str]] = set()

    def add(self, step: Step) -> None:
        statistics, verdict = step.statistics, step.statistics.verdict
        seen = {("", label): similarity for label, similarity in step.similarities.items()}
        judged = verdict.similarities() if verdict else {}
        self._known = {*seen, *judged, *(("", line.label) for line in statistics.lines)}
        if verdict and verdict.index == step.index:
            seen.update(judged)
        if self._wants(step.index):
            self._append(step.index, seen, self._most)

    def curves(self) -> list[Curve]:
        """Return a curve for each text or image that is in the experiment still, in the order in which they came."""
        points: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for index, similarities in list(self._items):
            for key in [key for key in similarities if key in self._known]:
                points.setdefault(key, []).append((index, 100 * similarities[key]))
        curves = []
        for (judge, label), pairs in points.items():
            steps, values = zip(*pairs, strict=True)
            curves.append(Curve(label, steps, values, judge))
        return curves


class History(_Thinned[Snapshot]):
    """Snapshots of a run, fewer of large pictures."""

    def __init__(self, most: int = 60) -> None:
        super().__init__(most)

    def __getitem__(self, place: int) -> Snapshot:
        return self._items[place][1]

    @property
    def snapshots(self) -> Sequence[Snapshot]:
        """All of them, the oldest first."""
        return [snapshot for _, snapshot in self._items]

    def add(self, step: Step, *, always: bool = False) -> Snapshot | None:
        """Add a step whose number is higher than those before; such as the last one even out of turn.

        Steps that end a frame of a film come at the distances of their frames.

        Returns:
            What was added, or None.
        """
        known = bool(self._items) and self._items[-1][0] >= step.index
        if known or not (always or self._wants(step.index if step.frame is None else step.frame)):
            return None
        snapshot = Snapshot.of(step)
        height, width = step.image.shape[-2:]
        self._append(step.index, snapshot, max(2, min(self._most, MAX_BYTES // (3 * height * width))))
        return snapshot

    def strip(self, count: int = 6, side: int = 128) -> Image.Image:
        """Return snapshots beside one another, the first and the last among them.

        Args:
            count: how many, two at least.
            side: of each in pixels; narrower pictures are centred.

        Raises:
            OutputError: there are fewer than two snapshots.
        """
        if len(self) < 2:
            raise OutputError("a strip needs two snapshots at least; let the run go on a little")
        strip, last = Image.new("RGB", (count * side, side), "white"), len(self) - 1
        for place in range(count):
            picture = self[round(place * last / (count - 1))].picture.copy()
            picture.thumbnail((side, side))
            strip.paste(picture, (place * side + (side - picture.width) // 2, (side - picture.height) // 2))
        return strip

    def film(self, path: Path, frames_per_second: float = 12.0, *, largest: int = _FILM_SIDE) -> Path:
        """Write the snapshots as an animation, under a name that is not taken.

        The last picture stays for a second more. Frames of another shape than the last one have black beside them.

        Args:
            path: its suffix is the format; .webp where there is none.
            frames_per_second: of all but the last one.
            largest: side in pixels; larger pictures are made smaller.

        Raises:
            OutputError: there are fewer than two snapshots, the suffix is no film's, or the place cannot be written to.
        """
        pictures = [snapshot.picture for snapshot in self.snapshots]
        if len(pictures) < 2:
            raise OutputError("a film needs two snapshots at least; let the run go on a little")
        fitted = (_fitted(picture, pictures[-1].size, largest) for picture in pictures)
        return save_film(fitted, path, frames_per_second, hold=1.0)


def _fitted(picture: Image.Image, size: tuple[int, int], largest: int) -> Image.Image:
    """Bring a picture, as it is shaped, into the size of the last one, or into the largest that a film has."""
    scale = min(1.0, largest / max(size))
    target = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return picture if picture.size == target else ImageOps.pad(picture, target, Image.Resampling.LANCZOS)
