"""Teams and memberships in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar
from uuid import UUID

from tracker.adapters.memory.state import Current, MemberKey
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.identity.teams.team import ProjectMember, Team, TeamMember
from tracker.domain.ids import ProjectId, TeamId, UserId

__all__ = ["MemoryMemberRepository", "MemoryTeamRepository"]

M = TypeVar("M", TeamMember, ProjectMember)


class MemoryTeamRepository:
    """Keeps the port :class:`tracker.ports.teams.TeamRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def get(self, team_id: TeamId) -> Team:
        """The team."""
        try:
            return self._current.state.teams[team_id]
        except KeyError as error:
            raise NotFound.of("team", team_id) from error

    async def get_many(self, team_ids: Collection[TeamId]) -> Mapping[TeamId, Team]:
        """Those that exist."""
        teams = self._current.state.teams
        return {team_id: teams[team_id] for team_id in team_ids if team_id in teams}

    async def list(self, *, name: str | None = None) -> tuple[Team, ...]:
        """All of them, or those of one name, oldest first."""
        found = (team for team in self._current.state.teams.values() if name is None or team.name == name)
        return tuple(sorted(found, key=lambda team: (team.created_at, team.id)))

    async def add(self, team: Team) -> None:
        """Keeps a new one."""
        if team.id in self._current.state.teams:
            raise AlreadyExists(f"team {team.id} is there already")
        self._current.state.teams[team.id] = team

    async def save(self, team: Team) -> Team:
        """Keeps a changed one."""
        present = await self.get(team.id)
        if present.version != team.version:
            raise StaleVersion.of("team", team.id)
        saved = team.evolve(version=team.version + 1)
        self._current.state.teams[team.id] = saved
        return saved

    async def delete(self, team_id: TeamId) -> None:
        """Removes it; its projects stay."""
        await self.get(team_id)
        state = self._current.state
        del state.teams[team_id]
        state.members = {key: member for key, member in state.members.items() if key[0] != team_id}
        state.grants = {key: grant for key, grant in state.grants.items() if grant.team_id != team_id}
        for project in [p for p in state.projects.values() if p.team_id == team_id]:
            state.projects[project.id] = project.evolve(team_id=None)


class MemoryMemberRepository:
    """Keeps the port :class:`tracker.ports.teams.MemberRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def of_team(self, team_id: TeamId) -> tuple[TeamMember, ...]:
        """A team's."""
        return self._ordered(m for m in self._all(TeamMember) if m.team_id == team_id)

    async def of_project(self, project_id: ProjectId) -> tuple[ProjectMember, ...]:
        """A project's."""
        return self._ordered(m for m in self._all(ProjectMember) if m.project_id == project_id)

    async def teams_of(self, user_id: UserId) -> tuple[TeamMember, ...]:
        """A user's."""
        found = (member for member in self._all(TeamMember) if member.user_id == user_id)
        return tuple(sorted(found, key=lambda member: (member.added_at, member.team_id)))

    async def put(self, member: TeamMember | ProjectMember) -> None:
        """Keeps a place, or changes its role."""
        state = self._current.state
        key = _key(member)
        if member.user_id not in state.users:
            raise NotFound.of("user", member.user_id)
        if key[0] not in state.teams and key[0] not in state.projects:
            raise NotFound(f"user {member.user_id}: what they are to belong to was not found")
        present = state.members.get(key)
        state.members[key] = member if present is None else present.evolve(role=member.role)

    async def remove(self, member: TeamMember | ProjectMember) -> None:
        """Removes a place."""
        self._current.state.members.pop(_key(member), None)

    def _all(self, kind: type[M]) -> Iterable[M]:
        return (member for member in self._current.state.members.values() if isinstance(member, kind))

    def _ordered(self, members: Iterable[M]) -> tuple[M, ...]:
        return tuple(sorted(members, key=lambda member: (member.added_at, member.user_id)))


def _key(member: TeamMember | ProjectMember) -> MemberKey:
    place: UUID = member.team_id if isinstance(member, TeamMember) else member.project_id
    return place, member.user_id
