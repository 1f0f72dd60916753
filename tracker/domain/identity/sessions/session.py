"""A login: what the bearer of its token may claim, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

from pydantic import AwareDatetime

from tracker.domain.errors import Unauthenticated
from tracker.domain.frozen import Frozen
from tracker.domain.ids import SessionId, UserId

__all__ = ["AUDIENCE", "Session", "token_refused"]

AUDIENCE = "session"
"""For whom session tokens are signed."""


class Session(Frozen):
    """What a session token says. Its signature proves that we said it; the database, that it still holds.

    Attributes:
        epoch: the user's at the login; see :class:`~tracker.domain.identity.accounts.user.User`.
    """

    id: SessionId
    user_id: UserId
    epoch: int
    expires_at: AwareDatetime

    @classmethod
    def of_claims(cls, claims: Mapping[str, str | int]) -> Self:
        """The session that a token of ours claims.

        Raises:
            Unauthenticated: it claims something else.
        """
        try:
            return cls(
                id=SessionId(UUID(str(claims["sid"]))),
                user_id=UserId(UUID(str(claims["sub"]))),
                epoch=int(claims["epoch"]),
                expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
            )
        except (KeyError, ValueError) as error:
            raise token_refused() from error

    @property
    def claims(self) -> Mapping[str, str | int]:
        """What its token says beside its end."""
        return {"sub": str(self.user_id), "sid": str(self.id), "epoch": self.epoch}


def token_refused() -> Unauthenticated:
    """The same for every token that opens nothing, whatever the reason."""
    return Unauthenticated("the token is not valid, has run out or was revoked; log in again")
