"""Where users are kept, and how they prove who they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.recovery.one_time_code import OneTimeCode, Purpose
from tracker.domain.identity.sessions.session import Session
from tracker.domain.identity.standing import Standing
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.ids import ApiTokenId, CodeId, UserId

__all__ = ["ApiTokenRepository", "CodeRepository", "StandingRepository", "UserRepository"]


class UserRepository(Protocol):
    """The users of an installation. The local user is always there."""

    async def get(self, user_id: UserId) -> User:
        """The user; in a writing unit nobody else can change it until the unit ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def get_many(self, user_ids: Collection[UserId]) -> Mapping[UserId, User]:
        """Those of them that exist, by id."""
        ...

    async def find_by_email(self, email: str) -> User | None:
        """The user with exactly this address, which is in lower case."""
        ...

    async def find_external(self, issuer: str, subject: str) -> User | None:
        """The user whom an identity provider knows as this."""
        ...

    async def list(self) -> tuple[User, ...]:
        """All users, oldest first (ties by id)."""
        ...

    async def add(self, user: User) -> None:
        """Keeps a new user.

        Raises:
            AlreadyExists: the id or the address is taken.
        """
        ...

    async def save(self, user: User) -> User:
        """Keeps a changed user, and gives it back with its version counted up.

        Raises:
            NotFound: it was deleted.
            AlreadyExists: the address is another user's.
            StaleVersion: it was saved by somebody else since it was loaded.
        """
        ...

    async def link_external(self, issuer: str, subject: str, user_id: UserId) -> None:
        """Notes whom an identity provider means.

        Raises:
            AlreadyExists: it means somebody already.
            NotFound: there is no such user.
        """
        ...

    async def unlink_external(self, user_id: UserId) -> None:
        """Forgets whom identity providers mean by this user, if any does."""
        ...

    async def delete(self, user_id: UserId) -> None:
        """Removes the user with their tokens, sessions, memberships and grants.

        Raises:
            NotFound: there is none with this id.
            Conflict: projects are still theirs.
        """
        ...


class StandingRepository(Protocol):
    """Everything that a request's credentials lead to, each in one query."""

    async def changes(self) -> int:
        """A number that is another one as soon as anything that any standing holds was changed and
        committed; it may change without. The last use of a token does not count.

        Whoever asks for it before a standing may take that standing for the present one as long as the
        number stays the same.
        """
        ...

    async def of_user(self, user_id: UserId) -> Standing:
        """Where the user stands.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def of_api_token(self, token_id: ApiTokenId) -> Standing:
        """Where the token's user stands, and the token.

        Raises:
            NotFound: there is no such token.
        """
        ...

    async def end_session(self, session: Session) -> None:
        """Notes that a session ended early; ending it again is no error.

        Raises:
            NotFound: there is no such user.
        """
        ...

    async def forget_sessions(self, before: datetime) -> None:
        """Forgets the early ends of sessions that have run out before then anyway."""
        ...


class ApiTokenRepository(Protocol):
    """API tokens of all users."""

    async def get(self, token_id: ApiTokenId) -> ApiToken:
        """The token.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def of_user(self, user_id: UserId) -> tuple[ApiToken, ...]:
        """A user's tokens, revoked ones too, oldest first (ties by id)."""
        ...

    async def add(self, token: ApiToken) -> None:
        """Keeps a new token.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its user does not exist.
        """
        ...

    async def save(self, token: ApiToken) -> None:
        """Keeps a changed token; its last use stays the later of the two.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def note_use(self, token_id: ApiTokenId, at: datetime) -> None:
        """Notes a use that lies later than the one noted; an unknown token is no error."""
        ...


class CodeRepository(Protocol):
    """One-time codes."""

    async def get(self, code_id: CodeId) -> OneTimeCode:
        """The code; in a writing unit nobody else can use it until the unit ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def latest(self, purpose: Purpose) -> OneTimeCode | None:
        """The newest code for something, used or not."""
        ...

    async def replace(self, code: OneTimeCode) -> None:
        """Keeps a new code in place of all others of its purpose and user.

        Raises:
            NotFound: its user does not exist.
        """
        ...

    async def save(self, code: OneTimeCode) -> None:
        """Keeps a changed code.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def forget(self, user_id: UserId) -> None:
        """Removes all codes of a user, if there are any."""
        ...
