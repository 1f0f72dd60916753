"""Servers that fail as real ones do, on real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

__all__ = ["black_hole", "closed_port", "scripted", "serving"]

Answers = Callable[[str, int], bytes]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def closed_port() -> int:
    """A port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(handle: Handler, port: int = 0) -> AsyncIterator[str]:
    """The address of a server that hands its connections to `handle`, and closes them after it."""
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await handle(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(connected, "127.0.0.1", port) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def black_hole(port: int = 0) -> AsyncIterator[str]:
    """The address of a server that accepts connections and never says anything."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass

    async with serving(swallow, port) as url:
        yield url


@asynccontextmanager
async def scripted(answers: Answers) -> AsyncIterator[str]:
    """The address of a server that answers with these bytes and closes; none = cut without an answer.

    Args:
        answers: gives the whole answer to (method and path, how many requests it had before).
    """
    count = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        head = await reader.readuntil(b"\r\n\r\n")
        length = int((head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or b"0").strip())
        await reader.readexactly(length)
        count += 1
        writer.write(answers(" ".join(head.decode().split(" ")[:2]), count - 1))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with serving(answer) as url:
        yield url
