"""Stands before a server and plays the network: passes on, refuses, swallows, answers 500, cuts."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any, Self

MODES = ("pass", "refuse", "hole", "500", "cut")
ANSWER = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    b'Content-Length: 17\r\n\r\n{"detail":"oops"}'
)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Front:
    """A listener on a port of its own, in a thread.

    ``refuse`` listens no more; ``hole`` accepts and says nothing; ``500`` answers that; ``cut`` has the
    server do what it is asked for and drops the connection instead of passing on the answer.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        self.mode = "pass"
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self.turn("refuse")
        self._wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def turn(self, mode: str) -> None:
        """Changes what becomes of connections, and ends those there are; in a ``hole`` they freeze."""
        self._wait(self._turn(mode))

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _turn(self, mode: str) -> None:
        self.mode = mode
        if mode == "refuse" and self._server is not None:
            self._server.close()
            self._server = None
        if mode != "hole":
            for writer in list(self._writers):
                writer.transport.abort()
        if mode != "refuse":
            await self._listen()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._exchange(reader, writer)
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "500":
            while await reader.read(2**16):
                writer.write(ANSWER)
            return
        if self.mode == "hole":
            while await reader.read(2**16):
                pass
            return
        theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers.add(ours)
        try:
            back = asyncio.create_task(self._pass(theirs, writer, answers=True))
            await self._pass(reader, ours, answers=False)
            await asyncio.wait_for(back, 30)
        finally:
            self._writers.discard(ours)
            ours.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, answers: bool) -> None:
        try:
            while data := await source.read(2**16):
                while self.mode == "hole":  # noqa: ASYNC110 - changed from another thread
                    await asyncio.sleep(0.02)
                if answers and self.mode == "cut":
                    break
                to.write(data)
        except OSError:
            pass
        to.transport.abort()
