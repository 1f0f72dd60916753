"""Where is kept how often something was tried."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from tracker.domain.identity.attempts.limits import Bucket

__all__ = ["LimitRepository"]


class LimitRepository(Protocol):
    """Buckets by key, shared by all processes of an installation."""

    async def find(self, key: str) -> Bucket | None:
        """The bucket of this key."""
        ...

    async def put(self, key: str, bucket: Bucket) -> None:
        """Keeps a bucket in place of the one before."""
        ...

    async def forget(self, before: datetime) -> None:
        """Removes the buckets that nobody touched since then."""
        ...
