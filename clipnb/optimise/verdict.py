"""What encoders that only look saw of a picture, and what is said where it fools the one that guides it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from clipnb.errors import quoted

LEAST_RISE = 5.0
"""Rise of the guide's similarity (cosine x 100) below which nothing is said of its judges."""
LEAST_SHARE = 0.2
"""Share of the guide's rise that a judge has to see. Of the two judges, the one that saw less saw at most .07 of ten
pictures by plain planes, .02 to .19 of five by a spectrum without random transforms, and .32 to .94 of nine by the
default recipe, a quarter as long as usual, which were at .20 on their way (tests/benchmarks/live_judge.py). Of runs as
long as usual, none of four by it was below .69 in the second half; one by planes and one by a spectrum, of which each
judge saw at most .15 there, were told from step 320 on."""
FLAT = 0.1
"""Share of its rise that the guide's similarity may still gain from one look to the next: before it is flat, pictures
are noise to every judge."""
PATIENCE = 3
"""Looks one after another, in the second half of a run, at which a judge sees too little, before that is said."""
LATE = 300
"""Steps after which a run counts as in its second half, however long it is."""


@dataclass(frozen=True)
class Look:
    """How similar a whole picture is to one text, cosine x 100.

    Attributes:
        text: the text.
        judge: name of the encoder that only looks.
        seen: by it.
        first: by it at its first look.
        guide: by the encoders that guide, mean.
        guide_first: by those at the first look.
        fooled: number of looks up to this one at which the judge saw too little of what the guide saw.
    """

    text: str
    judge: str
    seen: float
    first: float
    guide: float
    guide_first: float
    fooled: int = 0

    @property
    def share(self) -> float | None:
        """Share of the guide's rise since the first look that the judge saw too; None before there is one."""
        rise = self.guide - self.guide_first
        return None if rise < LEAST_RISE else (self.seen - self.first) / rise

    def __str__(self) -> str:
        rose = f"similarity {self.seen:.1f} from {self.first:.1f}"
        return f"judge {self.judge} : {self.text} : {rose}; the guide's {self.guide:.1f} from {self.guide_first:.1f}"


@dataclass(frozen=True)
class Verdict:
    """What the judges of a run saw at their newest look.

    Attributes:
        index: number of the step after which they looked.
        looks: of each judge at each text.
    """

    index: int
    looks: tuple[Look, ...] = field(repr=False)

    @property
    def warning(self) -> str:
        """What is wrong, in words, where the picture fools its guide; else ""."""
        fooled = [look for look in self.looks if look.fooled >= PATIENCE]
        if not fooled:
            return ""
        worst = min(fooled, key=lambda look: look.share or 0.0)
        return (
            f"the guide is being fooled: of {quoted(worst.text)} it sees {worst.guide:.0f} (from "
            f"{worst.guide_first:.0f}), the judge {worst.judge} {worst.seen:.0f} (from {worst.first:.0f}); more random "
            "transforms, more views or a second model for the guide help"
        )

    def similarities(self) -> dict[tuple[str, str], float]:
        """Return what was seen by judge and text, cosine in [-1, 1]."""
        return {(look.judge, look.text): look.seen / 100 for look in self.looks}

    def in_words(self) -> Iterator[str]:
        """Yield a line for each judge and text, and the warning."""
        yield from map(str, self.looks)
        if self.warning:
            yield self.warning


def after(last: Look | None, key: tuple[str, str], seen: float, guide: float, *, is_late: bool) -> Look:
    """Return a look after the last one of the same judge (its name, and the text), if there was any."""
    judge, text = key
    if last is None:
        return Look(text, judge, seen, seen, guide, guide)
    look = Look(text, judge, seen, last.first, guide, last.guide_first)
    is_flat = guide - last.guide < FLAT * (guide - last.guide_first)
    is_fooled = is_late and is_flat and look.share is not None and look.share < LEAST_SHARE
    return Look(text, judge, seen, last.first, guide, last.guide_first, last.fooled + 1 if is_fooled else 0)
