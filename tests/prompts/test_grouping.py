"""Groups of prompts by dates and by values: what is a date, which period suits, what is left out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipnb.errors import PromptsError
from clipnb.prompts.grouping import MOST_GROUPS, PERIODS, group_values


@pytest.mark.parametrize(
    ("every", "labels"),
    [
        ("day", ("2024-01-31", "2024-02-01", "2024-02-02")),
        ("week", ("2024-01-29",)),
        ("month", ("2024-01", "2024-02")),
        ("quarter", ("2024Q1",)),
        ("year", ("2024",)),
    ],
)
def test_periods_without_gaps(every: str, labels: tuple[str, ...]) -> None:
    grouping = group_values(["2024-02-02", "2024-01-31"], every)
    assert (grouping.labels, grouping.period, grouping.left_out) == (labels, every, 0)
    assert grouping.group_of.tolist() == [len(labels) - 1, 0]


@pytest.mark.parametrize(
    "written",
    [
        *("2024-02-29", "2024-02-29T23:59:59Z", "2024-02-29 10:00:00.123", "20240229", "2024:02:29 10:00:00"),
        *("2024-03-01T00:30:00+01:00", " 2024-02-29 ", "1709164800", "1709164800.5", "1709164800000", "2024-02"),
    ],
)
def test_ways_to_write_a_date(written: str) -> None:
    assert group_values([written], "month").labels == ("2024-02",)


@pytest.mark.parametrize(
    "written", ["yesterday", "20", "7.5", "2024-13-01", "99999999", "1" * 30, "0000", "5000-01-01", "1799-12-31"]
)
def test_what_is_no_date_is_counted_and_left_out(written: str) -> None:
    grouping = group_values(["2024-01-01", written, ""], "year")
    assert (grouping.labels, grouping.left_out) == (("2024",), 2)
    assert grouping.group_of.tolist() == [0, -1, -1]


def test_auto_takes_dates_for_dates_and_numbers_for_values() -> None:
    assert group_values(["2024-01-01", "2024-01-09"]).period == "day"
    assert group_values(["2024-01-01", "2024-12-09", "x"]).period == "month"
    assert group_values(["2004-01-01", "2024-12-09"]).period == "year"
    assert group_values(["20", "7.5", "100", "20"]).labels == ("7.5", "20", "100"), "numbers ascend"
    assert group_values(["sdxl", "flux", "sdxl", ""]).labels == ("sdxl", "flux"), "the most frequent first"
    assert group_values(["2024-01-01", "2024-01-09"], "value").period == ""


@pytest.mark.parametrize(
    ("values", "every", "words"),
    [
        (["a"], "moth", "there is month"),
        (["", ""], "auto", "'Model' has no values"),
        ([], "auto", "has no values"),
        (["a", "b"], "month", "no value of the column 'Model' is a date"),
        ([f"v{i}" for i in range(MOST_GROUPS + 1)], "auto", "1,001 different values"),
        (["1999-01-01", "2024-01-01"], "day", "9,132 periods by day; choose longer"),
    ],
)
def test_mistakes_are_named(values: list[str], every: str, words: str) -> None:
    with pytest.raises(PromptsError, match=words):
        group_values(values, every, "Model")


VALUES = st.text(max_size=12) | st.dates().map(str) | st.datetimes().map(str)


@settings(deadline=None)  # the first example imports pandas
@given(st.lists(VALUES, min_size=1), st.sampled_from(list(PERIODS)))
def test_every_prompt_is_in_a_group_or_counted(values: list[str], every: str) -> None:
    try:
        grouping = group_values(values, every)
    except PromptsError:
        return
    assert len(grouping.group_of) == len(values)
    assert int((grouping.group_of < 0).sum()) == grouping.left_out
    assert grouping.group_of.max() == len(grouping.labels) - 1
    assert 0 in grouping.group_of
