"""Orders to purge, in SQL."""

from __future__ import annotations

import sqlalchemy as sa

from tracker.adapters.sql.session import Session
from tracker.adapters.sql.tables import purges
from tracker.domain.ids import PurgeId
from tracker.domain.projects.purge import Purge

__all__ = ["SqlPurgeRepository"]


class SqlPurgeRepository:
    """Keeps the port :class:`tracker.ports.purges.PurgeRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, purge: Purge) -> None:
        """Keeps an order."""
        await self._session.run(sa.insert(purges).values(purge.__dict__))

    async def pending(self, limit: int) -> tuple[Purge, ...]:
        """The oldest."""
        statement = sa.select(purges).order_by(purges.c.requested_at, purges.c.id).limit(limit)
        return tuple(Purge(**row._mapping) for row in await self._session.rows(statement))

    async def remove(self, purge_id: PurgeId) -> None:
        """Forgets one."""
        await self._session.run(sa.delete(purges).where(purges.c.id == purge_id))
