"""The audit log in SQL."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.identity_tables import audit
from tracker.adapters.sql.session import Row, Session
from tracker.domain.identity.audit.entry import AuditEntry, Outcome
from tracker.domain.ids import ProjectId, TeamId
from tracker.domain.json_tree import thaw

__all__ = ["SqlAuditRepository"]


class SqlAuditRepository:
    """Keeps the port :class:`tracker.ports.audit.AuditRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def last(self) -> AuditEntry | None:
        """The newest."""
        rows = await self._session.rows(sa.select(audit).order_by(audit.c.number.desc()).limit(1))
        return _entry(rows[0]) if rows else None

    async def append(self, entry: AuditEntry) -> None:
        """Keeps one."""
        columns = {**entry.__dict__, "outcome": entry.outcome.value, "detail": thaw(entry.detail)}
        with inserting("audit entry", entry.number):
            await self._session.run(sa.insert(audit).values(columns))

    async def list(
        self,
        *,
        projects: Collection[ProjectId] | None = None,
        teams: Collection[TeamId] | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> tuple[AuditEntry, ...]:
        """A page of it."""
        statement = sa.select(audit).where(audit.c.number > after).order_by(audit.c.number).limit(limit)
        if projects is not None or teams is not None:
            about = audit.c.project_id.in_(projects or ()) | audit.c.team_id.in_(teams or ())
            statement = statement.where(about)
        return tuple(map(_entry, await self._session.rows(statement)))


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(**{**row._mapping, "outcome": Outcome(row.outcome)})
