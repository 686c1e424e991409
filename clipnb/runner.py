"""Drives any engine that yields steps: in a plain loop, in a thread, or on the event loop of a notebook.

An engine is anything with `steps()`, a generator that may be asked again after it was left, and `update(config)`.
Controls may be used from any thread. In a thread, `on_step` should only set traits, never print or display.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from enum import Enum
from typing import Generic, Protocol, TypeVar

_PATIENCE = 10.0  # seconds that the end of a program waits for a thread that works

StepT = TypeVar("StepT")
StepT_co = TypeVar("StepT_co", covariant=True)
ConfigT = TypeVar("ConfigT")
ConfigT_contra = TypeVar("ConfigT_contra", contravariant=True)


class Engine(Protocol[StepT_co, ConfigT_contra]):
    """What a runner can drive."""

    def steps(self) -> Iterator[StepT_co]:
        """Yield after every step; asked again, go on."""

    def update(self, config: ConfigT_contra) -> None:
        """Use another config from the next step on; the newest wins."""


class RunState(Enum):
    """Where a run is in its life."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether no further step will come."""
        return self in (RunState.STOPPED, RunState.DONE, RunState.FAILED)


class Runner(Generic[StepT, ConfigT]):
    """One run of an engine, with pause, resume, stop and change.

    Attributes:
        error: what ended the run, or None. It stays here and is raised again by `join`.
        newest: the last step that was made, or None.
    """

    def __init__(
        self,
        engine: Engine[StepT, ConfigT],
        on_step: Callable[[StepT], None] | None = None,
        on_state: Callable[[RunState], None] | None = None,
    ) -> None:
        """Prepare a run of an engine; `on_step` and `on_state` are called in the thread that works."""
        self.error: BaseException | None = None
        self.newest: StepT | None = None
        self._engine = engine
        self._on_step, self._on_state = on_step, on_state
        self._state = RunState.IDLE
        self._lock = threading.RLock()
        self._go, self._over = threading.Event(), threading.Event()
        self._go.set()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> RunState:
        """Where the run is in its life."""
        return self._state

    def run(self) -> StepT | None:
        """Run in this thread until the end or until stopped, and return the last step; raise whatever ended the run."""
        self._begin()
        self._loop()
        return self.join()

    def start_thread(self) -> None:
        """Run in a thread of its own."""
        self._begin()
        self._thread = start_daemon(self._loop, "clipnb-run", self.stop)

    def start_task(self) -> asyncio.Task[None]:
        """Run on the event loop of this thread (RuntimeError without one), which gets its turn after every step.

        Returns:
            The task; awaiting it waits for the end, errors are kept for `join`.
        """
        loop = asyncio.get_running_loop()
        self._begin()
        self._task = loop.create_task(self._loop_between_others())
        return self._task

    def pause(self) -> None:
        """Wait after the present step until resumed; a run that was told to stop ends all the same."""
        with self._lock:
            if self._state is RunState.RUNNING and not self._stopping:
                self._go.clear()
                self._become(RunState.PAUSED)

    def resume(self) -> None:
        """Go on after a pause."""
        with self._lock:
            if self._state is RunState.PAUSED:
                self._become(RunState.RUNNING)
                self._go.set()

    def stop(self) -> None:
        """End the run after the present step; a run that is paused ends at once."""
        with self._lock:
            self._stopping = True
            self._go.set()

    def change(self, config: ConfigT) -> None:
        """Use another config from the engine's next step on; of several the newest wins."""
        self._engine.update(config)

    def join(self, timeout: float | None = None) -> StepT | None:
        """Wait for the end, and return the last step; raise whatever ended the run, or TimeoutError.

        Args:
            timeout: in seconds; None waits for ever. On the thread of an event loop that drives the run, await its
                task first: waiting here would keep it from running.
        """
        if not self._over.wait(timeout):
            raise TimeoutError(f"the run did not end within {timeout} seconds")
        if self.error is not None:
            raise self.error
        return self.newest

    def _begin(self) -> None:
        with self._lock:
            if self._state is not RunState.IDLE:
                raise RuntimeError("a runner runs once; make another one to go on with the engine")
            self._become(RunState.RUNNING)

    def _loop(self) -> None:
        with self._ending():
            for step in self._engine.steps():
                self._take(step)
                self._go.wait()
                if self._stopping:
                    break

    async def _loop_between_others(self) -> None:
        with self._ending():
            for step in self._engine.steps():
                self._take(step)
                await asyncio.sleep(0)
                while not self._go.is_set():
                    await asyncio.sleep(0.02)
                if self._stopping:
                    break

    @contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
            self._become(RunState.STOPPED if self._stopping else RunState.DONE)
        except asyncio.CancelledError:
            self._stopping = True
            self._become(RunState.STOPPED)
            raise
        except BaseException as error:  # noqa: BLE001 - kept, and raised again by join()
            self.error = error
            self._become(RunState.FAILED)
        finally:
            self._over.set()

    def _take(self, step: StepT) -> None:
        self.newest = step
        if self._on_step is not None:
            self._on_step(step)

    def _become(self, state: RunState) -> None:
        with self._lock:
            self._state = state
        if self._on_state is not None:
            self._on_state(state)


def start_daemon(work: Callable[[], None], name: str, stop: Callable[[], None] | None = None) -> threading.Thread:
    """Start a thread that does not keep a program from ending: it is told to stop then, and waited for a while.

    It knows the context variables of whoever starts it. One that still computes while the interpreter is taken down
    would end the process with "terminate called".
    """
    context = copy_context()

    def run() -> None:
        try:
            context.run(work)
        finally:
            atexit.unregister(end)

    def end() -> None:
        if stop is not None:
            stop()
        thread.join(_PATIENCE)

    thread = threading.Thread(target=run, name=name, daemon=True)
    atexit.register(end)
    thread.start()
    return thread


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, such as a notebook's kernel's; None without one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
