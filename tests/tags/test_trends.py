"""Tags by period and by value, against plain Python; what rises and falls; the figure."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipnb.errors import PromptsError, TagsError
from clipnb.prompts.splitting import extract_tags
from clipnb.tags.charts import plot_trends
from clipnb.tags.communities import communities
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.graph import build_graph
from clipnb.tags.trends import Trends, counts_by

MONTHS = [f"2024-{month:02}-15" for month in range(1, 7)]
PROMPTS = [
    f"x, always{', rising' * (n < month)}{', falling' * (n >= month)}, {'steel, glass' * (n % 2) or 'fur, paws'}"
    for month in range(6)
    for n in range(6)
]
DATES = [date for date in MONTHS for _ in range(6)]


@pytest.fixture(scope="module")
def trends() -> Trends:
    return counts_by(PROMPTS, DATES, "month")


TAGGED = st.lists(st.tuples(st.lists(st.sampled_from("abcA"), max_size=4), st.sampled_from(["one", "two", ""])))


@settings(deadline=None)  # the first example imports pandas
@given(TAGGED)
def test_counts_are_those_of_a_plain_loop(tagged: list[tuple[list[str], str]]) -> None:
    prompts, values = [",".join(["x", *tags]) for tags, _ in tagged], [value for _, value in tagged]
    expected = Counter(
        (tag, value)
        for prompt, value in zip(prompts, values, strict=True)
        for tag in {tag.casefold() for tag in extract_tags(prompt)}
    )
    if not any(values) or not any(tags for tags, _ in tagged):
        with pytest.raises((TagsError, PromptsError)):
            counts_by(prompts, values)
        return
    trends = counts_by(prompts, values)
    for tag, row in zip(trends.names, trends.counts.tolist(), strict=True):
        assert row == [expected[tag.casefold(), group] for group in trends.groups]
    assert trends.prompts.tolist() == [values.count(group) for group in trends.groups]
    assert trends.left_out == values.count("")


def test_what_rises_and_falls(trends: Trends) -> None:
    assert trends.groups == ("2024-01", "2024-02", "2024-03", "2024-04", "2024-05", "2024-06")
    strength = dict(zip(trends.names, trends.strength, strict=True))
    assert strength["rising"] == pytest.approx(-strength["falling"])
    assert strength["rising"] > 3
    assert strength["always"] == strength["steel"] == 0
    assert trends.shares[trends.names.index("rising")].tolist() == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6])
    assert trends.to_frame(2)["tag"].tolist() == ["falling", "rising"]
    assert str(trends) == "36 prompts in 6 months of the values"


def test_the_trend_is_that_of_cochran_and_armitage() -> None:
    """The worked example of Agresti (1990): malformation and the mother's drinking, with scores 0 to 4."""
    with_, without = [48, 38, 5, 1, 1], [17066, 14464, 788, 126, 37]
    trends = Trends(("a",), tuple("01234"), np.array([with_]), np.array(with_) + without, "by", "month", 0)
    score, total = np.arange(5), sum(with_) + sum(without)
    mean = sum(with_) / total
    numbers = np.array(with_) + without
    spread = (numbers * score**2).sum() - (numbers * score).sum() ** 2 / total
    expected = (np.array(with_) * score).sum() - mean * (numbers * score).sum()
    assert trends.strength[0] == pytest.approx(expected / math.sqrt(mean * (1 - mean) * spread))
    assert trends.strength[0] ** 2 == pytest.approx(1.828, abs=0.01)


def test_values_tell_apart_by_g2() -> None:
    trends = counts_by(["x, a, b", "x, a, b", "x, a, c", "x, a, c"], ["one", "one", "two", "two"])
    strength = dict(zip(trends.names, trends.strength, strict=True))
    assert strength == pytest.approx({"a": 0, "b": 8 * math.log(2), "c": 8 * math.log(2)})
    frame = trends.to_frame()
    assert frame.columns.tolist() == ["tag", "prompts", "surprise", "the values=one", "the values=two"]
    assert frame.iloc[0].tolist()[:2] == ["b", 2]


def test_a_month_without_prompts_has_no_share() -> None:
    trends = counts_by(["x, a", "x, b"], ["2024-01-01", "2024-03-01"], "month")
    assert trends.prompts.tolist() == [1, 0, 1]
    assert np.isnan(trends.shares[:, 1]).all()
    assert np.isfinite(trends.strength).all()


def test_communities_by_period_count_a_prompt_once() -> None:
    counts = TagCounts(PROMPTS)
    groups = communities(build_graph(counts, top=None))
    trends = counts_by(PROMPTS, DATES, of=groups, counts=counts)
    assert trends.names == tuple(group.name for group in groups)
    assert (trends.counts <= trends.prompts).all()
    of_fur = next(i for i, group in enumerate(groups) if "fur" in group.tags)
    assert trends.counts[of_fur].sum() >= 18


@pytest.mark.parametrize(
    ("prompts", "by", "options", "words"),
    [
        (["x, a"], "date", {}, "only prompts of read_prompts have a column 'date'"),
        (["x, a"], ["1", "2"], {}, "2 values for 1 prompts"),
        (["x"], ["1"], {}, "1 prompt has no tag"),
        (["x, a"], ["1"], {"top": 0}, "top is 0"),
        (["x, a"], ["1"], {"counts": TagCounts(["x, a", "y, b"])}, "1 values for 2 prompts"),
    ],
)
def test_mistakes_are_named(prompts: list[str], by: object, options: dict[str, object], words: str) -> None:
    with pytest.raises(TagsError, match=words):
        counts_by(prompts, by, **options)


def test_lines_of_what_rises_and_falls(trends: Trends) -> None:
    figure = plot_trends(trends, 1)
    assert [(line.name, line.line.dash) for line in figure.data] == [("rising", "solid"), ("falling", "dot")]
    assert list(figure.data[0].x) == list(trends.groups)
    assert figure.data[0].customdata[3] == ["rising", 3, 6]
    with pytest.raises(TagsError, match="n is 0"):
        plot_trends(trends, 0)


def test_values_are_a_heat_map_and_names_stay_text() -> None:
    figure = plot_trends(counts_by(["x, <b>a</b>", "x, $b$"], ["<script>", "two"]), 1)
    assert figure.data[0].z.shape == (2, 2)
    shown = str(figure.to_dict())
    assert "<b>a" not in shown
    assert "<script>" not in shown
    assert "$b$" not in shown
