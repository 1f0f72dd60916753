"""Where the audit log is kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from tracker.domain.identity.audit.entry import AuditEntry
from tracker.domain.ids import ProjectId, TeamId

__all__ = ["AuditRepository"]


class AuditRepository(Protocol):
    """The audit log. There is no way to change or remove an entry."""

    async def last(self) -> AuditEntry | None:
        """The newest entry."""
        ...

    async def append(self, entry: AuditEntry) -> None:
        """Keeps an entry, of which the unit made sure that it follows the last.

        Raises:
            AlreadyExists: its number is taken.
        """
        ...

    async def list(
        self,
        *,
        projects: Collection[ProjectId] | None = None,
        teams: Collection[TeamId] | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> tuple[AuditEntry, ...]:
        """Entries about any of these projects or teams by number, at most `limit` beyond the number
        `after`. With both ``None`` all entries."""
        ...
