"""What all panels have in common: guarded buttons and values, a line for messages, a slot for links, a still output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

import ipywidgets as w
import traitlets

from clipnb import html
from clipnb.errors import ClipnbError, printable
from clipnb.runner import start_daemon
from clipnb.widgets.common.event_loop import LoopThread, keep_order
from clipnb.widgets.common.frontend import OneWay, OneWayHTML, style, third_party_widgets_load
from clipnb.widgets.common.helper import PanelHelper
from clipnb.widgets.common.lifetime import stay_until_run_again, widgets_of
from clipnb.widgets.common.report import report
from clipnb.widgets.common.still import Still

T = TypeVar("T")
_LONGEST = 10_000  # characters of HTML in the message line before a further mistake begins it anew
_IN_MARIMO = (
    "The {} of clipnb is made of ipywidgets, which marimo does not show. It shows in JupyterLab (`clipnb lab`), "
    "Notebook, VS Code, Colab and Kaggle, or as a page of its own (`clipnb app`). "
    "What clipnb does in marimo stands in its notebooks, in `marimo/start.py`."
)
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Panel(OneWay, w.VBox):  # type: ignore[misc]
    """A panel that shows mistakes instead of losing them, and that `connect` can join to others.

    A subclass calls `super().__init__()` first and lays out `message` and `links` among its own widgets. The parts
    that it is made of take the panel: for buttons, messages, and the thread in which widgets are changed.

    Attributes:
        called: name for people, such as "live panel".
        gives: what other panels can be sent: a kind ("prompt", "picture") -> the trait that holds it.
        takes: what other panels can send: a kind -> the trait that is set.
        message: HTML of the last mistake or notice.
        links: buttons that send something to other panels.
        loop_thread: the thread in which widgets are changed.
    """

    called: ClassVar[str] = "panel"
    gives: ClassVar[Mapping[str, str]] = _NOTHING
    takes: ClassVar[Mapping[str, str]] = _NOTHING

    def __init__(self, **traits: Any) -> None:
        self.message = OneWayHTML()
        self.links = _Links().add_class("clipnb-row").add_class("clipnb-links")
        self.loop_thread = LoopThread()
        self._helper = PanelHelper(self.loop_thread) if third_party_widgets_load() else None
        self._still = Still()
        self._is_closed = False
        super().__init__(**traits)
        self.add_class("clipnb-panel")
        stay_until_run_again(self)

    @traitlets.observe("children")
    def _keep_order(self, _: object = None) -> None:
        """See `keep_order`: when the panel is laid out, also in tabs and boxes of others, and when it is shown."""
        keep_order(widgets_of(self, Panel))

    def close(self) -> None:
        """End the run that is on, and close all widgets of the panel; the last picture stays in the cell's output."""
        self._is_closed = True
        session = getattr(self, "session", None)  # none yet where a panel could not be made
        if session is not None:
            session.stop()
        for widget in list(widgets_of(self, Panel)):
            if widget is not self:
                widget.close()
        super().close()

    def hidden(self, *more: str) -> w.Box:
        """Return a widget without room that brings the style sheets, further ones by name, and what helps in a page."""
        helper = [] if self._helper is None else [self._helper]
        return w.Box([style(*more), *helper], layout={"display": "none"})

    def show_frame(self, draw: Callable[[], None], *, always: bool = False) -> None:
        """Draw a frame, unless the one before is still on its way to the page; safe from any thread."""
        if self._helper is None:
            draw()
        elif always or self._helper.keeps_up:
            draw()
            self._helper.ask()

    def button(
        self, name: str, icon: str, tooltip: str, action: Callable[[], None], *, at_once: bool = False, **traits: Any
    ) -> w.Button:
        """Return a button whose mistakes are shown.

        It acts on the event loop, where alone widgets that depend on others may be changed; or at once, in whatever
        thread hears the click, which may work while a cell keeps the kernel busy.
        """
        made, act = w.Button(description=name, icon=icon, tooltip=tooltip, **traits), partial(self.guarded, action)
        made.on_click(lambda _: act() if at_once else self.hand_over(act))
        return made

    def on_value(self, widget: Any, action: Callable[[Any], None]) -> None:
        """Call an action with every new value of a widget, on the event loop; mistakes are shown."""
        widget.observe(lambda change: self.hand_over(lambda: action(change["new"])), "value")

    def on_enter(self, field: Any, action: Callable[[str], None]) -> None:
        """Call an action with what a text field holds when Enter is pressed there, empty or not; mistakes are shown."""

        def hear(_: Any, content: object, _buffers: object) -> None:
            if content == {"event": "submit"}:
                self.hand_over(partial(self.guarded, lambda: action(field.value.strip())))

        field.on_msg(hear)

    def show_notice(self, text: str) -> None:
        """Show a notice in the message line; safe from any thread."""
        self.message.value = html.notice(printable(text))

    def show_problem(self, problem: str | BaseException, *, below: bool = False, said: str = "") -> None:
        """Show a mistake in the message line, in place of what is there or below it; safe from any thread.

        One that is not of ours comes with details for a report; `said` goes before what it says itself.
        """
        text, details = problem if isinstance(problem, str) else html.error_text(problem), ""
        if not isinstance(problem, (str, ClipnbError)):
            details = printable(report(problem, self.written()))
        before = self.message.value if below and len(self.message.value) < _LONGEST else ""
        self.message.value = before + html.problem(printable(said + text), report=details)

    def written(self) -> str:
        """Return what the panel is asked for now, as text for a report."""
        return ""

    def offered(self, kind: str) -> Any:
        """Return what another panel is sent now: the trait of a kind in `gives`; "" or None when there is none yet."""
        return getattr(self, self.gives[kind])

    def guarded(self, action: Callable[[], None]) -> None:
        """Clear the message line and act; nobody sees exceptions of buttons, so they are shown there."""
        self.message.value = ""
        self.attempt(action)

    def attempt(self, action: Callable[[], None], *, below: bool = False) -> None:
        """Act, and show what goes wrong, in place of what is in the message line or below it; not once it is closed."""
        if self._is_closed:  # what threads and clicks hand over may come later than that
            return
        try:
            action()
        except Exception as error:  # noqa: BLE001 - would vanish otherwise
            self.show_problem(error, below=below)

    def hand_over(self, action: Callable[[], None]) -> None:
        """Act in the thread that hears clicks, now or soon; safe from any thread. What goes wrong is shown."""
        self.loop_thread.do(lambda: self.attempt(action))

    def aside(self, work: Callable[[], T], then: Callable[[T], None], after: Callable[[], None] = lambda: None) -> None:
        """Do slow work, such as a download, in a thread of its own; then use its result in the one that hears clicks.

        What goes wrong in either is shown; `after` is called at the end in any case.
        """

        def run() -> None:
            finish: Callable[[], None]
            try:
                finish = partial(then, work())
            except Exception as error:  # noqa: BLE001 - shown in the thread that may change widgets
                finish = partial(self.show_problem, error)
            self.hand_over(lambda: self.guarded(finish))
            self.hand_over(after)

        start_daemon(run, "clipnb-aside")

    def _display_(self) -> Any:
        """Return what marimo shows, which asks for this: a word on what is missing there, and what is not."""
        marimo = sys.modules["marimo"]
        word = marimo.callout(marimo.md(_IN_MARIMO.format(self.called)), kind="info")
        return marimo.vstack([word, *self.parts()])

    def parts(self) -> Sequence[Any]:
        """Return what of the panel shows where ipywidgets do not."""
        return ()

    def _ipython_display_(self, **kwargs: Any) -> None:
        stay_until_run_again(self)
        self._keep_order()
        fallback = f"The {self.called} of clipnb: run this cell to use it."
        if hasattr(super(), "_repr_mimebundle_"):
            from IPython.display import display

            display({**super()._repr_mimebundle_(**kwargs), "text/plain": fallback}, raw=True)
        else:  # ipywidgets 7
            super()._ipython_display_(**kwargs)
        self._still.place()


class _Links(OneWay, w.HBox):  # type: ignore[misc]
    """A row of buttons that a browser cannot put others into."""
