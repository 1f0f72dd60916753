"""Where a user stands now: all that has to be known to judge a request of theirs."""

from __future__ import annotations

from pydantic import Field

from tracker.domain.frozen import Frozen
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import Access
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.ids import SessionId

__all__ = ["Standing"]


class Standing(Frozen):
    """A user with what they were given.

    Attributes:
        ended_sessions: those of their sessions that were ended before they ran out.
        api_token: the API token by which the user was looked up, if it was one.
    """

    user: User
    access: Access = Field(default_factory=Access)
    ended_sessions: frozenset[SessionId] = frozenset()
    api_token: ApiToken | None = None
