"""What threads have to show is shown by the thread of the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from clipnb.widgets.common.event_loop import LoopThread


def in_a_thread(action: Callable[[], None]) -> None:
    thread = threading.Thread(target=action)
    thread.start()
    thread.join()


def test_a_thread_hands_over_and_this_one_acts_at_once() -> None:
    seen: list[tuple[str, threading.Thread]] = []

    async def main() -> None:
        loop_thread = LoopThread()
        in_a_thread(lambda: loop_thread.do(lambda: seen.append(("later", threading.current_thread()))))
        loop_thread.do(lambda: seen.append(("now", threading.current_thread())))
        await asyncio.sleep(0)

    asyncio.run(main())
    assert seen == [("now", threading.main_thread()), ("later", threading.main_thread())]


def test_without_an_event_loop_whoever_asks_does_it() -> None:
    seen: list[bool] = []
    loop_thread = LoopThread()
    in_a_thread(lambda: loop_thread.do(lambda: seen.append(threading.current_thread() is threading.main_thread())))
    assert seen == [False]

    async def main() -> LoopThread:
        return LoopThread()

    asyncio.run(main()).do(lambda: seen.append(True))
    assert seen == [False, True], "its event loop is over"
