"""Two pictures compared, in one place or side by side."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from clipnb.widgets.common.comparison import make_comparison

RED, BLUE = (Image.new("RGB", (40, 20), colour) for colour in ("red", "blue"))


def test_both_are_sent_with_their_names() -> None:
    pytest.importorskip("anywidget")
    make = make_comparison(dragged=True)
    make.show_left(RED, "before")
    make.show_right(BLUE, "after")
    comparison = make.widget
    assert (comparison.left_label, comparison.right_label) == ("before", "after")
    red, green, blue = Image.open(BytesIO(comparison.left)).getpixel((5, 5))
    assert red > 200 > max(green, blue)


def test_where_no_such_widget_loads_they_are_side_by_side() -> None:
    comparison = make_comparison(dragged=False)
    comparison.show_right(BLUE, "after")
    comparison.show_left(RED, "before")
    sheet = Image.open(BytesIO(comparison.widget.value))
    left, right = sheet.getpixel((20, 22)), sheet.getpixel((sheet.width // 2 + 20, 22))
    assert left[0] > 200 > left[2]
    assert right[2] > 200 > right[0]
