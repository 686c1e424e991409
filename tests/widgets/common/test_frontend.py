"""What goes to the browser: small programs, large scripts once."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import ipywidgets
import pytest

pytest.importorskip("anywidget")

from clipnb.tags.drawing import choose_drawing
from clipnb.tags.graph import build_graph
from clipnb.tags.page import library
from clipnb.widgets.common.frontend import carrier_of
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.tags.graph import TagNetwork


def ignore(_: Any) -> None:
    """Take a click."""


def test_all_graphs_share_one_copy_of_the_library() -> None:
    first, second = TagNetwork(Panel(), ignore, ignore), TagNetwork(Panel(), ignore, ignore)
    assert first.library == second.library
    carried = carrier_of(library)
    assert first.library == carried.model_id
    assert gzip.decompress(base64.b64decode(carried.value)).decode() == library()
    assert len(carried.value) < 250_000
    first.draw(choose_drawing(build_graph([f"x, t{i}, t{i + 1}" for i in range(300)]), 100), [], None)
    assert len(json.dumps(first.get_state(), default=str)) < 60_000


def test_a_library_is_carried_anew_when_all_widgets_were_closed() -> None:
    old = carrier_of(library)
    ipywidgets.Widget.close_all()
    new = carrier_of(library)
    assert new is not old
    assert TagNetwork(Panel(), ignore, ignore).library == new.model_id
