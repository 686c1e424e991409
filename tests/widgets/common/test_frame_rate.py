"""Frames come at most ten times a second, and take at most a tenth of the time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clipnb.widgets.common.frame_rate import FrameRate


class Clock:
    """A clock that tests set."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float) -> Callable[[], None]:
        def draw() -> None:
            self.now += seconds

        return draw


def test_frames_are_at_most_ten_a_second_and_a_tenth_of_the_time() -> None:
    clock = Clock()
    rate = FrameRate(0.1, clock)
    assert rate.is_due()
    rate.show(0, clock.work(0))
    clock.now = 0.09
    assert not rate.is_due()
    clock.now = 0.1
    assert rate.is_due()
    rate.show(5, clock.work(0.1))
    assert rate.rate == pytest.approx(25)
    clock.now = 0.9
    assert not rate.is_due()
    clock.now = 1.0
    assert rate.is_due()


@pytest.mark.parametrize("step", [0.001, 0.03, 0.07, 0.099])
def test_ten_frames_a_second_are_shown_whatever_a_step_takes(step: float) -> None:
    clock, frames = Clock(50.0), 0
    rate = FrameRate(0.1, clock)
    for index in range(round(10 / step)):
        clock.now += step
        if rate.is_due():
            rate.show(index, clock.work(0))
            frames += 1
    assert 99 <= frames <= 101


def test_a_pause_does_not_count_and_words_say_how_far_it_is() -> None:
    clock = Clock()
    rate = FrameRate(0.1, clock)
    rate.show(0, clock.work(0))
    clock.now = 1.0
    rate.show(2, clock.work(0))
    assert rate.words(3, 13) == "3 of 13 steps · 2 steps/s · 5 s left"
    assert rate.words(3, 3 + 2 * 90) == "3 of 183 steps · 2 steps/s · 1 min 30 s left"
    assert rate.words(3, 3 + 2 * 7260).endswith("2 h 01 min left")
    rate.rest()
    assert rate.words(3, 13) == "3 of 13 steps · 2 steps/s"
    clock.now = 100.0
    rate.show(3, clock.work(0))
    assert rate.rate == 2
