"""`clipnb.connect()`: a button on one panel that sends what it has to another."""

from __future__ import annotations

from itertools import chain, count
from typing import Any

import ipywidgets as w

from clipnb import html
from clipnb.errors import ClipnbError, ConfigError
from clipnb.widgets.common.panel import Panel

_POSSIBLE = (
    "a prompt goes from an interrogation, tag or dataset panel to a live panel or a tag panel, "
    "a picture from a live or dataset panel to an interrogation panel, a tag from a tag panel to a dataset panel"
)
_FOLLOWED = ("tag",)  # kinds that are sent at every change too: looking at a tag is a click already
_LONGEST = 80  # characters of a prompt that a message repeats


class Connection(w.Button):  # type: ignore[misc]
    """A button among the `links` of a panel; pressed, it sets a trait of another panel.

    Attributes:
        source: the panel with the button.
        target: the panel that gets something.
        kind: what is sent, such as "prompt".
    """

    def __init__(self, source: Panel, target: Panel, kind: str) -> None:
        """See `connect`."""
        self.source, self.target, self.kind = source, target, kind
        taken = [child.description for child in source.links.children]
        wished = f"Send {kind} to {target.called}"
        name = next(name for name in chain([wished], (f"{wished} {n}" for n in count(2))) if name not in taken)
        super().__init__(description=name, icon="share", tooltip=f"what is here now; the {target.called} shows it")
        self.on_click(lambda _: source.loop_thread.do(lambda: source.guarded(self._send)))
        source.links.children = (*source.links.children, self)
        if kind in _FOLLOWED:
            source.observe(self._follow, source.gives[kind])

    def _follow(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self.source.loop_thread.do(lambda: self.source.attempt(self._send))

    def _send(self) -> None:
        source, target = self.source, self.target
        value = source.offered(self.kind)
        if value is None or value == "":
            raise ConfigError(f"there is no {self.kind} to send yet; the {source.called} has not made one")
        quoted = f": {html.cut(value, _LONGEST)}" if isinstance(value, str) else ""
        target.message.value = ""
        setattr(target, target.takes[self.kind], value)
        if not target.message.value:  # a mistake that it shows instead stays
            target.show_notice(f"got a {self.kind} from the {source.called}{quoted}")
        source.show_notice(f"sent the {self.kind} to the {target.called}{quoted}")

    def disconnect(self) -> None:
        """Take the button away; harmless when it is gone already."""
        if self in self.source.links.children and self.kind in _FOLLOWED:
            self.source.unobserve(self._follow, self.source.gives[self.kind])
        self.source.links.children = tuple(child for child in self.source.links.children if child is not self)


def connect(source: Any, target: Any) -> Connection:
    """Put a button on a panel that sends its prompt, picture or tag to another panel.

    A tag is also sent whenever another one is looked at, such as by a click in the graph. For the others,
    without a button, at every change, `traitlets.dlink((tags, "prompt"), (live, "text"))` does the same.

    Args:
        source: a panel that gives something: a prompt (interrogation, tags, dataset), a picture (live, dataset) or
            a tag (tags).
        target: a panel that takes it: a prompt (live, tags), a picture (interrogation) or a tag (dataset).

    Returns:
        The button; its `disconnect()` takes it away. Connecting two panels again, as when a cell runs twice, returns
        the button that is there.

    Raises:
        ClipnbError: these two cannot be connected; the message names what can.
    """
    for given in (source, target):
        if not isinstance(given, Panel):
            raise ClipnbError(f"connect takes two panels, and {type(given).__name__} is none: {_POSSIBLE}")
    kind = next((kind for kind in source.gives if kind in target.takes), None)
    if kind is None:
        raise ClipnbError(f"{_said(source, 'gives')} and {_said(target, 'takes')}; {_POSSIBLE}")
    there = (child for child in source.links.children if (child.target, child.kind) == (target, kind))
    return next(there, None) or Connection(source, target, kind)


def _said(panel: Panel, verb: str) -> str:
    return f"the {panel.called} {verb} {' and '.join(f'a {kind}' for kind in getattr(panel, verb)) or 'nothing'}"
