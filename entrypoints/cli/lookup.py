"""From what people type to the thing they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from tracker.areas.identity import Account, Member, Token
from tracker.domain.errors import Conflict, Forbidden, NotFound
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.identity.accounts.user import normalized_email
from tracker.domain.identity.teams.team import Team
from tracker.domain.projects.project import Project
from tracker.domain.search.saved_query import SavedQuery

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = [
    "experiment_named", "experiments_of", "hypothesis_named", "is_id", "project_named", "query_named",
    "team_named", "token_named", "user_named",
]  # fmt: skip

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ID_PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{3,35}", re.IGNORECASE)
_SHOWN_CANDIDATES = 5

_Found = TypeVar("_Found", Project, Experiment, JudgedHypothesis, Team, Token)


def is_id(key: str) -> bool:
    """Whether `key` has the form of an id."""
    return _ID.fullmatch(key) is not None


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
    return _only(named, "teams", key)


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
    return _only(found, "tokens", key)


def project_named(library: Tracker, key: str) -> Project:
    """The project with this id or name.

    Raises:
        NotFound: there is none.
        Conflict: several have this name.
    """
    if is_id(key):
        found: Project = library.projects.get(UUID(key))
        return found
    named = [project for project in library.projects.list() if project.name == key]
    if not named:
        raise NotFound(f"project {key} not found; `tracker project list` shows those there are")
    return _only(named, "projects", key)


def experiments_of(library: Tracker, project: str | None) -> tuple[Experiment, ...]:
    """The experiments of the project with this id or name, or of all projects."""
    chosen = library.projects.list() if project is None else [project_named(library, project)]
    return tuple(experiment for one in chosen for experiment in library.experiments.list(one.id))


def experiment_named(library: Tracker, key: str, project: str | None = None) -> Experiment:
    """The experiment with this id, this name in `project`, or the only one whose id starts so.

    Args:
        library: where to look.
        key: what was typed.
        project: id or name of the project in which `key` may be a name.

    Raises:
        NotFound: there is none.
        Conflict: there are several.
    """
    if is_id(key):
        found: Experiment = library.experiments.get(UUID(key))
        return found
    candidates = experiments_of(library, project) if project or _ID_PREFIX.fullmatch(key) else ()
    if project:
        named = [experiment for experiment in candidates if experiment.name == key]
        if named:
            return _only(named, "experiments", key)
    prefix = key.lower()
    matching = [e for e in candidates if _ID_PREFIX.fullmatch(key) and str(e.id).startswith(prefix)]
    if not matching:
        where = f" in project {project}" if project else "; a name needs --project"
        raise NotFound(f"experiment {key} not found{where}; `tracker experiment list` shows those there are")
    return _only(matching, "experiments", key)


def hypothesis_named(library: Tracker, key: str, project: str | None = None) -> JudgedHypothesis:
    """The hypothesis with this id or title, or the only one whose id starts so.

    Args:
        library: where to look.
        key: what was typed.
        project: id or name of the project to look in; without it, in all.

    Raises:
        NotFound: there is none.
        Conflict: there are several.
    """
    if is_id(key):
        found: JudgedHypothesis = library.hypotheses.get(UUID(key))
        return found
    chosen = library.projects.list() if project is None else [project_named(library, project)]
    candidates = [each for one in chosen for each in library.hypotheses.list(one.id)]
    titled = [each for each in candidates if each.hypothesis.title == key]
    prefixed = _ID_PREFIX.fullmatch(key) is not None
    matching = titled or [each for each in candidates if prefixed and str(each.id).startswith(key.lower())]
    if not matching:
        raise NotFound(f"hypothesis {key} not found; `tracker hypothesis list` shows those there are")
    return _only(matching, "hypotheses", key)


def query_named(library: Tracker, key: str, project: str) -> SavedQuery:
    """The saved query with this id or name, of the project with this id.

    Raises:
        NotFound: there is none.
    """
    for query in library.queries.list(project):
        if key in (query.name, str(query.id)):
            found: SavedQuery = query
            return found
    raise NotFound(f"query {key} not found in project {project}")


def _only(found: Sequence[_Found], kind: str, key: str) -> _Found:
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found[:_SHOWN_CANDIDATES])
        more = ", ..." if len(found) > _SHOWN_CANDIDATES else ""
        raise Conflict(f"{len(found)} {kind} answer to {key}: {ids}{more}; give one of these ids")
    return found[0]
