"""Requests a second and p99 of the server's hot paths, beside a bare Falcon app in the same run.

Run: ``python benchmarks/http.py [--seconds 3] [--rounds 3]``. Every server has a process of its own,
and so has the load: 16 keep-alive connections over raw sockets. PostgreSQL joins when ``initdb`` is
installed. Each number is the median of the rounds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server_load import BARE, ROOT, created, free_port, measured, request_bytes, serving, uvicorn_command

CONNECTIONS = 16
Case = tuple[str, bytes]


def cases(port: int) -> list[Case]:
    """The hot paths of a running server."""
    project = created(port, "/api/projects", {"name": "benchmark", "settings": {"namingPattern": ""}})
    features = {"optimizer": {"name": "adam", "lr": 0.001}, "width": 64}
    new = {"projectId": project, "name": "run", "features": features, "tags": ["a"]}
    run = created(port, "/api/experiments", new)
    scalars = {"scalars": {f"train/loss_{k}": k * 0.37 for k in range(20)}, "step": 1}
    return [
        ("GET experiment", request_bytes("GET", f"/api/experiments/{run}")),
        ("POST scalars/log x20", request_bytes("POST", f"/api/scalars/log/{run}", scalars)),
        ("POST experiment", request_bytes("POST", "/api/experiments", new)),
    ]


@contextmanager
def postgres() -> Iterator[str | None]:
    """The URL of a throw-away cluster, or ``None`` where PostgreSQL is not installed."""
    initdb, postgres_program = shutil.which("initdb"), shutil.which("postgres")
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


def run(seconds: float, rounds: int) -> None:
    """Measures everything and prints a table."""
    print(f"{'server':<12}{'request':<24}{'req/s':>8}{'p99 ms':>9}{'of bare':>9}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bare.py").write_text(BARE)
        port = free_port()
        with serving(uvicorn_command("bare:app", port), folder, port):
            bare, p99 = measured(port, [request_bytes("GET", "/")] * CONNECTIONS, seconds, rounds)
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
        for title, request in cases(port):
            rate, p99 = measured(port, [request] * CONNECTIONS, *how)
            print(f"{server:<12}{title:<24}{rate:>8.0f}{p99:>9.1f}{rate / bare:>8.0%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    run(given.seconds, given.rounds)
