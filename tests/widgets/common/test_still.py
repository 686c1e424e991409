"""Stills of panels: what they show is drawn, whatever signs the text has."""

from __future__ import annotations

import pytest

from clipnb.widgets.common.still import blank_figure, drawn


def test_emoji_are_drawn_as_boxes_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    figure = blank_figure(3, 1, 100)
    figure.text(0.1, 0.5, "a fox \N{FOX FACE}")
    picture = drawn(figure)
    assert picture.size == (300, 100)
    assert picture.getcolors() is None or len(picture.getcolors()) > 1
    assert not recwarn.list
