"""Buckets in memory."""

from __future__ import annotations

from datetime import datetime

from tracker.adapters.memory.state import Current
from tracker.domain.identity.attempts.limits import Bucket

__all__ = ["MemoryLimitRepository"]


class MemoryLimitRepository:
    """Keeps the port :class:`tracker.ports.limits.LimitRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def find(self, key: str) -> Bucket | None:
        """The bucket."""
        return self._current.state.limits.get(key)

    async def put(self, key: str, bucket: Bucket) -> None:
        """Keeps it."""
        self._current.state.limits[key] = bucket

    async def forget(self, before: datetime) -> None:
        """Drops old ones."""
        state = self._current.state
        state.limits = {key: bucket for key, bucket in state.limits.items() if bucket.at >= before}
