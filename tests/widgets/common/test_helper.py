"""What helps panels in a page: frames wait for the page's answer."""

from __future__ import annotations

from clipnb.widgets.common.event_loop import LoopThread
from clipnb.widgets.common.helper import PanelHelper


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_no_frame_follows_one_that_is_on_its_way() -> None:
    clock = Clock()
    helper = PanelHelper(LoopThread(), clock)
    for _ in range(3):
        helper.ask()
        assert helper.keeps_up, "no page has ever answered: perhaps there is none"
    helper.receive({"answered": 3})
    helper.ask()
    assert not helper.keeps_up
    helper.receive({"answered": 3})
    assert not helper.keeps_up, "it is the answer to an earlier one"
    helper.receive({"answered": 4})
    assert helper.keeps_up


def test_a_page_that_is_gone_is_asked_again_now_and_then() -> None:
    clock = Clock()
    helper = PanelHelper(LoopThread(), clock)
    helper.ask()
    helper.receive({"answered": 1})
    helper.ask()
    assert not helper.keeps_up
    clock.now = 6.0
    assert helper.keeps_up
    helper.ask()
    assert not helper.keeps_up


def test_what_is_no_answer_is_ignored() -> None:
    helper = PanelHelper(LoopThread())
    helper.ask()
    for content in (None, "answered", {}, {"answered": "1"}, {"answered": 99}, {"answered": -1}, {"answered": 1.0}):
        helper.receive(content)
    helper.receive({"answered": 1})
    helper.ask()
    assert not helper.keeps_up
