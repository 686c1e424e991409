"""Numbers as bars in HTML."""

from __future__ import annotations

import re

from clipnb.interrogate.result import Reason
from clipnb.widgets.interrogate.results import reason_bars

STYLED = re.compile(r"margin-left: ([\d.]+)%; width: ([\d.]+)%")


def test_phrases_grow_from_the_middle_and_the_first_has_no_bar() -> None:
    added = {"a cat": 0.5, "fur": 0.04, "<b>steel</b>": -0.02, "wool": 0.0}
    page = reason_bars([Reason(phrase, "flavors", 0.5, value) for phrase, value in added.items()])
    assert [tuple(map(float, found)) for found in STYLED.findall(page)] == [(50, 50), (25, 25), (50, 0)]
    assert re.findall(r"<b>(.*?)</b>", page) == ["50.0", "+4.0", "-2.0", "+0.0"]
    assert "<i></i><b>50.0</b>" in page
    assert "&lt;b&gt;steel&lt;/b&gt;" in page
    assert page.count("clipnb-less") == 1


def test_nothing_that_was_added_is_no_mistake() -> None:
    assert "%" not in reason_bars([])
    assert STYLED.findall(reason_bars([Reason("a cat", "caption", 0.5, 0.5), Reason("x", "y", 0.5, 0.0)])) == [
        ("50.0", "0.0")
    ]
