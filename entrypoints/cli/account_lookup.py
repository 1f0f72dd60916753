"""From what people type to the user, team or token they mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from tracker.areas.identity import Account, Member, Token
from tracker.domain.errors import Forbidden, NotFound
from tracker.domain.identity.accounts.user import normalized_email
from tracker.domain.identity.teams.team import Team

from .lookup import is_id, only

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["team_named", "token_named", "user_named"]


def user_named(
    library: Tracker, key: str, *, project_id: UUID | None = None, team_id: UUID | None = None
) -> UUID:
    """The id of the user with this id or e-mail address.

    Args:
        library: where to look.
        key: what was typed.
        project_id: with whose people to begin; only administrators can list everybody.
        team_id: the same.

    Raises:
        NotFound: there is none, or none that the caller may see.
    """
    if is_id(key):
        return UUID(key)
    email = normalized_email(key)
    for person in _people(library, project_id, team_id):
        if person.email == email:
            return person.id if isinstance(person, Account) else person.user_id
    raise NotFound(f"user {key} not found among those you can see; `tracker whoami` tells them their id")


def _people(library: Tracker, project_id: UUID | None, team_id: UUID | None) -> Iterator[Account | Member]:
    """Everybody whom the caller may see; who comes late costs a request that often is not needed."""
    yield library.users.me()
    if project_id is not None:
        yield from library.permissions.members(project_id)
        team_id = library.projects.get(project_id).team_id
    if team_id is not None:
        yield from library.teams.members(team_id)
    try:
        yield from library.users.list()
    except Forbidden:
        return


def team_named(library: Tracker, key: str) -> Team:
    """The team with this id or name.

    Raises:
        NotFound: there is none.
        Conflict: several have this name.
    """
    if is_id(key):
        found: Team = library.teams.get(UUID(key))
        return found
    named = [team for team in library.teams.list() if team.name == key]
    if not named:
        raise NotFound(f"team {key} not found; `tracker team list` shows those there are")
    return only(named, "teams", key)


def token_named(library: Tracker, key: str) -> Token:
    """The caller's API token with this id, or with this name and not revoked.

    Raises:
        NotFound: there is none.
        Conflict: several have this name.
    """
    tokens = library.tokens.list()
    found = [token for token in tokens if str(token.id) == key.lower()]
    found = found or [token for token in tokens if token.name == key and not token.revoked]
    if not found:
        raise NotFound(f"token {key} not found; `tracker token list` shows those there are")
    return only(found, "tokens", key)
