"""What an installation decided about its accounts."""

from __future__ import annotations

from datetime import timedelta

from tracker.domain.frozen import Frozen
from tracker.domain.identity.sign_in.external import GroupRole

__all__ = ["IdentityRules"]


class IdentityRules(Frozen):
    """What an installation decided about its accounts.

    Attributes:
        registration_open: whether strangers may make themselves an account.
        session_length: for how long a login holds.
        code_length: for how long a code for a password or a set-up holds.
        public_url: where people reach this server, for links and redirects; ``None`` = not told.
        group_roles: what the identity provider's groups mean here.
    """

    registration_open: bool = True
    session_length: timedelta = timedelta(days=7)
    code_length: timedelta = timedelta(hours=24)
    public_url: str | None = None
    group_roles: tuple[GroupRole, ...] = ()
