"""Permissions on the wire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime
from typing_extensions import TypedDict

from tracker.domain.identity.permissions.grant import Effect, Grant
from tracker.domain.identity.permissions.service import Explanation, Place, ProjectMemberDetail
from tracker.domain.identity.policy import Action, Reason
from tracker.domain.identity.roles import Role
from tracker.domain.ids import ProjectId, TeamId

from .projects import OwnerOut, owner_out
from .wire import CamelBody, Closed

__all__ = [
    "AccessQuery", "ExplainQuery", "ExplanationOut", "GrantIn", "GrantOut", "HandOver", "ProjectMemberEdit",
    "ProjectMemberOut", "ProjectMemberRemove", "explanation_out", "grant_out", "project_member_out",
]  # fmt: skip


class HandOver(CamelBody):
    """Who is to own it."""

    user_id: UUID


class ProjectMemberEdit(CamelBody):
    """Somebody's role on a project."""

    user_id: UUID
    role: Role


class ProjectMemberRemove(CamelBody):
    """Whose role on a project ends."""

    user_id: UUID


class GrantIn(CamelBody):
    """One action, allowed or denied to one person on a project or in a team."""

    user_id: UUID
    action: Action
    effect: Effect = Effect.ALLOW
    project_id: UUID | None = None
    team_id: UUID | None = None
    until: AwareDatetime | None = None

    def place(self) -> Place:
        """Where it holds."""
        return _place(self.project_id, self.team_id)


class AccessQuery(Closed):
    """Of which project or team."""

    projectId: UUID | None = None
    teamId: UUID | None = None

    def place(self) -> Place:
        """The project or team."""
        return _place(self.projectId, self.teamId)


class ExplainQuery(Closed):
    """May this user do this action on this project, or in this team?"""

    user: UUID
    action: Action
    project: UUID | None = None
    team: UUID | None = None

    def place(self) -> Place:
        """The project or team."""
        return _place(self.project, self.team)


class ProjectMemberOut(TypedDict):
    """Somebody with whom a project is shared."""

    userId: UUID
    projectId: UUID
    role: Role
    addedAt: datetime
    user: OwnerOut


class GrantOut(TypedDict):
    """A permission or a denial."""

    id: UUID
    userId: UUID
    action: Action
    effect: Effect
    projectId: UUID | None
    teamId: UUID | None
    until: datetime | None
    grantedBy: UUID | None
    createdAt: datetime


class ExplanationOut(TypedDict):
    """The answer and the rule that gave it."""

    allowed: bool
    reason: Reason
    role: Role | None
    why: str


def _place(project_id: UUID | None, team_id: UUID | None) -> Place:
    return Place(
        None if project_id is None else ProjectId(project_id), None if team_id is None else TeamId(team_id)
    )


def project_member_out(detail: ProjectMemberDetail) -> ProjectMemberOut:
    """Somebody with whom a project is shared, as the API shows it."""
    member, user = detail
    return {
        "userId": member.user_id,
        "projectId": member.project_id,
        "role": member.role,
        "addedAt": member.added_at,
        "user": owner_out(user),
    }


def grant_out(grant: Grant) -> GrantOut:
    """A grant as the API shows it."""
    return {
        "id": grant.id,
        "userId": grant.user_id,
        "action": grant.action,
        "effect": grant.effect,
        "projectId": grant.project_id,
        "teamId": grant.team_id,
        "until": grant.until,
        "grantedBy": grant.granted_by,
        "createdAt": grant.created_at,
    }


def explanation_out(explanation: Explanation) -> ExplanationOut:
    """An explanation as the API shows it."""
    decision = explanation.decision
    return {
        "allowed": decision.allowed,
        "reason": decision.reason,
        "role": decision.role,
        "why": explanation.words,
    }
