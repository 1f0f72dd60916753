"""The audit log in memory."""

from __future__ import annotations

from collections.abc import Collection

from tracker.adapters.memory.state import Current
from tracker.domain.errors import AlreadyExists
from tracker.domain.identity.audit.entry import AuditEntry
from tracker.domain.ids import ProjectId, TeamId

__all__ = ["MemoryAuditRepository"]


class MemoryAuditRepository:
    """Keeps the port :class:`tracker.ports.audit.AuditRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def last(self) -> AuditEntry | None:
        """The newest."""
        entries = self._current.state.audit
        return entries[max(entries)] if entries else None

    async def append(self, entry: AuditEntry) -> None:
        """Keeps one."""
        if entry.number in self._current.state.audit:
            raise AlreadyExists(f"audit entry {entry.number} is there already")
        self._current.state.audit[entry.number] = entry

    async def list(
        self,
        *,
        projects: Collection[ProjectId] | None = None,
        teams: Collection[TeamId] | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> tuple[AuditEntry, ...]:
        """A page of it."""
        found = (
            entry
            for number, entry in sorted(self._current.state.audit.items())
            if number > after
            and (
                (projects is None and teams is None)
                or entry.project_id in (projects or ())
                or entry.team_id in (teams or ())
            )
        )
        return tuple(entry for entry, _ in zip(found, range(limit), strict=False))
