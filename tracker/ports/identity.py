"""Where users are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from tracker.domain.identity.actor import User
from tracker.domain.ids import UserId

__all__ = ["UserRepository"]


class UserRepository(Protocol):
    """The users of an installation. The local user is always there."""

    async def get(self, user_id: UserId) -> User:
        """The user.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def get_many(self, user_ids: Collection[UserId]) -> Mapping[UserId, User]:
        """Those of them that exist, by id."""
        ...
