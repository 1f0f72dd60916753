"""How quickly tracker starts, and how much it brings along: medians, in the running environment.

Run: ``python benchmarks/startup.py``
"""

from __future__ import annotations

import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROUNDS = 7
FIRST_LOG = """
import time, tracker
start = time.perf_counter()
run = tracker.init("startup")
run.log({"loss": 1.0})
print(time.perf_counter() - start)
run.finish()
"""


def healthy(port: int) -> bool:
    """Whether the server answers its health. By hand: http.py beside this file hides the library's http."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return connection.recv(64).startswith(b"HTTP/1.1 200 ")


def cpu_of(*arguments: str) -> float:
    """Seconds of CPU, user and system, that a child of this interpreter used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wall_of(*arguments: str) -> float:
    """Seconds until a child of this interpreter ended."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


@contextmanager
def server(folder: str) -> Iterator[tuple[int, float]]:
    """The port of a server on `folder`, and the seconds until its health answered 200."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tracker", "server", "--port", str(port)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port, started(process, port) - start
    finally:
        process.terminate()
        process.wait(timeout=30)


def started(process: subprocess.Popen[bytes], port: int) -> float:
    """When its health answered 200."""
    while process.poll() is None:
        try:
            if healthy(port):
                return time.perf_counter()
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"the server ended with {process.returncode}")


def first_healthy_answer() -> float:
    """Seconds from starting a server on an empty folder until health answers 200."""
    with tempfile.TemporaryDirectory() as folder, server(folder) as (_, seconds):
        return seconds


def first_log(**variables: str) -> float:
    """Seconds from calling `tracker.init` in a new process until its first `log` has returned."""
    env = {**os.environ, "TRACKER_SILENT": "1", **variables}
    command = [sys.executable, "-c", FIRST_LOG]
    return float(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)


def required(name: str, found: dict[str, Distribution]) -> dict[str, Distribution]:
    """`name` and everything it requires in this environment, without extras."""
    key = name.lower().replace("_", "-")
    if key not in found:
        found[key] = distribution(name)
        for text in found[key].requires or ():
            requirement = Requirement(text)
            extras = requirement.extras or {""}
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                required(requirement.name, found)
                if "asyncio" in extras:
                    required("greenlet", found)
    return found


def size_of(package: Distribution) -> int:
    """Bytes on disk without bytecode caches."""
    paths = (Path(str(file.locate())) for file in package.files or () if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in paths if path.is_file())


def median(measure: Callable[[], float]) -> float:
    """The median of several rounds after one that warms the caches."""
    measure()
    return statistics.median(measure() for _ in range(ROUNDS))


def main() -> None:
    """Measures and prints the table."""
    bare = median(lambda: cpu_of("-c", "pass"))
    imported = median(lambda: cpu_of("-c", "import tracker")) - bare
    packages = required("tracker", {})
    with tempfile.TemporaryDirectory() as folder, server(folder) as (port, _):
        here = {"TRACKER_DATA": f"{folder}/own", "DATABASE_URL": f"sqlite:///{folder}/own.db"}
        there = {"TRACKER_DATA": f"{folder}/away", "TRACKER_URL": f"http://127.0.0.1:{port}"}
        embedded, remote = median(lambda: first_log(**here)), median(lambda: first_log(**there))
    rows = [
        ("import tracker, CPU over the bare interpreter", f"{imported:.3f} s", "0.15 s"),
        ("tracker --help", f"{median(lambda: wall_of('-m', 'tracker', '--help')):.3f} s", "0.5 s"),
        ("server start to first healthy answer", f"{median(first_healthy_answer):.3f} s", "1.0 s"),
        ("tracker.init to the first log returned, in a folder", f"{embedded:.3f} s", ""),
        ("the same, to a server", f"{remote:.3f} s", ""),
        ("installed packages", str(len(packages)), "30"),
        ("installed size", f"{sum(map(size_of, packages.values())) / 1e6:.0f} MB", "130 MB"),
    ]
    print(f"{'what':<56}{'measured':>12}{'at most':>12}")
    for what, value, limit in rows:
        print(f"{what:<56}{value:>12}{limit:>12}")


if __name__ == "__main__":
    main()
