"""A code that does one thing once: reset a password, or set an installation up."""

from __future__ import annotations

import hmac
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field

from tracker.domain.frozen import Frozen
from tracker.domain.identity.secret import secret_hash
from tracker.domain.ids import CodeId, UserId

__all__ = ["OneTimeCode", "Purpose"]


class Purpose(StrEnum):
    """What a code is for."""

    RESET_PASSWORD = "reset_password"  # noqa: S105 - not a password
    SETUP = "setup"


class OneTimeCode(Frozen):
    """What is kept of a code: never the code itself.

    Attributes:
        user_id: whose password it resets; ``None`` for a set-up.
        digest: SHA-256 of its secret.
    """

    id: CodeId
    purpose: Purpose
    user_id: UserId | None = None
    digest: bytes = Field(repr=False)
    created_at: AwareDatetime
    expires_at: AwareDatetime
    used_at: AwareDatetime | None = None

    def opens(self, purpose: Purpose, secret: bytes, at: datetime) -> bool:
        """Whether `secret` is its own, for this purpose, in time and for the first time."""
        same = hmac.compare_digest(self.digest, secret_hash(secret))
        return same and self.purpose is purpose and self.used_at is None and at < self.expires_at

    def used(self, at: datetime) -> Self:
        """The code after its one use."""
        return self.evolve(used_at=at)
