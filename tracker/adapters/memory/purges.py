"""Orders to purge, in memory."""

from __future__ import annotations

from tracker.adapters.memory.state import Current
from tracker.domain.ids import PurgeId
from tracker.domain.projects.purge import Purge

__all__ = ["MemoryPurgeRepository"]


class MemoryPurgeRepository:
    """Keeps the port :class:`tracker.ports.purges.PurgeRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def add(self, purge: Purge) -> None:
        """Keeps an order."""
        self._current.state.purges[purge.id] = purge

    async def pending(self, limit: int) -> tuple[Purge, ...]:
        """The oldest."""
        orders = self._current.state.purges.values()
        return tuple(sorted(orders, key=lambda order: (order.requested_at, order.id))[:limit])

    async def remove(self, purge_id: PurgeId) -> None:
        """Forgets one."""
        self._current.state.purges.pop(purge_id, None)
