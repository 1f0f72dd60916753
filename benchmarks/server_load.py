"""Servers in processes of their own, and load on them over raw sockets; for the benchmarks of HTTP."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvloop

__all__ = ["BARE", "ROOT", "created", "free_port", "measured", "request_bytes", "serving", "uvicorn_command"]

ROOT = Path(__file__).parents[1]
BARE = """
import falcon, falcon.asgi
class Read:
    async def on_post(self, req, resp):
        await req.get_media()
        resp.media = {'status': 'logged'}
class Nothing:
    async def on_get(self, req, resp):
        resp.data = b'{}'
    async def on_post(self, req, resp):
        await req.stream.read()
        resp.data = b'{}'
app = falcon.asgi.App()
app.add_route('/', Nothing())
app.add_route('/read', Read())
"""


def request_bytes(method: str, path: str, body: object = None, token: str | None = None) -> bytes:
    """One HTTP/1.1 request: JSON, or msgpack when the body is bytes already."""
    packed = isinstance(body, bytes)
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    media = "msgpack" if packed else "json"
    kind = f"Content-Type: application/{media}\r\n" if content else ""
    kind += f"Authorization: Bearer {token}\r\n" if token else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{kind}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def one_connection(port: int, request: bytes, until: float, taken: list[float]) -> None:
    """Sends the request again and again; any answer but 2xx ends the benchmark."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (begun := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(head.decode())
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        taken.append(time.perf_counter() - begun)
    writer.close()


def load(port: int, requests: Sequence[bytes], seconds: float) -> tuple[float, float]:
    """Requests a second and the 99th percentile in milliseconds; runs in a process of its own.

    Each request has a keep-alive connection, on which it is sent again and again.
    """

    async def all_connections() -> list[float]:
        taken: list[float] = []
        until = time.perf_counter() + seconds
        await asyncio.gather(*(one_connection(port, request, until, taken) for request in requests))
        return taken

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        taken = runner.run(all_connections())
    taken.sort()
    return len(taken) / seconds, taken[int(len(taken) * 0.99)] * 1000


@contextmanager
def serving(command: list[str], folder: Path, port: int, **environ: str) -> Iterator[None]:
    """A server process that answers on `port`."""
    env = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
        "TRACKER_LOG_LEVEL": "warning",
        **environ,
    }
    process = subprocess.Popen([sys.executable, *command], cwd=folder, env=env)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the server did not start") from None
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def created(port: int, path: str, body: object, token: str | None = None) -> str:
    """The id of a new thing; over a socket, since this file's name hides the ``http`` of urllib."""
    request = request_bytes("POST", path, body, token).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["id"])


def uvicorn_command(app: str, port: int) -> list[str]:
    """Both servers run the same way."""
    return ["-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http",
            "httptools", "--no-access-log", "--log-level", "warning"]  # fmt: skip


def measured(port: int, requests: Sequence[bytes], seconds: float, rounds: int) -> tuple[float, float]:
    """The medians of some rounds of load."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = [pool.apply(load, (port, requests, seconds)) for _ in range(rounds)]
    return statistics.median(rate for rate, _ in found), statistics.median(p99 for _, p99 in found)
