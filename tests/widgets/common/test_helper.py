"""What helps panels in a page: frames wait for the page's answer."""

from __future__ import annotations

from clipnb.widgets.common.event_loop import LoopThread
from clipnb.widgets.common.helper import MOST_PAGES, PanelHelper


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def answered(number: object, page: object = 1) -> dict[str, object]:
    return {"answered": number, "page": page}


def test_no_frame_follows_one_that_is_on_its_way() -> None:
    helper = PanelHelper(LoopThread(), Clock())
    for _ in range(3):
        helper.ask()
        assert helper.keeps_up, "no page has ever answered: perhaps there is none"
    helper.receive(answered(3))
    helper.ask()
    assert not helper.keeps_up
    helper.receive(answered(3))
    assert not helper.keeps_up, "it is the answer to an earlier one"
    helper.receive(answered(4))
    assert helper.keeps_up


def test_the_slower_of_two_pages_is_waited_for() -> None:
    helper = PanelHelper(LoopThread(), Clock())
    helper.ask()
    helper.receive(answered(1, page=1))
    helper.ask()
    helper.receive(answered(2, page=1))
    helper.receive(answered(1, page=2))
    assert not helper.keeps_up
    helper.receive(answered(2, page=2))
    assert helper.keeps_up


def test_a_page_that_is_gone_is_asked_again_now_and_then() -> None:
    clock = Clock()
    helper = PanelHelper(LoopThread(), clock)
    helper.ask()
    helper.receive(answered(1))
    helper.ask()
    assert not helper.keeps_up
    clock.now = 6.0
    assert helper.keeps_up
    helper.ask()
    assert not helper.keeps_up


def test_one_page_of_two_that_is_gone_is_waited_for_once() -> None:
    clock = Clock()
    helper = PanelHelper(LoopThread(), clock)
    helper.ask()
    helper.receive(answered(1, page=1))
    helper.receive(answered(1, page=2))
    helper.ask()
    helper.receive(answered(2, page=1))
    assert not helper.keeps_up
    clock.now = 6.0
    assert helper.keeps_up
    helper.ask()
    helper.receive(answered(3, page=1))
    assert helper.keeps_up


def test_a_page_that_needs_long_for_a_frame_gets_no_second_one_meanwhile() -> None:
    clock = Clock()
    helper = PanelHelper(LoopThread(), clock)
    helper.ask()
    clock.now = 8.0
    helper.receive(answered(1))
    helper.ask()
    clock.now = 15.9
    assert not helper.keeps_up
    helper.receive(answered(2))
    assert helper.keeps_up


def test_what_is_no_answer_is_ignored() -> None:
    helper = PanelHelper(LoopThread())
    helper.ask()
    wrong = [
        answered("1"),
        answered(99),
        answered(-1),
        answered(1.0),
        answered(1, "1"),
        answered(1, -1),
        {"answered": 1},
    ]
    for content in (None, "answered", {}, *wrong):
        helper.receive(content)
    helper.ask()
    assert helper.keeps_up, "none is known that would have to answer"
    helper.receive(answered(1))
    assert not helper.keeps_up


def test_no_more_pages_are_waited_for_than_people_have() -> None:
    helper = PanelHelper(LoopThread(), Clock())
    helper.ask()
    for page in range(MOST_PAGES + 9):
        helper.receive(answered(1, page))
    helper.ask()
    for page in range(MOST_PAGES):
        assert not helper.keeps_up
        helper.receive(answered(2, page))
    assert helper.keeps_up
