"""Two collections of prompts side by side: which tags one uses more than the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from clipnb.errors import TagsError
from clipnb.prompts.spelling import key_of
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.counting.hints import why_no_tags

if TYPE_CHECKING:
    import pandas as pd

    from clipnb.tags.counting.counts import Countable

Floats = npt.NDArray[np.float64]


def compare(first: Countable, second: Countable) -> pd.DataFrame:
    """Compare the tags of two collections.

    Args:
        first: one collection: counts, or prompts, which are counted as `TagCounts` does by default.
        second: the other.

    Returns:
        One row a tag, what tells the collections apart most first: `tag`, `first` and `second` (counts),
        `ratio` (log2 of the shares' ratio, counts raised by 0.5; above 0 where the first uses it more), and
        `surprise` (log-likelihood ratio G2 after Dunning 1993: above 10.83 chance explains a difference less
        than once in a thousand tags).

    Raises:
        TagsError: a collection without tags, or none at all.

    >>> cats, dogs = TagCounts(["x, fur, purr", "x, fur, purr"]), TagCounts(["x, fur, tail", "x, fur"])
    >>> compare(cats, dogs)[["tag", "first", "second"]].values.tolist()[0]
    ['purr', 2, 0]
    """
    import pandas as pd

    first, second = TagCounts.of(first), TagCounts.of(second)
    for counts in (first, second):
        if not len(counts):
            raise TagsError(f"a collection without tags cannot be compared: {why_no_tags(counts)}")
    names = {key_of(name): name for counts in (second, first) for name in counts.names}
    a, b = (np.array([counts.count(key) for key in names], dtype=np.float64) for counts in (first, second))
    together = _surprise(a + b, first.total + second.total)
    surprise = _surprise(a, first.total) + _surprise(b, second.total) - together
    ratio = np.log2((a + 0.5) / (first.total + 0.5)) - np.log2((b + 0.5) / (second.total + 0.5))
    order = np.argsort(-surprise, kind="stable")
    tags = list(names.values())
    table: pd.DataFrame = pd.DataFrame(
        {
            "tag": [tags[i] for i in order],
            "first": a[order].astype(np.int64),
            "second": b[order].astype(np.int64),
            "ratio": ratio[order],
            "surprise": np.maximum(surprise[order], 0.0),
        }
    )
    return table


def _surprise(count: Floats, total: int) -> Floats:
    """Twice the log-likelihood of a tag's count at its own share, shape (N,)."""
    rest = total - count
    own = count * np.log(np.maximum(count, 1) / total)
    others = rest * np.log(np.maximum(rest, 1) / total)
    return 2.0 * (own + others)
