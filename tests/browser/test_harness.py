"""The harness itself: a cell runs, its widget answers a click, nothing outside is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import Notebook

pytestmark = pytest.mark.browser

CELL = """
import ipywidgets
pressed = []
button = ipywidgets.Button(description="Press")
button.on_click(lambda _: pressed.append(1))
button
"""


def test_a_click_reaches_the_kernel(lab: Callable[[str], Notebook]) -> None:
    notebook = lab("harness")
    output = notebook.run(CELL)
    output.get_by_role("button", name="Press").click()
    notebook.until("pressed == [1]")
    with pytest.raises(AssertionError, match="1/0: ZeroDivisionError"):
        notebook.python("1/0")
    with pytest.raises(AssertionError, match="NameError"):
        notebook.run("unknown")
    assert notebook.outside_requests() == []
    assert notebook.wrong == []
