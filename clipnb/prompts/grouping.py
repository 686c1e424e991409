"""Prompts in groups: by the values of a column, or by periods of the dates in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clipnb.errors import PromptsError, nearest

PERIODS = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
"""The periods by name, as pandas calls them."""
MOST_GROUPS = 1_000
_DAYS, _MONTHS = 62, 5 * 366  # days up to which dates are taken by day, and by month
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_SECONDS, _MILLISECONDS = 10**8, 10**11  # from which a number is seconds, and milliseconds, since 1970
_FIRST, _LAST = np.datetime64("1800-01-01"), np.datetime64("2200-01-01")  # between which a date is one
_EXIF_DATE = re.compile(r"^(\d{4}):(\d\d):(\d\d)(?= |$)")
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Grouping:
    """Which of P prompts is in which of G groups.

    Attributes:
        labels: the groups' names: periods in their order, without gaps; numbers ascending; other values by the
            number of their prompts, most first.
        group_of: each prompt's place in `labels`, -1 where it is in none; shape (P,).
        period: what a group spans, such as `month`; "" where groups are values.
        left_out: number of prompts in no group, without a value or with none that is a date.
    """

    labels: tuple[str, ...]
    group_of: Ints
    period: str
    left_out: int


def group_values(values: Sequence[str], every: str = "auto", name: str = "column") -> Grouping:
    """Group prompts by a value that each of them has.

    Args:
        values: one a prompt, empty where there is none.
        every: `day`, `week`, `month`, `quarter`, `year`: by dates in ISO 8601, as cameras write them, or numbers of
            seconds or milliseconds since 1970, in UTC. `value`: as they are. `auto`: by dates where half of the values
            are such, numbers apart, in periods that suit their span.
        name: of the column, for messages.

    Raises:
        PromptsError: an unknown period, no values, none that is a date where a period is named, or more than 1,000
            groups.

    >>> group_values(["2024-01-05", "2024-03-01", "?"], "month").labels
    ('2024-01', '2024-02', '2024-03')
    >>> group_values(["b", "a", "b", ""]).labels
    ('b', 'a')
    """
    known = ("auto", "value", *PERIODS)
    if every not in known:
        raise PromptsError(f"no period {every!r}; there is {nearest(every, known, 7)}")
    given = sum(map(bool, values))
    if not given:
        raise PromptsError(f"the column {name!r} has no values")
    if every == "value":
        return _by_value(values, name)
    dates = _dates(values, numbers=every != "auto")
    found = int((~np.isnat(dates)).sum())
    if every == "auto":
        if 2 * found < given:
            return _by_value(values, name)
        every = _suitable(dates)
    if not found:
        raise PromptsError(
            f"no value of the column {name!r} is a date such as 2024-03-01; every='value' takes them as they are"
        )
    return _by_period(dates, every)


def _by_value(values: Sequence[str], name: str) -> Grouping:
    counts = Counter(value for value in values if value)
    _check(len(counts), f"the column {name!r} has {len(counts):,} different values; choose another")
    labels = sorted(counts, key=lambda value: (-counts[value], value))
    if all(map(_NUMBER.fullmatch, labels)):
        labels.sort(key=float)
    place = {label: number for number, label in enumerate(labels)}
    group_of = np.array([place.get(value, -1) for value in values], dtype=np.int64)
    return Grouping(tuple(labels), group_of, "", int((group_of < 0).sum()))


def _by_period(dates: npt.NDArray[np.datetime64], every: str) -> Grouping:
    import pandas as pd

    periods = pd.DatetimeIndex(dates).to_period(PERIODS[every])
    ordinals = np.asarray(periods.asi8, dtype=np.int64)
    is_in = np.asarray(~periods.isna())
    first, last = int(ordinals[is_in].min()), int(ordinals[is_in].max())
    _check(last - first + 1, f"there are {last - first + 1:,} periods by {every}; choose longer ones")
    spans = pd.period_range(periods[is_in].min(), periods=last - first + 1, freq=PERIODS[every])
    labels = tuple(str(span.start_time.date()) if every == "week" else str(span) for span in spans)
    return Grouping(labels, np.where(is_in, ordinals - first, -1), every, int((~is_in).sum()))


def _check(number: int, words: str) -> None:
    if number > MOST_GROUPS:
        raise PromptsError(f"{words}: there are {MOST_GROUPS:,} groups at most")


def _suitable(dates: npt.NDArray[np.datetime64]) -> str:
    found = dates[~np.isnat(dates)]
    days = (found.max() - found.min()) / np.timedelta64(1, "D")
    return "day" if days <= _DAYS else "month" if days <= _MONTHS else "year"


def _dates(values: Sequence[str], *, numbers: bool) -> npt.NDArray[np.datetime64]:
    """Read dates in UTC; NaT where there is none."""
    import pandas as pd

    distinct = {value: _written(value, numbers=numbers) for value in dict.fromkeys(values)}
    read = pd.to_datetime(pd.Series(list(distinct.values()), dtype=object), format="ISO8601", utc=True, errors="coerce")
    dates = read.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    dates[~((dates >= _FIRST) & (dates < _LAST))] = np.datetime64("NaT", "s")
    date_of = dict(zip(distinct, dates, strict=True))
    return np.array([date_of[value] for value in values], dtype="datetime64[s]")


def _written(value: str, *, numbers: bool) -> str | None:
    """Return a date as ISO 8601 writes it, as far as it can be one."""
    value = value.strip()
    if not _NUMBER.fullmatch(value):
        return _EXIF_DATE.sub(r"\1-\2-\3", value) or None
    if not numbers:
        return None
    if len(value) in (4, 8):
        return value if len(value) == 4 else f"{value[:4]}-{value[4:6]}-{value[6:]}"
    seconds = float(value)
    seconds = seconds / 1_000 if seconds >= _MILLISECONDS else seconds
    if not _SECONDS <= seconds < _MILLISECONDS:
        return None
    return str(np.datetime64(int(seconds), "s"))
