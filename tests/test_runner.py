from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from clipnb.runner import Runner, RunState, running_loop


class Counter:
    """An engine that counts, as long as its config says."""

    def __init__(self, total: int = 5, fail_at: int | None = None, pause: float = 0.0) -> None:
        self.total, self.index, self.fail_at, self.pause = total, 0, fail_at, pause

    def steps(self) -> Iterator[int]:
        while self.index < self.total:
            if self.index == self.fail_at:
                raise ValueError("it broke")
            time.sleep(self.pause)
            self.index += 1
            yield self.index

    def update(self, config: int) -> None:
        self.total = config


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.002)


def wait_for(state: RunState, runner: Runner[int, int]) -> None:
    wait_until(lambda: runner.state is state)


def test_a_plain_loop_shows_every_step_and_returns_the_last() -> None:
    seen: list[int] = []
    states: list[RunState] = []
    runner = Runner(Counter(), seen.append, states.append)
    assert runner.run() == 5
    assert seen == [1, 2, 3, 4, 5]
    assert states == [RunState.RUNNING, RunState.DONE]


def test_an_error_is_kept_and_raised_by_join() -> None:
    runner = Runner(Counter(fail_at=2))
    runner.start_thread()
    with pytest.raises(ValueError, match="it broke"):
        runner.join(300)
    assert runner.state is RunState.FAILED
    assert runner.newest == 2


def test_an_error_of_the_callers_function_ends_the_run_and_is_kept() -> None:
    def broken(step: int) -> None:
        raise KeyError(step)

    runner = Runner(Counter(), broken)
    runner.start_thread()
    with pytest.raises(KeyError):
        runner.join(300)


def test_a_pause_does_not_hold_a_run_that_was_told_to_stop() -> None:
    def stepped(step: int) -> None:  # as a single step pauses by itself, when Stop was clicked meanwhile
        runner.stop()
        runner.pause()

    runner = Runner(Counter(), stepped)
    runner.start_thread()
    assert runner.join(300) == 1
    assert runner.state is RunState.STOPPED


def test_pause_holds_and_resume_goes_on_in_a_thread() -> None:
    engine = Counter(10**9, pause=0.001)
    runner = Runner(engine)
    runner.start_thread()
    runner.pause()
    wait_for(RunState.PAUSED, runner)
    held = engine.index
    time.sleep(0.05)
    assert engine.index <= held + 1  # the step at hand ends
    runner.resume()
    wait_for(RunState.RUNNING, runner)
    wait_until(lambda: engine.index > held + 1)
    runner.stop()
    runner.join(300)
    assert runner.state is RunState.STOPPED


def test_stop_ends_a_paused_run_and_the_engine_can_go_on_in_another() -> None:
    engine = Counter(10**9, pause=0.001)
    runner = Runner(engine)
    runner.start_thread()
    runner.pause()
    runner.stop()
    runner.join()
    assert runner.state is RunState.STOPPED
    engine.total = engine.index + 5
    assert Runner(engine).run() == engine.total


def test_the_newest_change_wins() -> None:
    engine = Counter(10**9, pause=0.001)
    runner = Runner(engine)
    runner.start_thread()
    for total in (9000, 8000, 3):
        runner.change(total)
    assert runner.join(300) is not None
    assert engine.total == 3


def test_on_the_event_loop_others_get_their_turn() -> None:
    async def main() -> tuple[int | None, int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(other())
        runner = Runner(Counter(20))
        await runner.start_task()
        beside.cancel()
        return runner.join(0), turns

    last, turns = asyncio.run(main())
    assert last == 20
    assert turns >= 20


def test_pause_stop_and_errors_on_the_event_loop() -> None:
    async def main() -> None:
        runner = Runner(Counter(1000))
        task = runner.start_task()
        await asyncio.sleep(0)
        runner.pause()
        held = runner.newest
        await asyncio.sleep(0.05)
        assert runner.newest is not None
        assert held is not None
        assert runner.newest <= held + 1
        runner.stop()
        await task
        assert runner.state is RunState.STOPPED
        failing = Runner(Counter(fail_at=1))
        await failing.start_task()
        with pytest.raises(ValueError, match="it broke"):
            failing.join(0)

    asyncio.run(main())


def test_a_cancelled_task_counts_as_stopped() -> None:
    async def main() -> RunState:
        runner = Runner(Counter(10_000))
        task = runner.start_task()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return runner.state

    assert asyncio.run(main()) is RunState.STOPPED


def test_a_runner_runs_once_and_join_can_give_up() -> None:
    release = threading.Event()

    class Slow(Counter):
        def steps(self) -> Iterator[int]:
            release.wait()
            yield from super().steps()

    runner = Runner(Slow())
    runner.start_thread()
    with pytest.raises(RuntimeError, match="runs once"):
        runner.start_thread()
    with pytest.raises(TimeoutError):
        runner.join(0.01)
    release.set()
    assert runner.join(300) == 5


def test_the_running_loop_is_found_where_there_is_one() -> None:
    async def main() -> bool:
        return running_loop() is asyncio.get_running_loop()

    assert running_loop() is None
    assert asyncio.run(main())


ENDS = """
import sys, time, torch
from clipnb.runner import Runner, start_daemon

class Engine:
    def update(self, config): pass
    def steps(self):
        values = torch.rand(200, 200)
        while True:
            values = torch.softmax(values @ values, -1)
            yield values

runner = Runner(Engine())
runner.start_thread()
while runner.newest is None: time.sleep(0.01)
if sys.argv[1] == "paused": runner.pause()
if sys.argv[1] == "aside": start_daemon(lambda: [torch.softmax(torch.rand(300, 300), -1) for _ in range(500)], "aside")
print("done")
"""


@pytest.mark.parametrize("state", ["running", "paused", "aside"])
def test_a_program_ends_quietly_while_a_thread_computes(state: str) -> None:
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", ENDS, state], capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
