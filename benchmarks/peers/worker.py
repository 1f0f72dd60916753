"""One training loop with one tool, in that tool's own environment.

Run by ``log_call.py``: ``python worker.py write TOOL FOLDER TIMES --values 5 --calls 1000 --end finish`` or
``python worker.py read TOOL FOLDER --values 5``. Nothing of `tracker` is imported but by its own tool.

TIMES is a file of 64-bit integers that the loop writes through a map of memory, so that it outlives a
kill: the nanoseconds of each call, then those of `finish`, then those of starting.
"""

from __future__ import annotations

import argparse
import importlib
import json
import mmap
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PEERS = Path(__file__).parent


def names(values: int) -> list[str]:
    """What the scalars are called."""
    return [f"train/metric_{index}" for index in range(values)]


def rows(values: int) -> list[dict[str, float]]:
    """A thousand rows of numbers that fill 64 bits; the loop goes round in them."""
    chance = random.Random(values)
    return [{name: chance.random() for name in names(values)} for _ in range(1000)]


def children() -> list[int]:
    """Processes that descend from this one: what else a machine that kills a job kills."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [os.getpid()]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def loop(log: Callable[[int, dict[str, float]], None], given: argparse.Namespace, times: memoryview) -> int:
    """Calls `log` until the calls or the seconds are over; how often it did."""
    data, pause, clock = rows(given.values), given.pause, time.perf_counter_ns
    deadline = clock() + int(given.seconds * 1e9)
    for step in range(given.calls):
        row = data[step % 1000]
        begin = clock()
        log(step, row)
        end = clock()
        times[step] = end - begin
        if end > deadline:
            return step + 1
        if pause:
            time.sleep(pause)
    return given.calls


def write(given: argparse.Namespace) -> None:
    """Starts, logs, and ends in the way that was asked for."""
    with Path(given.times).open("wb+") as file:
        file.truncate(8 * (given.calls + 2))
        times = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
    begin = time.perf_counter_ns()
    log, finish = importlib.import_module(f"to_{given.tool}").start(given.folder)
    times[-1] = time.perf_counter_ns() - begin
    time.sleep(given.settle)  # what starts in the background is not what a call costs
    family = children() if given.end == "kill-all" else []
    loop(log, given, times)
    if given.end != "finish":
        for pid in [*family, os.getpid()]:
            with suppress(ProcessLookupError):  # one that has ended meanwhile
                os.kill(pid, signal.SIGKILL)
    begin = time.perf_counter_ns()
    finish()
    times[-2] = time.perf_counter_ns() - begin


def main() -> None:
    """Writes or reads."""
    parser = argparse.ArgumentParser()
    parser.add_argument("do", choices=("write", "read"))
    parser.add_argument("tool")
    parser.add_argument("folder", type=Path)
    parser.add_argument("times", nargs="?")
    parser.add_argument("--values", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--settle", type=float, default=1.0)
    parser.add_argument("--end", choices=("finish", "kill", "kill-all"), default="finish")
    given = parser.parse_args()
    sys.path.insert(0, str(PEERS))
    if given.do == "write":
        write(given)
        return
    points = importlib.import_module(f"to_{given.tool}").points(given.folder, names(given.values))
    print("points", json.dumps({"distinct": len(set(points)), "all": len(points)}))


if __name__ == "__main__":
    main()
