"""Grants in memory."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.adapters.memory.state import Current
from tracker.domain.errors import NotFound
from tracker.domain.identity.permissions.grant import Grant
from tracker.domain.ids import GrantId, ProjectId, TeamId, UserId

__all__ = ["MemoryGrantRepository"]


class MemoryGrantRepository:
    """Keeps the port :class:`tracker.ports.permissions.GrantRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def get(self, grant_id: GrantId) -> Grant:
        """The grant."""
        try:
            return self._current.state.grants[grant_id]
        except KeyError as error:
            raise NotFound.of("grant", grant_id) from error

    async def on(self, place: ProjectId | TeamId) -> tuple[Grant, ...]:
        """Those of one place."""
        return _ordered(g for g in self._current.state.grants.values() if place in (g.project_id, g.team_id))

    async def of_user(self, user_id: UserId) -> tuple[Grant, ...]:
        """Those of one user."""
        return _ordered(g for g in self._current.state.grants.values() if g.user_id == user_id)

    async def put(self, grant: Grant) -> Grant:
        """Keeps one, or replaces the one that says the same."""
        state = self._current.state
        if grant.user_id not in state.users:
            raise NotFound.of("user", grant.user_id)
        if grant.team_id not in state.teams and grant.project_id not in state.projects:
            raise NotFound(f"grant {grant.id}: what it is about was not found")
        same = next((present for present in state.grants.values() if _says(present) == _says(grant)), None)
        kept = grant if same is None else grant.evolve(id=same.id)
        state.grants[kept.id] = kept
        return kept

    async def remove(self, grant_id: GrantId) -> None:
        """Removes one."""
        await self.get(grant_id)
        del self._current.state.grants[grant_id]


def _says(grant: Grant) -> tuple[object, ...]:
    return (grant.user_id, grant.action, grant.effect, grant.project_id, grant.team_id)


def _ordered(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    return tuple(sorted(grants, key=lambda grant: (grant.created_at, grant.id)))
