"""Where teams and memberships are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from tracker.domain.identity.teams.team import ProjectMember, Team, TeamMember
from tracker.domain.ids import ProjectId, TeamId, UserId

__all__ = ["MemberRepository", "TeamRepository"]


class TeamRepository(Protocol):
    """The teams of an installation."""

    async def get(self, team_id: TeamId) -> Team:
        """The team; in a writing unit nobody else can change it until the unit ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def get_many(self, team_ids: Collection[TeamId]) -> Mapping[TeamId, Team]:
        """Those of them that exist, by id."""
        ...

    async def list(self, *, name: str | None = None) -> tuple[Team, ...]:
        """All teams, or those with exactly this name, oldest first (ties by id)."""
        ...

    async def add(self, team: Team) -> None:
        """Keeps a new team.

        Raises:
            AlreadyExists: the id is taken.
        """
        ...

    async def save(self, team: Team) -> Team:
        """Keeps a changed team, and gives it back with its version counted up.

        Raises:
            NotFound: it was deleted.
            StaleVersion: it was saved by somebody else since it was loaded.
        """
        ...

    async def delete(self, team_id: TeamId) -> None:
        """Removes the team with its memberships and grants; its projects are then in no team.

        Raises:
            NotFound: there is none with this id.
        """
        ...


class MemberRepository(Protocol):
    """Who belongs to which team, and with whom single projects are shared."""

    async def of_team(self, team_id: TeamId) -> tuple[TeamMember, ...]:
        """A team's members, in the order in which they were added (ties by user id)."""
        ...

    async def of_project(self, project_id: ProjectId) -> tuple[ProjectMember, ...]:
        """Those with whom a project is shared, in the order in which they were added (ties by user id)."""
        ...

    async def teams_of(self, user_id: UserId) -> tuple[TeamMember, ...]:
        """A user's places in teams, by the order in which they were added (ties by team id)."""
        ...

    async def put(self, member: TeamMember | ProjectMember) -> None:
        """Keeps somebody's place; one that is there already gets the new role and keeps its date.

        Raises:
            NotFound: the user, team or project does not exist.
        """
        ...

    async def remove(self, member: TeamMember | ProjectMember) -> None:
        """Removes somebody's place; one that is not there is no error."""
        ...
