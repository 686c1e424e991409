"""A slow connection: passes on what a browser and a server say to each other, at so many bytes a second."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 1400  # bytes, as networks cut it


class SlowLink:
    """Listens at `port` for connections to another port, which share `rate` bytes a second in either direction."""

    def __init__(self, server: int) -> None:
        self.rate, self.port = float("inf"), 0
        self._server, self._free = server, {"up": 0.0, "down": 0.0}

    async def listen(self) -> asyncio.Server:
        listening = await asyncio.start_server(self._connect, "127.0.0.1", 0, limit=PIECE)
        self.port = listening.sockets[0].getsockname()[1]
        return listening

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asks = await asyncio.open_connection("127.0.0.1", self._server, limit=PIECE)
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._pass_on("up", reader, asks), self._pass_on("down", answers, writer))

    async def _pass_on(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop().time
        with suppress(OSError):
            while piece := await reader.read(PIECE):
                now = clock()
                self._free[way] = max(self._free[way], now) + len(piece) / self.rate
                if self._free[way] > now:
                    await asyncio.sleep(self._free[way] - now)
                writer.write(piece)
                await writer.drain()
        writer.close()


@contextmanager
def slow_link(server: int) -> Iterator[SlowLink]:
    """Connect to a port of this machine, in a thread of its own."""
    link, loop = SlowLink(server), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(link.listen(), loop).result(10)
    try:
        yield link
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])
        loop.call_soon_threadsafe(lambda: loop.call_later(0.1, loop.stop))
        thread.join()
