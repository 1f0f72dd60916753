"""Grants in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.identity_tables import grants
from tracker.adapters.sql.session import Session
from tracker.domain.errors import NotFound
from tracker.domain.identity.actions import Action
from tracker.domain.identity.permissions.grant import Effect, Grant
from tracker.domain.ids import GrantId, ProjectId, TeamId, UserId

__all__ = ["SqlGrantRepository", "grant_of"]


class SqlGrantRepository:
    """Keeps the port :class:`tracker.ports.permissions.GrantRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, grant_id: GrantId) -> Grant:
        """The grant."""
        found = await self._select(grants.c.id == grant_id)
        if not found:
            raise NotFound.of("grant", grant_id)
        return found[0]

    async def on(self, place: ProjectId | TeamId) -> tuple[Grant, ...]:
        """Those of one place."""
        return await self._select(sa.or_(grants.c.project_id == place, grants.c.team_id == place))

    async def of_user(self, user_id: UserId) -> tuple[Grant, ...]:
        """Those of one user."""
        return await self._select(grants.c.user_id == user_id)

    async def put(self, grant: Grant) -> Grant:
        """Keeps one, or replaces the one that says the same."""
        # A unique index cannot say it: it would hold two NULLs for different.
        same = await self._select(
            grants.c.user_id == grant.user_id,
            grants.c.action == grant.action.value,
            grants.c.effect == grant.effect.value,
            grants.c.project_id.is_not_distinct_from(grant.project_id),
            grants.c.team_id.is_not_distinct_from(grant.team_id),
        )
        kept = grant.evolve(id=same[0].id) if same else grant
        columns = {**kept.__dict__, "action": kept.action.value, "effect": kept.effect.value}
        with inserting("grant", grant.id):
            if same:
                await self._session.run(sa.update(grants).where(grants.c.id == kept.id).values(columns))
            else:
                await self._session.run(sa.insert(grants).values(columns))
        return kept

    async def remove(self, grant_id: GrantId) -> None:
        """Removes one."""
        if not await self._session.run(sa.delete(grants).where(grants.c.id == grant_id)):
            raise NotFound.of("grant", grant_id)

    async def _select(self, *which: sa.ColumnElement[bool]) -> tuple[Grant, ...]:
        statement = sa.select(grants).where(*which).order_by(grants.c.created_at, grants.c.id)
        return tuple(grant_of({**row._mapping}) for row in await self._session.rows(statement))


def grant_of(columns: Mapping[str, Any]) -> Grant:
    """The grant that these columns of its table hold."""
    typed = {"action": Action(columns["action"]), "effect": Effect(columns["effect"])}
    return Grant(**{**columns, **typed})
