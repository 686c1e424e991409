"""The chart, live and still."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from clipnb.optimise.statistics import Range, Statistics
from clipnb.optimise.verdict import PATIENCE, Look, Verdict
from clipnb.widgets.common.frontend import static
from clipnb.widgets.live.chart import COLOURS, SimilarityChart, statistics_table
from clipnb.widgets.live.history import Curve

CURVES = [Curve("a cat", (0, 1, 2), (10.0, 12.0, 15.0)), Curve("<a href='x'>$dog", (1, 2), (3.0, 2.0))]


def test_a_live_figure_follows() -> None:
    pytest.importorskip("anywidget")
    chart = SimilarityChart(live=True)
    chart.draw(CURVES[:1])
    chart.draw(CURVES)
    assert [trace["y"] for trace in chart.widget.data] == [[10.0, 12.0, 15.0], [3.0, 2.0]]
    assert "<a" not in chart.widget.data[1]["name"]
    chart.draw(CURVES[1:])
    assert [trace["x"] for trace in chart.widget.data] == [[1, 2]]


def test_every_colour_has_a_light_kind_for_dark_themes() -> None:
    program = static("plot.js")
    assert [colour for colour in COLOURS if f'"{colour}": "#' not in program] == []


def test_the_curve_of_a_judge_is_dashed_in_the_colour_of_its_text() -> None:
    pytest.importorskip("anywidget")
    chart = SimilarityChart(live=True)
    chart.draw([*CURVES, Curve("a cat", (0,), (9.0,), "second")])
    lines = [trace["line"] for trace in chart.widget.data]
    assert [line["dash"] for line in lines] == ["solid", "solid", "dash"]
    assert lines[2]["color"] == lines[0]["color"] != lines[1]["color"]
    assert chart.widget.data[2]["name"] == "second: a cat"
    still = SimilarityChart(live=False)
    still.draw(CURVES[:1])
    alone = still.widget.value
    still.draw([CURVES[0], Curve("a cat", (0, 2), (9.0, 3.0), "second")])
    assert still.widget.value != alone


def test_the_table_has_what_judges_saw_and_their_warning() -> None:
    look = Look("<i>cat", "second", 2.0, 1.0, 60.0, 1.0, fooled=PATIENCE)
    table = statistics_table(Statistics(1, Range(0, 0, 0), (), Verdict(0, (look,))))
    assert "the guide is being fooled" in table
    assert "judge second" in table
    assert "<i>" not in table
    calm = statistics_table(Statistics(1, Range(0, 0, 0), (), Verdict(0, (replace(look, fooled=0),))))
    assert "fooled" not in calm


def test_a_still_where_the_host_loads_no_third_party_widgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    assert not SimilarityChart().is_live


def test_a_still_where_plotly_cannot_be_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clipnb.widgets.common.frontend.find_spec", lambda name: None)
    chart = SimilarityChart()
    assert not chart.is_live
    empty = chart.widget.value
    chart.draw(CURVES)
    assert chart.widget.value != empty
    assert Image.open(BytesIO(chart.widget.value)).size[0] > 500
