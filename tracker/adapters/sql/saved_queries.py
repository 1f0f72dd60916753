"""Saved queries in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.search_tables import saved_queries
from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.domain.errors import NotFound, StaleVersion
from tracker.domain.ids import ProjectId, SavedQueryId
from tracker.domain.search.saved_query import SavedQuery

__all__ = ["SqlSavedQueryRepository"]


class SqlSavedQueryRepository:
    """Keeps the port :class:`tracker.ports.saved_queries.SavedQueryRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, query_id: SavedQueryId) -> SavedQuery:
        """The query."""
        found = await self._session.find(_BY_ID, query_id)
        if found is None:
            raise NotFound.of("query", query_id)
        return found

    async def get_many(self, query_ids: Collection[SavedQueryId]) -> Mapping[SavedQueryId, SavedQuery]:
        """Those that exist."""
        statement = sa.select(saved_queries).where(saved_queries.c.id.in_(query_ids))
        return {row.id: _query(row) for row in await self._session.rows(statement)}

    async def list(self, project_id: ProjectId) -> tuple[SavedQuery, ...]:
        """A project's, by name."""
        statement = sa.select(saved_queries).where(saved_queries.c.project_id == project_id)
        return tuple(map(_query, await self._session.rows(statement.order_by(saved_queries.c.name))))

    async def add(self, query: SavedQuery) -> None:
        """Keeps a new one."""
        with inserting("query", query.name):
            await self._session.run(sa.insert(saved_queries).values(query.__dict__))

    async def save(self, query: SavedQuery) -> SavedQuery:
        """Keeps a changed one."""
        saved = query.evolve(version=query.version + 1)
        statement = sa.update(saved_queries).where(
            saved_queries.c.id == query.id, saved_queries.c.version == query.version
        )
        with inserting("query", query.name):
            changed = await self._session.run(statement.values(saved.__dict__))
        if not changed:
            await self.get(query.id)
            raise StaleVersion.of("query", query.id)
        return saved

    async def delete(self, query_id: SavedQueryId) -> None:
        """Removes one."""
        if not await self._session.run(sa.delete(saved_queries).where(saved_queries.c.id == query_id)):
            raise NotFound.of("query", query_id)


def _query(row: Row) -> SavedQuery:
    return SavedQuery(**row._mapping)


_BY_ID = Lookup.of_one(sa.select(saved_queries), saved_queries.c.id, _query)
