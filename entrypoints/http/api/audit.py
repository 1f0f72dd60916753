"""The audit log."""

from __future__ import annotations

from tracker.domain.identity.audit.entry import AuditEntry
from tracker.domain.identity.audit.service import AuditService
from tracker.domain.ids import ProjectId, TeamId

from ..exchange import Call
from ..media import encoded
from ..schemas.audit import (
    AuditEntryOut,
    AuditQuery,
    AuditReportOut,
    VerifyQuery,
    audit_entry_out,
    report_out,
)

__all__ = ["Audit"]


class Audit:
    """``/api/audit``."""

    def __init__(self, audit: AuditService) -> None:
        self._audit = audit

    async def read(self, call: Call[None, AuditQuery]) -> list[AuditEntryOut]:
        """A page of it."""
        return [audit_entry_out(entry) for entry in await self._page(call)]

    async def export(self, call: Call[None, AuditQuery]) -> bytes:
        """A page of it as JSON lines; the next one begins after the last number."""
        return b"".join(encoded(audit_entry_out(entry)) + b"\n" for entry in await self._page(call))

    async def verify(self, call: Call[None, VerifyQuery]) -> AuditReportOut:
        """Whether the chain holds."""
        return report_out(await self._audit.verify(call.actor, call.query.head))

    async def _page(self, call: Call[None, AuditQuery]) -> tuple[AuditEntry, ...]:
        query = call.query
        return await self._audit.read(
            call.actor,
            project_id=None if query.projectId is None else ProjectId(query.projectId),
            team_id=None if query.teamId is None else TeamId(query.teamId),
            after=query.after,
            limit=query.limit,
        )
