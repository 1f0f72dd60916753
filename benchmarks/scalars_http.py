"""Scalars through HTTP, beside a bare Falcon app in the same run.

Run: ``python benchmarks/scalars_http.py [--seconds 3] [--rounds 3]``. 100 runs log 20 scalars a request at
once, in JSON and durable (SQLite, ``synchronous=full``), to one server process, and send columns of 250,000
points a body; then the same with a scalars service behind the server. Every server and the load have
processes of their own. Each number is the median of the rounds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgpack
import numpy as np
from server_load import BARE, created, free_port, measured, request_bytes, serving, uvicorn_command

RUNS = 100
SCALARS = {f"train/loss_{k}": k * 0.37 for k in range(20)}
BULK_POINTS, BULK_CONNECTIONS = 250_000, 4
TRACKER = "entrypoints.http.asgi:app"


@contextmanager
def tracker(folder: Path, **environ: str) -> Iterator[int]:
    """A server over `folder`; its port."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    settings = {"DATABASE_URL": f"sqlite:///{folder}/tracker.db", "TRACKER_DATA": str(folder), **environ}
    with serving(uvicorn_command(TRACKER, port), folder, port, **settings):
        yield port


@contextmanager
def scalars_service(folder: Path) -> Iterator[str]:
    """A scalars service over `folder`; its address."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    with serving(
        ["-m", "tracker", "scalars-server", "--port", str(port), "--data", str(folder)], folder, port
    ):
        yield f"http://127.0.0.1:{port}"


def runs_of(port: int) -> list[str]:
    """The ids of new experiments."""
    project = created(port, "/api/projects", {"name": "benchmark", "settings": {"namingPattern": ""}})
    new = {"projectId": project, "name": "run"}
    return [created(port, "/api/experiments", new) for _ in range(RUNS)]


def log_requests(port: int) -> list[bytes]:
    """One for each run."""
    body = {"scalars": SCALARS, "step": 1}
    return [request_bytes("POST", f"/api/scalars/log/{run}", body) for run in runs_of(port)]


def bulk_body() -> bytes:
    """Columns of one series: a counter, a clock and noise around a curve."""
    step = np.arange(BULK_POINTS)
    value = np.exp(-step / BULK_POINTS) + np.random.default_rng(1).normal(0, 0.01, BULK_POINTS)
    columns = {"step": step, "time": 1_700_000_000_000_000 + step * 100_000, "value": value}
    return msgpack.packb(
        {"names": ["loss"], **{n: [c.dtype.str[1:], c.tobytes()] for n, c in columns.items()}}
    )


def bulk_requests(port: int) -> list[bytes]:
    """As many bodies at once as there are connections, each into a run of its own."""
    body = bulk_body()
    return [
        request_bytes("POST", f"/api/scalars/columns/{run}", body) for run in runs_of(port)[:BULK_CONNECTIONS]
    ]


def show(title: str, rate: float, p99: float, *floors: float) -> None:
    """Prints a row of the table."""
    shares = "".join(f"{rate / floor:>9.0%}" for floor in floors)
    print(f"{title:<48}{rate:>8.0f}{p99:>9.1f}{shares}")


def measure_tracker(behind: str, port: int, floors: Sequence[float], how: tuple[float, int]) -> None:
    """Prints the rows of one server."""
    show(f"100 runs at once, 20 scalars, {behind}", *measured(port, log_requests(port), *how), *floors)
    rate, p99 = measured(port, bulk_requests(port), *how)
    show(f"columns of 250,000 points, {behind}", rate, p99)
    print(f"  = {rate * BULK_POINTS / 1e6:.2f} M points/s")


def run(seconds: float, rounds: int) -> None:
    """Measures everything and prints a table."""
    how = seconds, rounds
    print(f"{'request':<48}{'req/s':>8}{'p99 ms':>9}{'of bare':>9}{'of parse':>9}")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "bare.py").write_text(BARE)
        body = {"scalars": SCALARS, "step": 1}
        asked = {
            "bare Falcon, GET": request_bytes("GET", "/"),
            "bare Falcon, POST of the same body": request_bytes("POST", "/", body),
            "bare Falcon that parses it and answers as much": request_bytes("POST", "/read", body),
        }
        port = free_port()
        with serving(uvicorn_command("bare:app", port), folder, port):
            bare = {title: measured(port, [request] * RUNS, *how) for title, request in asked.items()}
        floors = [next(iter(bare.values()))[0], list(bare.values())[-1][0]]
        for title, (rate, p99) in bare.items():
            show(title, rate, p99, *floors)
        with tracker(folder / "embedded") as port:
            measure_tracker("embedded", port, floors, how)
        url = stack.enter_context(scalars_service(folder / "service"))
        with tracker(folder / "fronted", SCALARS_SERVICE_URL=url) as port:
            measure_tracker("scalars service", port, floors, how)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    run(given.seconds, given.rounds)
