"""Requests a second and p99 of the server's hot paths, beside a bare Falcon app in the same run.

Run: ``python benchmarks/http.py [--seconds 3] [--rounds 3]``. Every server has a process of its own,
and so has the load: 16 keep-alive connections over raw sockets. PostgreSQL joins when ``initdb`` is
installed. Each number is the median of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

ROOT = Path(__file__).parents[1]
CONNECTIONS = 16
BARE = """
import falcon, falcon.asgi
class Nothing:
    async def on_get(self, req, resp):
        resp.data = b'{}'
app = falcon.asgi.App()
app.add_route('/', Nothing())
"""
Case = tuple[str, list[bytes]]


def request_bytes(method: str, path: str, body: object = None) -> bytes:
    """One HTTP/1.1 request."""
    content = b"" if body is None else json.dumps(body).encode()
    kind = "Content-Type: application/json\r\n" if content else ""
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


def load(port: int, requests: list[bytes], seconds: float) -> tuple[float, float]:
    """Requests a second and the 99th percentile in milliseconds; runs in a process of its own.

    Each connection repeats one of the requests, so that none is answered with another's work.
    """

    async def all_connections() -> list[float]:
        taken: list[float] = []
        until = time.perf_counter() + seconds
        chosen = [requests[index % len(requests)] for index in range(CONNECTIONS)]
        await asyncio.gather(*(one_connection(port, request, until, taken) for request in chosen))
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


def created(port: int, path: str, body: object) -> str:
    """The id of a new thing; over a socket, since this file's name hides the ``http`` of urllib."""
    request = request_bytes("POST", path, body).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["id"])


def cases(port: int) -> list[Case]:
    """The hot paths of a running server."""
    project = created(port, "/api/projects", {"name": "benchmark", "settings": {"namingPattern": ""}})
    features = {"optimizer": {"name": "adam", "lr": 0.001}, "width": 64}
    new = {"projectId": project, "name": "run", "features": features, "tags": ["a"]}
    runs = [created(port, "/api/experiments", new) for _ in range(CONNECTIONS)]
    scalars = {"scalars": {f"train/loss_{k}": k * 0.37 for k in range(20)}, "step": 1}
    return [
        ("GET experiment", [request_bytes("GET", f"/api/experiments/{run}") for run in runs]),
        (
            "POST scalars/log x20",
            [request_bytes("POST", f"/api/scalars/log/{run}", scalars) for run in runs],
        ),
        ("POST experiment", [request_bytes("POST", "/api/experiments", new)]),
    ]


@contextmanager
def postgres() -> Iterator[str | None]:
    """The URL of a throw-away cluster, or ``None`` where PostgreSQL is not installed."""
    # Debian keeps them out of the way of the commands that people type.
    places = os.pathsep.join([os.environ["PATH"], *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])
    initdb, postgres_program = shutil.which("initdb", path=places), shutil.which("postgres", path=places)
    if not initdb or not postgres_program:
        yield None
        return
    with tempfile.TemporaryDirectory() as home:
        as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(home, "nobody")
            as_user = ["setpriv", "--reuid=nobody", "--clear-groups"]
        data, port = f"{home}/data", free_port()
        create = [*as_user, initdb, "-D", data, "-U", "tracker", "-A", "trust", "--locale=C", "-E", "UTF8"]
        subprocess.run(create, check=True, capture_output=True, cwd="/")
        options = ["-D", data, "-p", str(port), "-k", "", "-h", "127.0.0.1"]
        process = subprocess.Popen([*as_user, postgres_program, *options], stderr=subprocess.DEVNULL, cwd="/")
        try:
            time.sleep(3)
            yield f"postgresql://tracker@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait(30)


def uvicorn_command(app: str, port: int) -> list[str]:
    """Both servers run the same way."""
    return ["-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop", "--http",
            "httptools", "--no-access-log", "--log-level", "warning"]  # fmt: skip


def measured(port: int, requests: list[bytes], seconds: float, rounds: int) -> tuple[float, float]:
    """The medians of some rounds of load."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = [pool.apply(load, (port, requests, seconds)) for _ in range(rounds)]
    return statistics.median(rate for rate, _ in found), statistics.median(p99 for _, p99 in found)


def run(seconds: float, rounds: int) -> None:
    """Measures everything and prints a table."""
    print(f"{'server':<12}{'request':<24}{'req/s':>8}{'p99 ms':>9}{'of bare':>9}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare.py").write_text(BARE)
        port = free_port()
        with serving(uvicorn_command("bare:app", port), folder, port):
            bare, p99 = measured(port, [request_bytes("GET", "/")], seconds, rounds)
        print(f"{'bare falcon':<12}{'GET /':<24}{bare:>8.0f}{p99:>9.1f}{'100 %':>9}")
        with postgres() as postgres_url:
            urls = {"sqlite": f"sqlite:///{folder}/tracker.db", "postgres": postgres_url}
            for server, url in urls.items():
                if url is not None:
                    measure_server(server, url, folder / server, bare, (seconds, rounds))


def measure_server(server: str, url: str, folder: Path, bare: float, how: tuple[float, int]) -> None:
    """Prints the rows of one server over its own folder."""
    folder.mkdir()
    environ = {"DATABASE_URL": url, "TRACKER_DATA": str(folder)}
    if not url.startswith("sqlite"):
        upgrade = [sys.executable, "-m", "tracker", "db", "upgrade"]
        subprocess.run(upgrade, cwd=ROOT, env={**os.environ, **environ}, check=True)
    port = free_port()
    with serving(uvicorn_command("entrypoints.http.asgi:app", port), folder, port, **environ):
        for title, requests in cases(port):
            rate, p99 = measured(port, requests, *how)
            print(f"{server:<12}{title:<24}{rate:>8.0f}{p99:>9.1f}{rate / bare:>8.0%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    run(given.seconds, given.rounds)
