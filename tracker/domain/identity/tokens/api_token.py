"""An API token: a part of what its user may do, for a program."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from tracker.domain.frozen import Frozen
from tracker.domain.identity.actions import Action
from tracker.domain.identity.secret import parse_secret, secret_hash, secret_text
from tracker.domain.ids import ApiTokenId, UserId
from tracker.domain.text import Description, storable

__all__ = ["PREFIX", "ApiToken", "parse_api_token", "plain_api_token"]

PREFIX = "pat_"
_USE_NOTED_EVERY = timedelta(minutes=1)

TokenName = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(storable)]


class ApiToken(Frozen):
    """What is kept of a token: never the token itself.

    Attributes:
        digest: SHA-256 of its secret.
        scopes: the actions it is limited to; its user's own limits hold as well.
        last_used_at: to the minute.
    """

    id: ApiTokenId
    user_id: UserId
    name: TokenName
    description: Description = ""
    digest: bytes = Field(repr=False)
    scopes: frozenset[Action]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    last_used_at: AwareDatetime | None = None

    def opens(self, secret: bytes, at: datetime) -> bool:
        """Whether `secret` is its own and it still holds."""
        same = hmac.compare_digest(self.digest, secret_hash(secret))
        return same and self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def is_use_worth_noting(self, at: datetime) -> bool:
        """Whether the last use that was noted lies a minute back."""
        return self.last_used_at is None or at - self.last_used_at >= _USE_NOTED_EVERY

    def revoked(self, at: datetime) -> Self:
        """The token that opens nothing any more; the first revocation counts."""
        return self if self.revoked_at is not None else self.evolve(revoked_at=at)


def plain_api_token(token_id: ApiTokenId, secret: bytes) -> str:
    """What its user is shown, once."""
    return PREFIX + secret_text(token_id, secret)


def parse_api_token(text: str) -> tuple[ApiTokenId, bytes] | None:
    """Id and secret of a plain token; ``None`` for text that is none."""
    parsed = parse_secret(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None
    return None if parsed is None else (ApiTokenId(parsed[0]), parsed[1])
