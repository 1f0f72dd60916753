"""The areas of people: users, teams, API tokens, permissions, the audit log.

On a folder everything happens in the name of its owner, who may do all; against a server in the name
of whose token is shown. Roles and actions may be given by their names.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from pydantic import AwareDatetime, Field

from tracker.areas.ids import Id
from tracker.domain.frozen import Frozen
from tracker.domain.identity.audit.entry import AuditEntry
from tracker.domain.identity.permissions.grant import Grant
from tracker.domain.identity.policy import Action, Reason
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import Team
from tracker.domain.ids import ApiTokenId, UserId

__all__ = [
    "Account", "AsyncAudit", "AsyncPermissions", "AsyncTeams", "AsyncTokens", "AsyncUsers", "AuditReport",
    "Explanation", "Member", "NewToken", "Token",
]  # fmt: skip


class Account(Frozen):
    """A user without anything by which they prove who they are."""

    id: UserId
    email: str
    display_name: str
    avatar_url: str | None = None
    is_active: bool = True
    is_superuser: bool = False
    is_verified: bool = False
    created_at: AwareDatetime


class Member(Frozen):
    """Somebody's place in a team, or on a project that was shared with them."""

    user_id: UserId
    email: str
    display_name: str
    role: Role
    added_at: AwareDatetime


class Token(Frozen):
    """An API token, without itself.

    Attributes:
        scopes: the actions it is limited to.
        last_used_at: to the minute.
    """

    id: ApiTokenId
    name: str
    description: str
    scopes: frozenset[Action]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked: bool
    last_used_at: AwareDatetime | None


class NewToken(Frozen):
    """An API token that was just made.

    Attributes:
        token: itself; nobody can be shown it again.
    """

    id: ApiTokenId
    name: str
    token: str = Field(repr=False)
    created_at: AwareDatetime


class Explanation(Frozen):
    """Whether somebody may do something.

    Attributes:
        reason: the rule that answered.
        role: the role that gave it, if one did.
        why: the same as a sentence.
    """

    allowed: bool
    reason: Reason
    role: Role | None
    why: str


class AuditReport(Frozen):
    """What a check of the whole audit log found.

    Attributes:
        entries: how many there are.
        head: of the chain, to be kept elsewhere and given to a later check.
        problems: a sentence each; none when all holds.
    """

    entries: int
    head: str
    problems: tuple[str, ...]


class AsyncUsers(Protocol):
    """Accounts. All but :meth:`me` is for administrators who logged in, not for API tokens."""

    async def me(self) -> Account:
        """In whose name everything happens."""
        ...

    async def list(self) -> tuple[Account, ...]:
        """All users."""
        ...

    async def get(self, user_id: Id) -> Account:
        """The user with this id. Raises ``NotFound``."""
        ...

    async def find(self, email: str) -> Account | None:
        """The user with this e-mail address, or ``None``."""
        ...

    async def create(
        self,
        email: str,
        password: str | None = None,
        *,
        display_name: str | None = None,
        is_superuser: bool = False,
    ) -> Account:
        """A new user; without a password they can sign in at the identity provider only.

        Raises ``AlreadyRegistered``.
        """
        ...

    async def edit(self, /, user_id: Id, **changes: Any) -> Account:
        """The user after `changes` to display_name, is_active, is_superuser, is_verified or password."""
        ...

    async def delete(
        self, user_id: Id, *, transfer_to: Id | None = None, delete_everything: bool = False
    ) -> None:
        """Removes the user. What they own goes to `transfer_to`, or with them.

        Raises ``Conflict`` when they own something and neither is given.
        """
        ...


class AsyncTeams(Protocol):
    """Teams and who belongs to them."""

    async def list(self) -> tuple[Team, ...]:
        """All visible ones, oldest first."""
        ...

    async def get(self, team_id: Id) -> Team:
        """The team with this id. Raises ``NotFound``."""
        ...

    async def find(self, name: str) -> Team | None:
        """The oldest team with exactly this name, or ``None``."""
        ...

    async def create(self, name: str, *, description: str = "") -> Team:
        """A new team, whose owner is who makes it."""
        ...

    async def edit(self, /, team_id: Id, **changes: Any) -> Team:
        """The team after `changes` to name or description."""
        ...

    async def delete(self, team_id: Id) -> None:
        """Removes the team; its projects stay with their owners."""
        ...

    async def members(self, team_id: Id) -> tuple[Member, ...]:
        """Who belongs to it, in the order in which they were added."""
        ...

    async def add(
        self, team_id: Id, role: Role | str, *, user_id: Id | None = None, email: str | None = None
    ) -> Member:
        """Somebody new in the team, named by id or by e-mail."""
        ...

    async def change(self, team_id: Id, user_id: Id, role: Role | str) -> Member:
        """A member with another role."""
        ...

    async def remove(self, team_id: Id, user_id: Id) -> None:
        """Takes somebody out; everybody but the owner may leave by themselves."""
        ...

    async def transfer(self, team_id: Id, user_id: Id) -> tuple[Member, ...]:
        """The members after one of them was made the owner."""
        ...


class AsyncTokens(Protocol):
    """One's own API tokens; the owner of a folder needs none and is refused."""

    async def list(self) -> tuple[Token, ...]:
        """All of them, revoked ones too, oldest first."""
        ...

    async def create(
        self, name: str, *, scopes: Collection[str], description: str = "", expires_in_days: int | None = None
    ) -> NewToken:
        """A new one. `scopes` are actions; ``experiments.*`` names all of a kind, ``*`` all there are."""
        ...

    async def edit(self, /, token_id: Id, **changes: Any) -> Token:
        """The token after `changes` to name, description, scopes or expires_in_days (from now)."""
        ...

    async def revoke(self, token_id: Id) -> None:
        """Ends it for good."""
        ...


class AsyncPermissions(Protocol):
    """Who may do what on one project or in one team: give exactly one of the two."""

    async def grant(
        self,
        user_id: Id,
        action: Action | str,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
        until: datetime | None = None,
    ) -> Grant:
        """Allows one action to one person, for good or until a moment."""
        ...

    async def deny(
        self,
        user_id: Id,
        action: Action | str,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
        until: datetime | None = None,
    ) -> Grant:
        """Denies one action to one person, whatever their role says."""
        ...

    async def list(self, *, project_id: Id | None = None, team_id: Id | None = None) -> tuple[Grant, ...]:
        """What was granted and denied there, expired ones too, oldest first."""
        ...

    async def withdraw(self, grant_id: Id) -> None:
        """Removes a grant or a denial."""
        ...

    async def explain(
        self,
        user_id: Id,
        action: Action | str,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
    ) -> Explanation:
        """Whether somebody may do something there, and why."""
        ...

    async def members(self, project_id: Id) -> tuple[Member, ...]:
        """With whom a project is shared, beside its owner and team."""
        ...

    async def share(self, project_id: Id, user_id: Id, role: Role | str) -> Member:
        """Gives somebody a role on a project, or another one."""
        ...

    async def unshare(self, project_id: Id, user_id: Id) -> None:
        """Takes somebody's role on a project away."""
        ...


class AsyncAudit(Protocol):
    """Who did what."""

    async def list(
        self,
        *,
        project_id: Id | None = None,
        team_id: Id | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> tuple[AuditEntry, ...]:
        """Entries of a project, a team or the installation with numbers above `after`, at most 1000."""
        ...

    async def verify(self, head: str | None = None) -> AuditReport:
        """Checks the chain of the whole log, also against the `head` of an earlier report."""
        ...
