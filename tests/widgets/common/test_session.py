"""One run at a time: in a thread, on the event loop, or here; what was left behind is not heard."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from clipnb.runner import RunState
from clipnb.widgets.common.session import Session

Until = Callable[..., None]


class Counter:
    """An engine that counts, and fails after a number if it has one."""

    def __init__(self, name: str, last: int = 3, fails: bool = False) -> None:
        self.name, self.last, self.fails = name, last, fails
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def steps(self) -> Iterator[str]:
        for number in range(self.last):
            yield f"{self.name}{number}"
            self.may_go_on.wait()
        if self.fails:
            raise ValueError("it broke")

    def update(self, config: None) -> None:
        """Take no change."""


class Recorded(Session[str, None]):
    def __init__(self, in_thread: bool | None = None) -> None:
        self.heard: list[str] = []
        self.states: list[RunState] = []
        self.threads: set[threading.Thread] = set()
        super().__init__(lambda: self.states.append(self.state), in_thread)

    def begin(self, engine: Counter) -> None:
        self._run(engine)

    def _stepped(self, step: str) -> None:
        self.heard.append(step)
        self.threads.add(threading.current_thread())


@pytest.mark.parametrize(("colab", "in_thread"), [(False, True), (True, False)])
def test_the_host_decides_where_a_run_works(colab: bool, in_thread: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    if colab:
        monkeypatch.setenv("COLAB_RELEASE_TAG", "1")
    assert Recorded().in_thread is in_thread
    assert Recorded(not in_thread).in_thread is not in_thread


def test_in_a_thread() -> None:
    session = Recorded(in_thread=True)
    assert (session.state, session.is_on, session.error) == (RunState.IDLE, False, None)
    session.join(1)
    session.begin(Counter("a"))
    session.join(30)
    assert session.heard == ["a0", "a1", "a2"]
    assert threading.main_thread() not in session.threads
    assert session.states[-1] is RunState.DONE


def test_on_the_event_loop() -> None:
    async def main() -> Recorded:
        session = Recorded(in_thread=False)
        session.begin(Counter("a"))
        assert session.heard == [], "others get their turn first"
        assert session.is_on
        await session.finished()
        return session

    session = asyncio.run(main())
    assert session.heard == ["a0", "a1", "a2"]
    assert session.threads == {threading.main_thread()}


def test_without_an_event_loop_it_is_done_at_once() -> None:
    session = Recorded(in_thread=False)
    session.begin(Counter("a"))
    assert session.heard == ["a0", "a1", "a2"]


@pytest.mark.parametrize("in_thread", [True, False])
def test_what_ends_a_run_is_kept_and_raised(in_thread: bool) -> None:
    async def main() -> None:
        session = Recorded(in_thread)
        session.begin(Counter("a", fails=True))
        with pytest.raises(ValueError, match="it broke"):
            await session.finished()
        assert isinstance(session.error, ValueError)
        assert session.state is RunState.FAILED
        session.begin(Counter("b"))
        await session.finished()
        assert session.error is None

    asyncio.run(main())


def test_what_a_run_that_was_left_behind_reports_is_ignored(until: Until) -> None:
    session, old, others = Recorded(in_thread=True), Counter("old", last=10, fails=True), {*threading.enumerate()}
    old.may_go_on.clear()
    session.begin(old)
    until(lambda: session.heard == ["old0"])
    session.begin(Counter("new"))
    session.join(30)
    states = list(session.states)
    old.may_go_on.set()
    until(lambda: not any(thread.name == "clipnb-run" for thread in {*threading.enumerate()} - others))
    assert session.heard == ["old0", "new0", "new1", "new2"]
    assert (session.states, session.error) == (states, None)
