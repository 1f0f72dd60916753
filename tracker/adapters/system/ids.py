"""UUIDv7 ids: sortable by the time of their making."""

from __future__ import annotations

import threading
import time
from uuid import UUID

from tracker.adapters.system.random_bits import RandomBits

__all__ = ["UuidV7Generator"]

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


class UuidV7Generator:
    """Makes UUIDv7 (RFC 9562), strictly ascending within one generator and safe for threads.

    48 bits of milliseconds, 12 bits of sub-millisecond fraction (method 3 of section 6.2), 62
    random bits. When the clock stands still or goes back, the last time stamp is counted up.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._random = RandomBits()

    def new(self) -> UUID:
        """The next id."""
        nanoseconds = time.time_ns()
        milliseconds, rest = divmod(nanoseconds, 1_000_000)
        stamp = milliseconds << 12 | rest * 4096 // 1_000_000
        with self._lock:
            stamp = self._last = max(stamp, self._last + 1)
        random = self._random.next64() >> 2
        return UUID(int=(stamp >> 12) << 80 | _VERSION | (stamp & 0xFFF) << 64 | _VARIANT | random)
