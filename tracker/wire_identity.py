"""Between the JSON of the HTTP API and people, teams, tokens and permissions, as a client sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic.alias_generators import to_camel

from tracker.areas.identity import Account, AuditReport, Explanation, Member, NewToken, Token
from tracker.domain.identity.audit.entry import AuditEntry, Outcome
from tracker.domain.identity.permissions.grant import Effect, Grant
from tracker.domain.identity.policy import Action, Reason
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import Team
from tracker.domain.ids import ApiTokenId, GrantId, ProjectId, TeamId, UserId

__all__ = [
    "account_from", "audit_entry_from", "body_of", "explanation_from", "grant_from", "member_from",
    "new_token_from", "report_from", "team_from", "token_from",
]  # fmt: skip

Json = Mapping[str, Any]


def body_of(fields: Json) -> dict[str, Any]:
    """Fields under the API's names, as JSON has them."""
    return {to_camel(name): _json(value) for name, value in fields.items()}


def account_from(found: Json) -> Account:
    """A user."""
    told = {name: found[name] for name in Account.model_fields if name not in ("id", "created_at")}
    return Account(
        id=UserId(UUID(found["id"])), created_at=datetime.fromisoformat(found["created_at"]), **told
    )


def team_from(found: Json) -> Team:
    """A team; its version is not told and stays 0."""
    return Team(
        id=TeamId(UUID(found["id"])),
        name=found["name"],
        description=found["description"],
        created_at=datetime.fromisoformat(found["createdAt"]),
    )


def member_from(found: Json) -> Member:
    """A member of a team, or somebody with whom a project is shared."""
    return Member(
        user_id=UserId(UUID(found["userId"])),
        email=found["user"]["email"],
        display_name=found["user"]["displayName"],
        role=Role(found["role"]),
        added_at=datetime.fromisoformat(found["addedAt"]),
    )


def token_from(found: Json) -> Token:
    """An API token, without itself."""
    return Token(
        id=ApiTokenId(UUID(found["id"])),
        name=found["name"],
        description=found["description"],
        scopes=frozenset(map(Action, found["scopes"])),
        created_at=datetime.fromisoformat(found["createdAt"]),
        expires_at=_moment(found["expiresAt"]),
        revoked=found["revoked"],
        last_used_at=_moment(found["lastUsedAt"]),
    )


def new_token_from(found: Json) -> NewToken:
    """An API token that was just made."""
    return NewToken(
        id=ApiTokenId(UUID(found["id"])),
        name=found["name"],
        token=found["token"],
        created_at=datetime.fromisoformat(found["createdAt"]),
    )


def grant_from(found: Json) -> Grant:
    """A permission or a denial."""
    granted_by = _id(found["grantedBy"])
    return Grant(
        id=GrantId(UUID(found["id"])),
        user_id=UserId(UUID(found["userId"])),
        action=Action(found["action"]),
        effect=Effect(found["effect"]),
        project_id=_project(found),
        team_id=_team(found),
        until=_moment(found["until"]),
        granted_by=None if granted_by is None else UserId(granted_by),
        created_at=datetime.fromisoformat(found["createdAt"]),
    )


def explanation_from(found: Json) -> Explanation:
    """An answer and why."""
    return Explanation(
        allowed=found["allowed"],
        reason=Reason(found["reason"]),
        role=None if found["role"] is None else Role(found["role"]),
        why=found["why"],
    )


def audit_entry_from(found: Json) -> AuditEntry:
    """An entry of the audit log."""
    user_id, token_id = _id(found["userId"]), _id(found["apiTokenId"])
    return AuditEntry(
        number=found["number"],
        at=datetime.fromisoformat(found["at"]),
        what=found["what"],
        kind=found["kind"],
        key=found["key"],
        outcome=Outcome(found["outcome"]),
        user_id=None if user_id is None else UserId(user_id),
        api_token_id=None if token_id is None else ApiTokenId(token_id),
        origin=found["origin"],
        project_id=_project(found),
        team_id=_team(found),
        detail=found["detail"],
        digest=bytes.fromhex(found["digest"]),
    )


def report_from(found: Json) -> AuditReport:
    """Whether the chain holds."""
    return AuditReport(entries=found["entries"], head=found["head"], problems=tuple(found["problems"]))


def _json(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | list | set | frozenset):
        return [_json(item) for item in value]
    return value


def _project(found: Json) -> ProjectId | None:
    return None if found["projectId"] is None else ProjectId(UUID(found["projectId"]))


def _team(found: Json) -> TeamId | None:
    return None if found["teamId"] is None else TeamId(UUID(found["teamId"]))


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
