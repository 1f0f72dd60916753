"""Run as a process of its own: training loops, in each of which one call at the edge of the system fails.

``python run_under_faults.py FOLDER KIND FIRST STRIDE MOST [URL]``: has the FIRST such call of a loop fail,
in the next one the FIRST + STRIDE-th and so on, until a loop reaches its end without, or there were
MOST. Prints a JSON line a loop: what it acknowledged, what it was warned of.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import io
import json
import os
import socket
import sqlite3
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import tracker
from tracker.run import start

FLOCK = fcntl.flock
OS = ("write", "open", "close", "replace", "rename", "unlink", "mkdir", "rmdir", "scandir", "listdir", "stat")
SOCKET = ("send", "recv", "connect", "close")
EDGES: dict[str, list[tuple[Any, str]]] = {
    "system": [*((os, name) for name in OS), (fcntl, "flock"), (io, "open"), (builtins, "open")],
    "sqlite": [(sqlite3, "connect")],
    "socket": [*((socket.socket, name) for name in SOCKET), (socket, "getaddrinfo")],
}
ERRORS: dict[str, Callable[[], Exception]] = {
    "system": lambda: OSError(errno.EIO, "injected"),
    "sqlite": lambda: sqlite3.OperationalError("disk I/O error: injected"),
    "socket": lambda: ConnectionResetError(errno.ECONNRESET, "injected"),
    "thread": lambda: RuntimeError("injected"),
}


class Faults:
    """Counts calls since it was armed, and has one of them fail."""

    def __init__(self, kind: str) -> None:
        self._error = ERRORS[kind]
        self._at: int | None = None
        self._count = 0
        self.where = ""
        if kind == "thread":
            threading.setprofile(self._profile)
            return
        for owner, name in EDGES[kind]:
            setattr(owner, name, self._failing(getattr(owner, name)))
        if kind == "sqlite":  # a type that cannot be changed, but its place in the module can
            faulty = type("Cursor", (sqlite3.Cursor,), {})
            for name in ("execute", "executemany"):
                setattr(faulty, name, self._failing(getattr(sqlite3.Cursor, name)))
            sqlite3.Cursor = faulty  # type: ignore[misc]

    def arm(self, at: int) -> None:
        self._count, self.where, self._at = 0, "", at

    def disarm(self) -> None:
        self._at = None

    def _failing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            # What lets go of something has done so even when it fails.
            lets_go = original.__name__ == "close" or (original is FLOCK and arguments[1] == fcntl.LOCK_UN)
            answer = original(*arguments, **options) if lets_go else None
            self._strike(
                f"{original.__name__} {str(arguments[1])[:30] if original.__name__ == 'execute' else ''}"
            )
            return answer if lets_go else original(*arguments, **options)

        return call

    def _profile(self, frame: Any, event: str, argument: Any) -> None:
        """Any call at all of a background thread: what is thrown here is thrown there."""
        if event in ("c_call", "call"):
            self._strike(getattr(argument, "__name__", frame.f_code.co_name))

    def _strike(self, name: str) -> None:
        if self._at is None:
            return
        self._count += 1
        if self._count == self._at:
            self._at = None
            frames = [
                f"{each.filename}:{each.lineno}"
                for each in traceback.extract_stack()
                if "tracker/" in each.filename
            ]
            self.where = f"{name} in {threading.current_thread().name} at {frames[-1:]}"
            raise self._error()


def loop(faults: Faults, folder: str, name: str, at: int, url: str | None) -> dict[str, Any]:
    """One training loop."""
    acknowledged, raised = [], ""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run = tracker.init("p", name, **({"data": folder} if url is None else {"url": url}))
        faults.arm(at)
        try:
            for step in range(8):
                run.log({"loss": float(step), "acc": step / 7}, step=step)
                acknowledged.append(step)
                if step == 3:
                    run.metric("best", 0.5)
                    run.flush(timeout=2)
                if step == 5:
                    run._writer.turn()
            run.flush(timeout=2)
            begin = time.monotonic()
            run.finish(timeout=2)
            took = time.monotonic() - begin
        except BaseException:
            raised = traceback.format_exc()
            took = 0.0
        faults.disarm()
    ours = [str(each.message) for each in told if each.category is tracker.TrackerWarning]
    others = [str(each.message) for each in told if each.category is not tracker.TrackerWarning]
    return {
        "name": name, "at": at, "where": faults.where, "acknowledged": acknowledged, "raised": raised,
        "warned": ours, "others": others, "finish": took, "lost": run._writer.lost,
    }  # fmt: skip


def main() -> None:
    start.START_SECONDS = 60.0  # other tests run beside
    folder, kind = sys.argv[1:3]
    first, stride, most = map(int, sys.argv[3:6])
    url = sys.argv[6] if len(sys.argv) > 6 else None
    threading.excepthook = lambda arguments: None  # a thread of ours may die; the loop must not
    with tracker.open(folder) if url is None else tracker.open(url=url):
        pass  # everything is imported, and the database is there
    faults = Faults(kind)
    for at in range(first, first + most * stride, stride):
        told = loop(faults, folder, f"{kind} {at}", at, url)
        print(json.dumps(told), flush=True)
        if not told["where"]:
            break
    sys.stdout.flush()
    os._exit(0)  # what hangs after a fault must not hold up the test


if __name__ == "__main__":
    main()
