"""UUIDv7 ids: sortable by the time of their making."""

from __future__ import annotations

import os
import struct
import threading
import time
from uuid import UUID

__all__ = ["UuidV7Generator"]

_AT_ONCE = 256
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


class UuidV7Generator:
    """Makes UUIDv7 (RFC 9562), strictly ascending within one generator and safe for threads.

    48 bits of milliseconds, 12 bits of sub-millisecond fraction (method 3 of section 6.2), 62
    random bits. When the clock stands still or goes back, the last time stamp is counted up.

    Random bits are fetched for many ids at once: each visit to the system lets another thread in, who
    may keep Python for milliseconds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._random: list[int] = []
        self._process = 0

    def new(self) -> UUID:
        """The next id."""
        nanoseconds = time.time_ns()
        milliseconds, rest = divmod(nanoseconds, 1_000_000)
        stamp = milliseconds << 12 | rest * 4096 // 1_000_000
        with self._lock:
            stamp = self._last = max(stamp, self._last + 1)
            random = self._next_random() >> 2
        return UUID(int=(stamp >> 12) << 80 | _VERSION | (stamp & 0xFFF) << 64 | _VARIANT | random)

    def _next_random(self) -> int:
        process = os.getpid()
        if not self._random or self._process != process:  # a forked process must not use those of its parent
            self._process = process
            self._random = list(struct.unpack(f"{_AT_ONCE}Q", os.urandom(8 * _AT_ONCE)))
        return self._random.pop()
