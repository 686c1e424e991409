"""A field that finds tags while one types, and looks at the first at Enter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from clipnb.widgets.common.event_loop import on_loop


class TagSearch:
    """Tells what is searched for.

    Attributes:
        field: what to put into a panel; its `value` is what is searched for.
    """

    def __init__(self, find: Callable[[str], None], enter: Callable[[str], None]) -> None:
        """Take who is told.

        Args:
            find: at every change; an empty text ends the search.
            enter: when Enter is pressed.
        """
        self._enter = enter
        self.field = w.Text(placeholder="find a tag", layout={"width": "auto", "flex": "1 1 200px"})
        self.field.observe(on_loop(lambda change: find(change["new"].strip())), "value")
        self.field.on_msg(on_loop(self.take))

    def take(self, _: Any, content: dict[str, Any], buffers: Any) -> None:
        """Take a message of the browser."""
        del buffers
        text = self.field.value.strip()
        if content.get("event") == "submit" and text:
            self._enter(text)
