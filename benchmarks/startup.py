"""How quickly tracker starts, and how much it brings along: medians, in the running environment.

Run: ``python benchmarks/startup.py``
"""

from __future__ import annotations

import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROUNDS = 7


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


def first_healthy_answer() -> float:
    """Seconds from starting a server on an empty folder until health answers 200."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "tracker", "server", "--port", str(port)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while process.poll() is None:
                try:
                    if healthy(port):
                        return time.perf_counter() - start
                except OSError:
                    time.sleep(0.01)
            raise SystemExit(f"the server ended with {process.returncode}")
        finally:
            process.terminate()
            process.wait(timeout=30)


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
    rows = [
        ("import tracker, CPU over the bare interpreter", f"{imported:.3f} s", "0.15 s"),
        ("tracker --help", f"{median(lambda: wall_of('-m', 'tracker', '--help')):.3f} s", "0.5 s"),
        ("server start to first healthy answer", f"{median(first_healthy_answer):.3f} s", "1.0 s"),
        ("installed packages", str(len(packages)), "30"),
        ("installed size", f"{sum(map(size_of, packages.values())) / 1e6:.0f} MB", "130 MB"),
    ]
    print(f"{'what':<48}{'measured':>12}{'at most':>12}")
    for what, value, limit in rows:
        print(f"{what:<48}{value:>12}{limit:>12}")


if __name__ == "__main__":
    main()
