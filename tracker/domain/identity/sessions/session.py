"""A login: what the bearer of its token may claim, and until when."""

from __future__ import annotations

from pydantic import AwareDatetime

from tracker.domain.frozen import Frozen
from tracker.domain.ids import SessionId, UserId

__all__ = ["Session"]


class Session(Frozen):
    """What a session token says. Its signature proves that we said it; the database, that it still holds.

    Attributes:
        epoch: the user's at the login; see :class:`~tracker.domain.identity.accounts.user.User`.
    """

    id: SessionId
    user_id: UserId
    epoch: int
    expires_at: AwareDatetime
