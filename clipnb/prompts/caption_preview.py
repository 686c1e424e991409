"""What an edit of captions changes, shown before anything is written."""

from __future__ import annotations

from dataclasses import dataclass

from clipnb import html
from clipnb.errors import shortened

_SHOWN = 5


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
        rows = [f"  {one.image}\n    - {_line(one.before)}\n    + {_line(one.after)}" for one in self[:_SHOWN]]
        more = [f"  and {len(self) - _SHOWN:,} more"] if len(self) > _SHOWN else []
        return "\n".join([self.title, *rows, *more])

    __repr__ = __str__

    @property
    def title(self) -> str:
        """How many captions change, in words."""
        return f"{len(self):,} caption{'s' * (len(self) != 1)} change{'s' * (len(self) == 1)}"

    def _repr_html_(self) -> str:
        rows = [(one.image, _line(one.before), _line(one.after)) for one in self[:_SHOWN]]
        shown = html.table(("image", "before", "after"), rows, empty="nothing changes")
        return html.joined([html.element("p", self.title), shown])


def _line(text: str) -> str:
    return shortened(" / ".join(text.splitlines()), 200)
