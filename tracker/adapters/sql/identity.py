"""Users in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.adapters.sql.tables import users
from tracker.domain.errors import NotFound
from tracker.domain.identity.actor import User
from tracker.domain.ids import UserId

__all__ = ["SqlUserRepository"]


class SqlUserRepository:
    """Keeps the port :class:`tracker.ports.identity.UserRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, user_id: UserId) -> User:
        """The user."""
        found = await self._session.find(_BY_ID, user_id)
        if found is None:
            raise NotFound.of("user", user_id)
        return found

    async def get_many(self, user_ids: Collection[UserId]) -> Mapping[UserId, User]:
        """Those that exist."""
        rows = await self._session.rows(sa.select(users).where(users.c.id.in_(user_ids)))
        return {row.id: _user(row) for row in rows}


def _user(row: Row) -> User:
    return User(**row._mapping)


_BY_ID = Lookup(sa.select(users), users.c.id, _user)
