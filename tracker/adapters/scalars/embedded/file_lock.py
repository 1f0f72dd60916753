"""One lock for a scalars file across threads and processes, and the mark that it was deleted."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.domain.errors import Unavailable

__all__ = ["FileLock"]

_PATIENCE = 20.0
_MARK = b"deleted\n"


class FileLock:
    """Held around every write and every checkpoint, also the one at close.

    SQLite 3.7.0 to 3.51.2 can lose commits when one connection resets the write-ahead log while
    another one writes; with this lock held that cannot meet. The lock file outlives a deleted
    project: its content says so to whoever still has the scalars file open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0
        self._fd: int | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the lock; entered again by the same thread it stays held.

        Raises:
            Unavailable: somebody else held it for too long.
        """
        if not self._threads.acquire(timeout=_PATIENCE):
            raise Unavailable(f"{self._path} stays locked")
        try:
            if self._depth == 0:
                self._acquire()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    fcntl.flock(self._open(), fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def deleted(self) -> bool:
        """Whether the project was deleted."""
        if self._fd is None and not self._path.exists():
            return False
        return bool(os.pread(self._open(), 1, 0))

    def mark_deleted(self) -> None:
        """Makes the deletion durable; the caller holds the lock."""
        os.pwrite(self._open(), _MARK, 0)
        os.fsync(self._open())

    def close(self) -> None:
        """Lets go of the file."""
        with self._threads:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _open(self) -> int:
        with self._threads:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            return self._fd

    def _acquire(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        pause = 0.0002
        while True:
            try:
                # Never waits inside flock: a stopped process must not hang this one for good.
                fcntl.flock(self._open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(f"another process holds {self._path}") from None
                time.sleep(pause)
                pause = min(pause * 2, 0.0005)
            else:
                return
