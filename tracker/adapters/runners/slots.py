"""How many attempts run at once on this machine, and which is next.

A slot is a locked file. Its descriptor is inherited by the attempt's processes, so it is free again when the
last of them is gone, however that went, and all server processes of the installation share the slots.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["Queue", "Slots"]


class Slots:
    """So many at once.

    Args:
        folder: of the lock files.
        count: how many slots there are.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._count = count

    def take(self) -> int | None:
        """The descriptor of a slot that is free now; ``None`` when none is."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(self._count):
            descriptor = os.open(self._folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return descriptor
        return None


class Queue:
    """Attempts that wait for a slot, in the order of their arrival.

    Args:
        folder: of the tickets.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ticket(self, job: str, attempt: int) -> str:
        """A name that comes after all that were given out before, as far as the clock knows."""
        return f"{time.time_ns():020d}.{job}.{attempt}"

    def join(self, ticket: str) -> None:
        """Waits; twice is no error."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._folder / ticket).touch(mode=0o600)

    def leave(self, ticket: str) -> None:
        """Waits no more; twice is no error."""
        (self._folder / ticket).unlink(missing_ok=True)

    @contextlib.contextmanager
    def turn(self) -> Iterator[bool]:
        """Whether nobody else is just starting attempts; then nobody does during the block."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(
            self._folder.with_name("queue.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)

    def waiting(self) -> Iterator[tuple[str, str, str]]:
        """Ticket, job and attempt of those that wait, the first one first."""
        for ticket in sorted(path.name for path in self._folder.iterdir()):
            _, _, rest = ticket.partition(".")
            job, _, attempt = rest.partition(".")
            yield ticket, job, attempt
