"""What all panels share: mistakes are shown, and widgets are changed in one thread."""

from __future__ import annotations

import asyncio
import html
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from clipnb.errors import ConfigError
from clipnb.runner import RunState
from clipnb.widgets.common.panel import Panel
from clipnb.widgets.common.toolbar import Toolbar


def fail() -> Any:
    raise ConfigError("<b>a mistake</b>")


def in_a_thread(action: Callable[[], None]) -> None:
    thread = threading.Thread(target=action)
    thread.start()
    thread.join()


def test_a_buttons_mistake_is_shown_until_the_next_click() -> None:
    panel = Panel()
    panel.button("Fail", "", "", fail).click()
    assert "&lt;b&gt;a mistake&lt;/b&gt;" in panel.message.value
    panel.button("Go", "", "", lambda: None).click()
    assert panel.message.value == ""


@pytest.mark.parametrize("at_once", [False, True])
def test_a_click_in_another_thread_acts_on_the_event_loop_or_at_once(at_once: bool) -> None:
    seen: list[threading.Thread] = []

    async def main() -> None:
        button = Panel().button("x", "", "", lambda: seen.append(threading.current_thread()), at_once=at_once)
        in_a_thread(button.click)
        assert len(seen) == at_once
        await asyncio.sleep(0)

    asyncio.run(main())
    assert [thread is threading.main_thread() for thread in seen] == [not at_once]


def test_values_are_heard_on_the_event_loop_and_mistakes_shown() -> None:
    seen: list[object] = []

    async def main() -> Panel:
        panel, field = Panel(), ipywidgets.Text()
        panel.on_value(field, seen.append)
        in_a_thread(lambda: field.set_trait("value", "a"))
        assert seen == []
        await asyncio.sleep(0)
        panel.on_value(field, lambda _: fail())
        field.value = "b"
        return panel

    assert "a mistake" in asyncio.run(main()).message.value
    assert seen == ["a", "b"]


def test_slow_work_is_done_aside_and_its_end_told_on_the_event_loop_in_any_case() -> None:
    seen: list[tuple[threading.Thread, threading.Thread]] = []

    async def ended(panel: Panel, work: Callable[[], threading.Thread]) -> None:
        end = asyncio.Event()
        panel.aside(work, lambda worker: seen.append((worker, threading.current_thread())), end.set)
        await asyncio.wait_for(end.wait(), 30)

    async def main() -> Panel:
        panel = Panel()
        await ended(panel, threading.current_thread)
        assert panel.message.value == ""
        await ended(panel, fail)
        return panel

    assert "a mistake" in asyncio.run(main()).message.value
    ((worker, teller),) = seen
    assert worker is not teller
    assert teller is threading.main_thread()


def test_a_toolbar_allows_what_makes_sense_and_shows_the_state() -> None:
    toolbar = Toolbar({"go": ipywidgets.Button(), "stop": ipywidgets.Button()})
    toolbar.show_state(RunState.RUNNING, ["stop"])
    assert (toolbar["go"].disabled, toolbar["stop"].disabled) == (True, False)
    assert ("running" in toolbar.lamp.value, toolbar.bar.bar_style) == (True, "")
    toolbar.show_state(RunState.FAILED, ["go"])
    assert (toolbar["go"].disabled, toolbar["stop"].disabled) == (False, True)
    assert ("failed" in toolbar.lamp.value, toolbar.bar.bar_style) == (True, "danger")
    toolbar.show_progress(3, 0, "<3> of 0")
    assert (toolbar.bar.value, toolbar.bar.max) == (1, 1), "a bar holds no more than its end"
    assert "&lt;3&gt; of 0" in toolbar.count.value


WITHOUT_ANYWIDGET = """
import sys
sys.modules["anywidget"] = None
import clipnb
live, tags = clipnb.live("a cat"), clipnb.tag_panel(["a, b, c", "d, b, c"])
print(live.chart.is_live, type(live.init_image.upload).__name__, tags.graph.is_live)
"""


def test_panels_open_where_there_is_no_anywidget() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_ANYWIDGET], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("False PlainUpload False\n", 0), done.stderr


def test_an_unknown_mistake_has_details_for_a_report_without_the_home_folder() -> None:
    class Written(Panel):
        def written(self) -> str:
            return f"image: {Path.home()}/cat.png"

    def break_down() -> None:
        raise ZeroDivisionError(f"{Path.home()}/<b>secret</b>")

    panel = Written()
    panel.attempt(break_down)
    shown = html.unescape(panel.message.value)
    assert "ZeroDivisionError: ~/<b>secret</b>" in shown
    assert "image: ~/cat.png" in shown
    assert f"python {sys.version.split()[0]}" in shown
    assert "break_down: raise ZeroDivisionError" in shown
    assert str(Path.home()) not in shown.partition("<details>")[2]
    assert "<b>" not in panel.message.value


def test_a_mistake_of_the_user_needs_no_report() -> None:
    panel = Panel()
    panel.attempt(fail)
    assert "<details>" not in panel.message.value
