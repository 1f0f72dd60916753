"""Buckets in SQL."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from tracker.adapters.sql.identity_tables import limits
from tracker.adapters.sql.session import Session
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.identity.attempts.limits import Bucket

__all__ = ["SqlLimitRepository"]


class SqlLimitRepository:
    """Keeps the port :class:`tracker.ports.limits.LimitRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, key: str) -> Bucket | None:
        """The bucket."""
        rows = await self._session.rows(sa.select(limits).where(limits.c.key == key))
        return Bucket(rows[0].level, rows[0].at) if rows else None

    async def put(self, key: str, bucket: Bucket) -> None:
        """Keeps it."""
        insert = insert_into(limits, self._session.dialect).values({"key": key, **bucket._asdict()})
        await self._session.run(
            insert.on_conflict_do_update(
                index_elements=[limits.c.key],
                set_={"level": insert.excluded.level, "at": insert.excluded.at},
            )
        )

    async def forget(self, before: datetime) -> None:
        """Drops old ones."""
        await self._session.run(sa.delete(limits).where(limits.c.at < before))
