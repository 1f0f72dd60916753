"""The audit log on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.identity.audit.entry import AuditEntry, Outcome
from tracker.domain.identity.audit.service import AuditReport
from tracker.domain.json_tree import thaw

from .wire import Closed

__all__ = ["AuditEntryOut", "AuditQuery", "AuditReportOut", "VerifyQuery", "audit_entry_out", "report_out"]


class AuditQuery(Closed):
    """Which part of the log: of a project, of a team, or all of it."""

    projectId: UUID | None = None
    teamId: UUID | None = None
    after: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class VerifyQuery(Closed):
    """What an earlier check gave as the head of the chain."""

    head: Annotated[str, Field(pattern=r"^[0-9]{1,19}:[0-9a-f]{64}$")] | None = None


class AuditEntryOut(TypedDict):
    """Who did what on what, when, from where, and how it went."""

    number: int
    at: datetime
    what: str
    kind: str
    key: str
    outcome: Outcome
    userId: UUID | None
    apiTokenId: UUID | None
    origin: str
    projectId: UUID | None
    teamId: UUID | None
    detail: dict[str, Any]
    digest: str


class AuditReportOut(TypedDict):
    """Whether the chain holds."""

    entries: int
    head: str
    problems: Sequence[str]


def audit_entry_out(entry: AuditEntry) -> AuditEntryOut:
    """An entry as the API shows it."""
    return {
        "number": entry.number,
        "at": entry.at,
        "what": entry.what,
        "kind": entry.kind,
        "key": entry.key,
        "outcome": entry.outcome,
        "userId": entry.user_id,
        "apiTokenId": entry.api_token_id,
        "origin": entry.origin,
        "projectId": entry.project_id,
        "teamId": entry.team_id,
        "detail": thaw(entry.detail),
        "digest": entry.digest.hex(),
    }


def report_out(report: AuditReport) -> AuditReportOut:
    """A report as the API shows it."""
    return {"entries": report.entries, "head": report.head, "problems": report.problems}
