"""One writer at a time in a SQLite file, over all processes.

SQLite before 3.51.3 (and 3.50.7, 3.44.6) has a race between connections that reset the
write-ahead log, which can lose a commit. Whoever writes or checkpoints therefore holds this lock.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tracker.domain.errors import Unavailable

__all__ = ["FileLock"]

_PATIENCE = 20.0  # seconds
_LONGEST_PAUSE = 0.02


class FileLock:
    """An exclusive advisory lock on ``<database>.lock``; waiting blocks no thread.

    Args:
        path: the database file; ``None`` locks only within this process (a database in memory).
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path and path.with_name(path.name + ".lock")
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Holds the lock for the block.

        Raises:
            Unavailable: others held it for 20 s, or the lock file cannot be made.
        """
        async with self._turn:
            if self._path is None:
                yield
                return
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise Unavailable(f"cannot open {self._path}: {error.strerror}") from error
            try:
                await self._wait(descriptor)
                yield
            finally:
                os.close(descriptor)

    async def _wait(self, descriptor: int) -> None:
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        pause = 0.0005
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() > deadline:
                    raise Unavailable("the database is locked by another process") from None
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return
