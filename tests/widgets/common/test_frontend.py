"""What goes to the browser: large scripts once for all widgets."""

from __future__ import annotations

import base64
import gzip

import ipywidgets
import pytest

pytest.importorskip("anywidget")

from clipnb.widgets.common.frontend import carrier_of


def script() -> str:
    """Return something large."""
    return "let a = 1;" * 1000


def test_all_widgets_share_one_copy_of_a_library() -> None:
    carried = carrier_of(script)
    assert carrier_of(script) is carried
    assert gzip.decompress(base64.b64decode(carried.value)).decode() == script()
    assert len(carried.value) < 200


def test_a_library_is_carried_anew_when_all_widgets_were_closed() -> None:
    old = carrier_of(script)
    ipywidgets.Widget.close_all()
    assert carrier_of(script) is not old
