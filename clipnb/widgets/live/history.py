"""What a panel remembers of a run, in bounded memory: how similar the picture became, and how it looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from clipnb.errors import OutputError
from clipnb.files import write_new
from clipnb.images import to_pil, to_tensor
from clipnb.optimise.step import Step

MAX_BYTES = 512 * 2**20
"""Pixels of all snapshots together, in bytes."""
_FILM_SIDE = 512  # pixels; a film of larger pictures takes minutes to write


@dataclass(frozen=True)
class Curve:
    """Similarity of one text or image.

    Attributes:
        label: the text or the image.
        steps: numbers of the steps, rising.
        values: cosine x 100 at each of them.
    """

    label: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


class Similarities:
    """The similarities of all steps; every second step is dropped when there are more than `most`."""

    def __init__(self, most: int = 2000) -> None:
        self._most, self._stride = most, 1
        self._rows: list[tuple[int, dict[str, float]]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, step: Step) -> None:
        """Add a step, unless it falls between those that are kept."""
        if step.index % self._stride:
            return
        self._rows.append((step.index, dict(step.similarities)))
        if len(self._rows) > self._most:
            self._stride *= 2
            self._rows = [row for row in self._rows if row[0] % self._stride == 0]

    def forget_after(self, index: int) -> None:
        """Drop all steps behind the step of that number."""
        self._rows = [row for row in self._rows if row[0] <= index]

    def curves(self) -> list[Curve]:
        """Return a curve for each text or image, in the order in which they came."""
        rows = list(self._rows)
        labels = dict.fromkeys(label for _, similarities in rows for label in similarities)
        return [
            Curve(
                label,
                tuple(index for index, similarities in rows if label in similarities),
                tuple(100 * similarities[label] for _, similarities in rows if label in similarities),
            )
            for label in labels
        ]


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

    def as_step(self) -> Step:
        """Return the step, its image float [3, H, W] in [0, 1] on the CPU."""
        return replace(self.about, image=to_tensor(self.picture))


class History:
    """Snapshots of a run at even distances; every second is dropped when there are more than `most`, or too large."""

    def __init__(self, most: int = 60) -> None:
        self._most, self._stride = most, 1
        self._snapshots: list[Snapshot] = []

    def __len__(self) -> int:
        return len(self._snapshots)

    def __getitem__(self, place: int) -> Snapshot:
        return self._snapshots[place]

    @property
    def snapshots(self) -> Sequence[Snapshot]:
        """All of them, the oldest first."""
        return tuple(self._snapshots)

    def add(self, step: Step, *, always: bool = False) -> None:
        """Add a step whose number is higher than those before.

        Args:
            step: dropped when it falls between those that are kept.
            always: keep it all the same, such as the last one.
        """
        known = bool(self._snapshots) and self._snapshots[-1].about.index >= step.index
        if known or (step.index % self._stride and not always):
            return
        self._snapshots.append(Snapshot.of(step))
        height, width = step.image.shape[-2:]
        if len(self._snapshots) > max(2, min(self._most, MAX_BYTES // (3 * height * width))):
            self._stride *= 2
            *earlier, last = self._snapshots
            self._snapshots = [s for s in earlier if s.about.index % self._stride == 0] + [last]

    def forget_after(self, index: int) -> None:
        """Drop all snapshots behind the step of that number."""
        self._snapshots = [snapshot for snapshot in self._snapshots if snapshot.about.index <= index]

    def strip(self, count: int = 6, side: int = 128) -> Image.Image:
        """Return snapshots beside one another, the first and the last among them.

        Args:
            count: how many, two at least.
            side: of each in pixels; narrower pictures are centred.

        Raises:
            OutputError: there are fewer than two snapshots.
        """
        if len(self._snapshots) < 2:
            raise OutputError("a strip needs two snapshots at least; let the run go on a little")
        strip, last = Image.new("RGB", (count * side, side), "white"), len(self._snapshots) - 1
        for place in range(count):
            picture = self._snapshots[round(place * last / (count - 1))].picture.copy()
            picture.thumbnail((side, side))
            strip.paste(picture, (place * side + (side - picture.width) // 2, (side - picture.height) // 2))
        return strip

    def film(self, path: Path, frames_per_second: float = 12.0) -> Path:
        """Write the snapshots as an animated WebP that repeats, under a name that is not taken.

        Args:
            path: the wished name.
            frames_per_second: how fast it goes; the last picture stays for a second more.

        Returns:
            The path.

        Raises:
            OutputError: there are fewer than two snapshots, or the place cannot be written to.
        """
        pictures = [_shrunk(snapshot.picture, self._snapshots[-1].picture.size) for snapshot in self._snapshots]
        if len(pictures) < 2:
            raise OutputError("a film needs two snapshots at least; let the run go on a little")
        duration = round(1000 / frames_per_second)
        durations = [duration] * (len(pictures) - 1) + [duration + 1000]
        with write_new(path.with_suffix(".webp")) as (target, temporary):
            pictures[0].save(
                temporary, save_all=True, append_images=pictures[1:], duration=durations, loop=0, quality=85, method=2
            )
        return target


def _shrunk(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Bring a picture to the size of the last one, or to the largest that a film has."""
    scale = min(1.0, _FILM_SIDE / max(size))
    target = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return picture if picture.size == target else picture.resize(target, Image.Resampling.LANCZOS)
