"""What an edit of captions changes, shown before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

from clipnb import html
from clipnb.errors import counted, shortened

_SHOWN, _LONGEST = 5, 200  # captions, and characters of each


@dataclass(frozen=True)
class Change:
    """One caption before and after an edit.

    Attributes:
        image: the image's path below the folder.
        before: the caption; empty where there was none.
        after: what it becomes.
    """

    image: str
    before: str
    after: str


class Preview(tuple[Change, ...]):
    """What an edit changes: a tuple of `Change`; shown, how many and the first ones. Nothing is written yet."""

    __slots__ = ()

    def __str__(self) -> str:
        rows = [f"  {image}\n    - {before}\n    + {after}" for image, before, after in map(_shown, self[:_SHOWN])]
        more = [f"  and {len(self) - _SHOWN:,} more"] if len(self) > _SHOWN else []
        return "\n".join([self.title, *rows, *more])

    __repr__ = __str__

    @property
    def title(self) -> str:
        """How many captions change, in words."""
        return f"{counted(len(self), 'caption')} change{'s' * (len(self) == 1)}"

    def _repr_html_(self) -> str:
        rows = [_shown(one) for one in self[:_SHOWN]]
        shown = html.table(("image", "before", "after"), rows, empty="nothing changes")
        return str(html.joined([html.element("p", self.title), shown]))


def _shown(change: Change) -> tuple[str, str, str]:
    """Return the image, and the caption before and after in one line each, from shortly before where they differ."""
    before, after = (" / ".join(text.splitlines()) for text in (change.before, change.after))
    start = 0
    if max(len(before), len(after)) > _LONGEST:
        pairs = enumerate(zip(before, after, strict=False))
        first = next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))
        start = max(0, first - _LONGEST // 4)
    mark = "..." * (start > 0)
    return change.image, mark + shortened(before[start:], _LONGEST), mark + shortened(after[start:], _LONGEST)
