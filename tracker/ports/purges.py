"""What is deleted from the database but may still lie in other stores."""

from __future__ import annotations

from typing import Protocol

from tracker.domain.ids import PurgeId
from tracker.domain.projects.purge import Purge

__all__ = ["PurgeRepository"]


class PurgeRepository(Protocol):
    """Orders that were committed together with a deletion and wait to be carried out."""

    async def add(self, purge: Purge) -> None:
        """Keeps an order."""
        ...

    async def pending(self, limit: int) -> tuple[Purge, ...]:
        """The oldest orders, at most `limit`."""
        ...

    async def remove(self, purge_id: PurgeId) -> None:
        """Forgets an order that was carried out; an unknown one is no error."""
        ...
