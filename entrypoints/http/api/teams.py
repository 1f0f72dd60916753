"""Teams."""

from __future__ import annotations

from typing import Any

from tracker.domain.identity.teams.service import TeamService
from tracker.domain.ids import TeamId, UserId

from ..exchange import Call
from ..schemas.access import HandOver
from ..schemas.answers import DeletedOut, NoQuery
from ..schemas.teams import (
    MemberEdit,
    MemberIn,
    MemberOut,
    MemberRemove,
    TeamCreate,
    TeamEdit,
    TeamOut,
    member_out,
    team_out,
)

__all__ = ["Teams"]


class Teams:
    """``/api/teams``."""

    def __init__(self, teams: TeamService) -> None:
        self._teams = teams

    async def create(self, call: Call[TeamCreate, NoQuery]) -> TeamOut:
        """A new one."""
        body = call.body
        return team_out(await self._teams.create(call.actor, body.name, description=body.description or ""))

    async def index(self, call: Call[None, NoQuery]) -> list[TeamOut]:
        """All that the actor may see."""
        return [team_out(team) for team in await self._teams.list(call.actor)]

    async def show(self, call: Call[None, NoQuery]) -> TeamOut:
        """One."""
        return team_out(await self._teams.get(call.actor, _id(call)))

    async def edit(self, call: Call[TeamEdit, NoQuery]) -> TeamOut:
        """One after changes."""
        team_id = TeamId(call.body.id)
        return team_out(await self._teams.edit(call.actor, team_id, **call.body.changes()))

    async def delete(self, call: Call[None, NoQuery]) -> DeletedOut:
        """Removes one."""
        await self._teams.delete(call.actor, _id(call))
        return {"success": True}

    async def members(self, call: Call[None, NoQuery]) -> list[MemberOut]:
        """Who belongs to it."""
        return [member_out(each) for each in await self._teams.members(call.actor, _id(call))]

    async def add_member(self, call: Call[MemberIn, NoQuery]) -> MemberOut:
        """Somebody new."""
        body = call.body
        user_id = None if body.user_id is None else UserId(body.user_id)
        return member_out(
            await self._teams.add_member(
                call.actor, TeamId(body.team_id), body.role, user_id=user_id, email=body.email
            )
        )

    async def change_member(self, call: Call[MemberEdit, NoQuery]) -> MemberOut:
        """A member in another role."""
        body = call.body
        return member_out(
            await self._teams.change_member(call.actor, TeamId(body.team_id), UserId(body.user_id), body.role)
        )

    async def remove_member(self, call: Call[MemberRemove, NoQuery]) -> DeletedOut:
        """Somebody leaves."""
        team_id, user_id = TeamId(call.body.team_member_id), UserId(call.body.user_id)
        await self._teams.remove_member(call.actor, team_id, user_id)
        return {"success": True}

    async def transfer(self, call: Call[HandOver, NoQuery]) -> list[MemberOut]:
        """The members under another owner."""
        await self._teams.transfer(call.actor, _id(call), UserId(call.body.user_id))
        return [member_out(each) for each in await self._teams.members(call.actor, _id(call))]


def _id(call: Call[Any, Any]) -> TeamId:
    return TeamId(call.path["team_id"])
