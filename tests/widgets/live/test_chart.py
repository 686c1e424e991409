"""The chart, live and still."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from clipnb.widgets.live.chart import SimilarityChart
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
