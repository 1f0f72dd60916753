"""Where grants of single actions are kept."""

from __future__ import annotations

from typing import Protocol

from tracker.domain.identity.permissions.grant import Grant
from tracker.domain.ids import GrantId, ProjectId, TeamId, UserId

__all__ = ["GrantRepository"]


class GrantRepository(Protocol):
    """Single actions allowed or denied."""

    async def get(self, grant_id: GrantId) -> Grant:
        """The grant.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def on(self, place: ProjectId | TeamId) -> tuple[Grant, ...]:
        """Those of one project or team, expired ones too, oldest first (ties by id)."""
        ...

    async def of_user(self, user_id: UserId) -> tuple[Grant, ...]:
        """Those of one user, expired ones too, oldest first (ties by id)."""
        ...

    async def put(self, grant: Grant) -> Grant:
        """Keeps a grant; one with the same user, action, effect and place is replaced but for its id.

        Returns:
            The grant as kept.

        Raises:
            NotFound: the user, project or team does not exist.
        """
        ...

    async def remove(self, grant_id: GrantId) -> None:
        """Removes a grant.

        Raises:
            NotFound: there is none with this id.
        """
        ...
