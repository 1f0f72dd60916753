"""Teams on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from typing_extensions import TypedDict

from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.service import MemberDetail
from tracker.domain.identity.teams.team import Team

from .projects import OwnerOut, owner_out
from .users import EmailText
from .wire import CamelBody, DescriptionText, Json, NameText, absent

__all__ = [
    "HandedOut", "MemberEdit", "MemberIn", "MemberOut", "MemberRemove", "TeamCreate", "TeamEdit", "TeamOut",
    "member_out", "team_out",
]  # fmt: skip

HandedOut = Literal["viewer", "member", "admin", "owner"]


class TeamCreate(CamelBody):
    """A new team."""

    name: NameText
    description: DescriptionText | None = None


class TeamEdit(CamelBody):
    """Changes to a team."""

    id: UUID
    name: NameText
    description: DescriptionText | None = absent()

    def changes(self) -> Json:
        """The fields that the request had."""
        changes = {name: value for name, value in self.given().items() if name != "id"}
        if "description" in changes:
            changes["description"] = changes["description"] or ""
        return changes


class MemberIn(CamelBody):
    """Somebody for a team, named by id or by e-mail."""

    user_id: UUID | None = None
    email: EmailText | None = None
    team_id: UUID
    role: Role


class MemberEdit(CamelBody):
    """A member's new role."""

    user_id: UUID
    team_id: UUID
    role: Role


class MemberRemove(CamelBody):
    """Who leaves which team; clients call the team `teamMemberId`."""

    user_id: UUID
    team_member_id: UUID


class TeamOut(TypedDict):
    """A team."""

    id: UUID
    name: str
    description: str
    createdAt: datetime


class MemberOut(TypedDict):
    """Somebody's place in a team."""

    userId: UUID
    teamId: UUID
    role: Role
    addedAt: datetime
    user: OwnerOut


def team_out(team: Team) -> TeamOut:
    """A team as the API shows it."""
    return {
        "id": team.id,
        "name": team.name,
        "description": team.description,
        "createdAt": team.created_at,
    }


def member_out(detail: MemberDetail) -> MemberOut:
    """A member as the API shows it."""
    member, user = detail
    return {
        "userId": member.user_id,
        "teamId": member.team_id,
        "role": member.role,
        "addedAt": member.added_at,
        "user": owner_out(user),
    }
