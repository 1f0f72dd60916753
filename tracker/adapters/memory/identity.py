"""Users in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tracker.adapters.memory.state import Current
from tracker.domain.errors import NotFound
from tracker.domain.identity.actor import User
from tracker.domain.ids import UserId

__all__ = ["MemoryUserRepository"]


class MemoryUserRepository:
    """Keeps the port :class:`tracker.ports.identity.UserRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def get(self, user_id: UserId) -> User:
        """The user."""
        try:
            return self._current.state.users[user_id]
        except KeyError as error:
            raise NotFound.of("user", user_id) from error

    async def get_many(self, user_ids: Collection[UserId]) -> Mapping[UserId, User]:
        """Those that exist."""
        users = self._current.state.users
        return {user_id: users[user_id] for user_id in user_ids if user_id in users}
