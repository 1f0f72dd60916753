"""Teams and memberships in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.identity_tables import project_members, team_members, teams
from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.errors import NotFound, StaleVersion
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import ProjectMember, Team, TeamMember
from tracker.domain.ids import ProjectId, TeamId, UserId

__all__ = ["SqlMemberRepository", "SqlTeamRepository"]


class SqlTeamRepository:
    """Keeps the port :class:`tracker.ports.teams.TeamRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, team_id: TeamId) -> Team:
        """The team."""
        found = await self._session.find(_BY_ID, team_id)
        if found is None:
            raise NotFound.of("team", team_id)
        return found

    async def get_many(self, team_ids: Collection[TeamId]) -> Mapping[TeamId, Team]:
        """Those that exist."""
        if not team_ids:
            return {}
        rows = await self._session.rows(sa.select(teams).where(teams.c.id.in_(team_ids)))
        return {row.id: _team(row) for row in rows}

    async def list(self, *, name: str | None = None) -> tuple[Team, ...]:
        """All of them, or those of one name, oldest first."""
        statement = sa.select(teams).order_by(teams.c.created_at, teams.c.id)
        if name is not None:
            statement = statement.where(teams.c.name == name)
        return tuple(map(_team, await self._session.rows(statement)))

    async def add(self, team: Team) -> None:
        """Keeps a new one."""
        with inserting("team", team.id):
            await self._session.run(sa.insert(teams).values(team.__dict__))

    async def save(self, team: Team) -> Team:
        """Keeps a changed one."""
        saved = team.evolve(version=team.version + 1)
        statement = sa.update(teams).where(teams.c.id == team.id, teams.c.version == team.version)
        if not await self._session.run(statement.values(saved.__dict__)):
            await self.get(team.id)
            raise StaleVersion.of("team", team.id)
        return saved

    async def delete(self, team_id: TeamId) -> None:
        """Removes it; its projects stay."""
        if not await self._session.run(sa.delete(teams).where(teams.c.id == team_id)):
            raise NotFound.of("team", team_id)


class SqlMemberRepository:
    """Keeps the port :class:`tracker.ports.teams.MemberRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of_team(self, team_id: TeamId) -> tuple[TeamMember, ...]:
        """A team's."""
        return await self._team_members(
            team_members.c.team_id == team_id, order=(team_members.c.added_at, team_members.c.user_id)
        )

    async def of_project(self, project_id: ProjectId) -> tuple[ProjectMember, ...]:
        """A project's."""
        statement = (
            sa.select(project_members)
            .where(project_members.c.project_id == project_id)
            .order_by(project_members.c.added_at, project_members.c.user_id)
        )
        rows = await self._session.rows(statement)
        return tuple(ProjectMember(**{**row._mapping, "role": Role(row.role)}) for row in rows)

    async def teams_of(self, user_id: UserId) -> tuple[TeamMember, ...]:
        """A user's."""
        return await self._team_members(
            team_members.c.user_id == user_id, order=(team_members.c.added_at, team_members.c.team_id)
        )

    async def put(self, member: TeamMember | ProjectMember) -> None:
        """Keeps a place, or changes its role."""
        insert = insert_into(_table(member), self._session.dialect).values(
            {**member.__dict__, "role": member.role.value}
        )
        with inserting("user", member.user_id):
            await self._session.run(
                insert.on_conflict_do_update(
                    index_elements=list(_table(member).primary_key), set_={"role": insert.excluded.role}
                )
            )

    async def remove(self, member: TeamMember | ProjectMember) -> None:
        """Removes a place."""
        table = _table(member)
        place = (
            table.c.team_id == member.team_id
            if isinstance(member, TeamMember)
            else table.c.project_id == member.project_id
        )
        await self._session.run(sa.delete(table).where(place, table.c.user_id == member.user_id))

    async def _team_members(
        self, which: sa.ColumnElement[bool], order: tuple[sa.Column[Any], ...]
    ) -> tuple[TeamMember, ...]:
        rows = await self._session.rows(sa.select(team_members).where(which).order_by(*order))
        return tuple(TeamMember(**{**row._mapping, "role": Role(row.role)}) for row in rows)


def _table(member: TeamMember | ProjectMember) -> sa.Table:
    return team_members if isinstance(member, TeamMember) else project_members


def _team(row: Row) -> Team:
    return Team(**row._mapping)


_BY_ID = Lookup.of_one(sa.select(teams), teams.c.id, _team)
