"""`tracker server` in a process of its own, as somebody would start it."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx

__all__ = ["ServerProcess", "clean_environment"]

ROOT = Path(__file__).resolve().parents[2]
_ADDRESS = re.compile(r"serving (http://[\w.:\[\]]+)")


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment without settings of tracker but these; runs capture nothing unless they are told to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    kept.pop("DATABASE_URL", None)
    return {**kept, "PYTHONPATH": str(ROOT), "TRACKER_CAPTURE": "off", **variables}


class ServerProcess:
    """A running server; leaving its block kills it if it still runs.

    Args:
        folder: its data folder.
        words: further arguments of ``tracker server``.
        largest_file: bytes above which a write fails, as on a full disk.
        variables: of its environment.
    """

    def __init__(self, folder: Path, *words: str, largest_file: int | None = None, **variables: str) -> None:
        self._largest_file = largest_file
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tracker", "--data", str(folder), "server", "--port", "0", *words],
            cwd=folder.parent,
            env=clean_environment(TRACKER_LOG_FORMAT="json", **variables),
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=self._limit,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _limit(self) -> None:
        # A shell that starts the tests in the background has its children ignore interrupts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self._largest_file, resource.RLIM_INFINITY))

    def _read(self) -> None:
        self.log += self.process.stderr  # each line as it comes

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A client, once the server is healthy."""
        with httpx.Client(base_url=self._address(), timeout=60) as client:
            # Waits in the listener's queue until somebody accepts.
            client.get("/api/health").raise_for_status()
            yield client

    def _address(self) -> str:
        for _ in range(600):
            found = next(filter(None, map(_ADDRESS.search, list(self.log))), None)
            if found:
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.log}")

    def ended(self, number: signal.Signals | None = None) -> int:
        """The exit code, once it has ended, by a signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(60)
        self.process.stderr.close()
        return code

    def resize_files(self, largest: int) -> None:
        """Sets another limit to the size of its files."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)
        self._reader.join(60)
        self.process.stderr.close()
