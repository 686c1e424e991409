"""Base of what panels drive: one run at a time, in a thread or on the event loop; the newest alone is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from clipnb.host import find_host
from clipnb.progress import advice_to, say
from clipnb.runner import Engine, Runner, RunState, running_loop

StepT = TypeVar("StepT")
ConfigT = TypeVar("ConfigT")


class Session(Generic[StepT, ConfigT]):
    """Runs of engines, one at a time; what a run that was left behind still reports is ignored.

    A subclass calls `_run` with an engine, and overrides `_stepped` and `_became`, which the run's thread calls.

    Attributes:
        in_thread: whether a run has a thread of its own or shares the event loop.
        on_advice: called with advice of what runs, perhaps in its thread; printed as it is.
    """

    def __init__(self, on_state: Callable[[], None], in_thread: bool | None = None) -> None:
        """Prepare without a run.

        Args:
            on_state: called after every change; it asks which state it is, so that order cannot lie.
            in_thread: by default what suits the host.
        """
        self.in_thread = find_host().shows_threads if in_thread is None else in_thread
        self._on_state = on_state
        self.on_advice: Callable[[str], None] = say
        self._runner: Runner[StepT, ConfigT] | None = None
        self._turn = 0

    @property
    def state(self) -> RunState:
        return RunState.IDLE if self._runner is None else self._runner.state

    @property
    def is_on(self) -> bool:
        """Whether a run is on, paused ones included."""
        return self.state in (RunState.RUNNING, RunState.PAUSED)

    @property
    def error(self) -> BaseException | None:
        """What ended the present run, or None."""
        return None if self._runner is None else self._runner.error

    def stop(self) -> None:
        """End the run after the present step."""
        if self._runner is not None:
            self._runner.stop()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of a run in a thread; raises what ended it, or TimeoutError after so many seconds."""
        if self._runner is not None:
            self._runner.join(timeout)

    async def finished(self) -> None:
        """Wait on the event loop for the end of the run; raises what ended it."""
        while self.is_on:
            await asyncio.sleep(0.02)
        self.join()  # its thread ends a moment after its state
        await asyncio.sleep(0)  # what was handed over to this thread is shown

    def _run(self, engine: Engine[StepT, ConfigT]) -> None:
        """Leave the present run behind and begin another one."""
        self._leave()
        turn = self._turn

        def stepped(step: StepT) -> None:
            if turn == self._turn:
                self._stepped(step)

        def became(state: RunState) -> None:
            if turn == self._turn:
                self._became(state)
                self._on_state()

        self._runner = runner = Runner(engine, stepped, became)
        with advice_to(self.on_advice):
            if self.in_thread:
                runner.start_thread()
            elif running_loop() is not None:
                runner.start_task()
            else:
                with suppress(Exception):  # kept by the runner, and shown from there
                    runner.run()

    def _leave(self) -> None:
        self._turn += 1
        self.stop()

    def _stepped(self, step: StepT) -> None:
        raise NotImplementedError

    def _became(self, state: RunState) -> None:
        """Take note of a new state; `on_state` is called after that."""
