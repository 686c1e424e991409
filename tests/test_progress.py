"""Progress is shown as a bar, or told to a listener that may end the work."""

from __future__ import annotations

import threading

import pytest

from clipnb.progress import advice_to, advise, progress_bar, progress_to
from clipnb.runner import start_daemon

Told = list[tuple[str, str, int, int]]


def work(*, quiet: bool = False) -> None:
    with progress_bar("Counting", "sheep", quiet=quiet) as report:
        for done in range(1, 4):
            report(done, 3)


def test_a_bar_unless_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    work()
    assert "Counting: 100%" in capsys.readouterr().err
    work(quiet=True)
    assert capsys.readouterr().err == ""


def test_a_listener_is_told_instead(capsys: pytest.CaptureFixture[str]) -> None:
    told: Told = []
    with progress_to(lambda *report: told.append(report)):
        work(quiet=True)
    assert told == [("Counting", "sheep", done, 3) for done in (1, 2, 3)]
    assert capsys.readouterr().err == ""
    work(quiet=True)
    assert len(told) == 3


def test_a_listener_ends_the_work_by_raising() -> None:
    told: Told = []

    def listen(*report: object) -> None:
        told.append(report)  # type: ignore[arg-type]
        raise InterruptedError

    with pytest.raises(InterruptedError), progress_to(listen):
        work()
    assert len(told) == 1


def test_other_threads_have_their_own_listener() -> None:
    mine: Told = []
    with progress_to(lambda *report: mine.append(report)):
        other = threading.Thread(target=work, kwargs={"quiet": True})
        other.start()
        other.join()
    assert mine == []


def test_advice_of_a_thread_comes_to_who_began_it(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    with advice_to(told.append):
        thread = start_daemon(lambda: advise("get a better one"), "adviser")
    thread.join()
    assert told == ["get a better one"]
    assert capsys.readouterr() == ("", "")
