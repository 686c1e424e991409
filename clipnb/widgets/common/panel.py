"""What all panels have in common: a line for messages, guarded buttons, a slot for links, a still output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import ipywidgets as w

from clipnb import html
from clipnb.widgets.common.event_loop import LoopThread
from clipnb.widgets.common.still import Still

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Panel(w.VBox):  # type: ignore[misc]
    """A panel that shows mistakes instead of losing them, and that `connect` can join to others.

    A subclass calls `super().__init__()` first, lays out `message` and `links` among its own widgets, and names
    what it gives and takes: a kind of thing ("prompt", "picture") -> the trait that holds it.

    Attributes:
        called: what people read, such as "live panel".
        gives: what other panels can be sent; an empty text or None means that there is none yet.
        takes: what other panels can send here; setting the trait is all that they do.
        message: HTML of the last mistake or word.
        links: buttons that send something to other panels.
        loop_thread: where widgets are changed, whatever thread asks for it.
    """

    called: ClassVar[str] = "panel"
    gives: ClassVar[Mapping[str, str]] = _NOTHING
    takes: ClassVar[Mapping[str, str]] = _NOTHING

    def __init__(self, **traits: Any) -> None:
        self.message = w.HTML()
        self.links = w.HBox().add_class("clipnb-row").add_class("clipnb-links")
        self.loop_thread = LoopThread()
        self._still = Still()
        super().__init__(**traits)
        self.add_class("clipnb-panel")

    def say(self, words_: str) -> None:
        """Show a plain word in the message line; safe from any thread."""
        self.message.value = html.notice(words_)

    def offered(self, kind: str) -> Any:
        """Give what is sent to another panel when somebody asks for it now.

        Args:
            kind: one of `gives`.

        Returns:
            The value of its trait.
        """
        return getattr(self, self.gives[kind])

    def guarded(self, action: Callable[[], None]) -> None:
        """Do something for a button; a mistake goes to the message line, since nobody sees exceptions of buttons."""
        self.message.value = ""
        self._attempt(action)

    def hand_over(self, action: Callable[[], None]) -> None:
        """Let the thread that hears clicks change widgets; safe from any thread. A mistake goes to the message line."""
        self.loop_thread.do(lambda: self._attempt(action))

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 - would vanish otherwise
            self.message.value = html.problem(html.error_text(error))

    def guard(self, action: Callable[[], None]) -> Callable[[], None]:
        """Make of an action what a button can call."""
        return lambda: self.guarded(action)

    def _ipython_display_(self, **kwargs: Any) -> None:
        """Show the panel, and keep a place below it for what stays in a saved notebook."""
        fallback = f"The {self.called} of clipnb: run this cell to use it."
        if hasattr(super(), "_repr_mimebundle_"):
            from IPython.display import display

            display({**super()._repr_mimebundle_(**kwargs), "text/plain": fallback}, raw=True)
        else:  # ipywidgets 7
            super()._ipython_display_(**kwargs)
        self._still.place()
