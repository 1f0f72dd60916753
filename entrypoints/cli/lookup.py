"""From what people type to the thing they mean; users, teams and tokens are in :mod:`.account_lookup`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import UUID

import click

from tracker.domain.errors import Conflict, Forbidden, NotFound
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.ids import ProjectId
from tracker.domain.projects.naming import number_of
from tracker.domain.projects.project import Project
from tracker.domain.search.found import FoundExperiment
from tracker.domain.search.saved_query import SavedQuery

from .experiment_keys import as_number, names_or_numbers
from .searching import searched
from .text import one_line

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = [
    "experiment_named", "experiments_of", "found_again", "hypothesis_named", "is_id", "only", "project_named",
    "project_worked_in", "query_named",
]  # fmt: skip

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ID_PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{3,35}", re.IGNORECASE)
_SHOWN_CANDIDATES = 5


class _WithId(Protocol):
    @property
    def id(self) -> UUID: ...


_Found = TypeVar("_Found", bound=_WithId)


def is_id(key: str) -> bool:
    """Whether `key` has the form of an id."""
    return _ID.fullmatch(key) is not None


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
    return only(named, "projects", key)


def experiments_of(library: Tracker, project: str | None) -> tuple[Experiment, ...]:
    """The experiments of the project with this id or name, or of all projects."""
    chosen = library.projects.list() if project is None else [project_named(library, project)]
    return tuple(experiment for one in chosen for experiment in library.experiments.list(one.id))


def project_worked_in(library: Tracker, project: str | None) -> Project:
    """The project with this id or name; without one the only one there is, or else the one that got an
    experiment last, which is then told on stderr.

    Raises:
        NotFound: there is none.
        Conflict: several have this name.
    """
    if project is not None:
        return project_named(library, project)
    projects = library.projects.list()
    if not projects:
        raise NotFound("project not found: there is none; `tracker project create NAME` makes one")
    newest = library.experiments.recent(limit=1) if len(projects) > 1 else ()
    chosen = next((each for each in projects if newest and each.id == newest[0].project_id), projects[-1])
    if len(projects) > 1:
        told = f"project {chosen.name}, where the newest experiment is; --project takes another"
        click.echo(one_line(told), err=True)
    return chosen


def experiment_named(
    library: Tracker, key: str, project: str | None = None, *, rather: UUID | None = None
) -> Experiment:
    """The experiment that is called `key`: by its id, its whole name, its number, or the beginning of
    its id; the first of these that there is counts.

    Args:
        library: where to look.
        key: what was typed.
        project: id or name of the project to look in; without it, in all.
        rather: id of the project whose experiment is meant where several have one.

    Raises:
        NotFound: there is none.
        Conflict: there are several; names them.
    """
    if is_id(key):
        found: Experiment = library.experiments.get(UUID(key))
        return found
    chosen = library.projects.list() if project is None else [project_named(library, project)]
    homes = {each.id: each for each in chosen}
    matching = _called(library, key, homes) or _beginning(library, key, homes)
    if not matching:
        where = f" in project {project}" if project else ""
        raise NotFound(f"experiment {key} not found{where}; `tracker ls` shows those there are")
    matching = [each for each in matching if each.project_id == rather] or matching
    if len(matching) > 1:
        raise _ambiguous(
            "experiments", key, [f"{homes[e.project_id].name}/{e.name} = {e.id}" for e in matching]
        )
    return matching[0]


def found_again(library: Tracker, experiment: Experiment) -> FoundExperiment:
    """An experiment with its metrics.

    Raises:
        NotFound: it is not there any more.
    """
    if isinstance(experiment, FoundExperiment):
        return experiment
    page = library.experiments.search(experiment.project_id, f'id = "{experiment.id}"')
    if not page:
        raise NotFound.of("experiment", experiment.id)
    found: FoundExperiment = page[0]
    return found


def _called(library: Tracker, key: str, homes: Mapping[ProjectId, Project]) -> list[FoundExperiment]:
    """Those with this name, or else those with this number."""
    filter = names_or_numbers(key, (home.settings.naming_patterns for home in homes.values()))
    if filter is None or not homes:
        return []
    where = next(iter(homes)) if len(homes) == 1 else None
    found = [each for each in searched(library, where, filter, "") if each.project_id in homes]
    named = [each for each in found if each.name == key]
    number = as_number(key)
    return named or [
        each
        for each in found
        if number == number_of(homes[each.project_id].settings.naming_patterns, each.name)
    ]


def _beginning(library: Tracker, key: str, homes: Mapping[ProjectId, Project]) -> list[Experiment]:
    """Some of those whose id begins so."""
    ids: list[UUID] = []
    for home in homes if _ID_PREFIX.fullmatch(key) else ():
        try:
            members = library.experiments.graph(home).members
        except Forbidden:
            continue  # a project that may be seen without its experiments
        ids += [member.id for member in members if str(member.id).startswith(key.lower())]
    return [library.experiments.get(each) for each in ids[: _SHOWN_CANDIDATES + 1]]


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
    return only(matching, "hypotheses", key)


def query_named(library: Tracker, key: str, project: str) -> SavedQuery:
    """The saved query with this id or name, of the project with this id.

    Raises:
        NotFound: there is none.
    """
    queries = library.queries.list(project)
    for query in queries:
        if key in (query.name, str(query.id)):
            found: SavedQuery = query
            return found
    there = ", ".join(query.name for query in queries) or "none"
    raise NotFound(f"query {key} not found; there are: {there}; `tracker ls FILTER --save NAME` keeps one")


def only(found: Sequence[_Found], kind: str, key: str) -> _Found:
    """The one that there is.

    Args:
        found: at least one.
        kind: what they are, in the plural.
        key: what was typed for them.

    Raises:
        Conflict: there are several; names some.
    """
    if len(found) > 1:
        raise _ambiguous(kind, key, [str(one.id) for one in found])
    return found[0]


def _ambiguous(kind: str, key: str, candidates: Sequence[str]) -> Conflict:
    shown = ", ".join(candidates[:_SHOWN_CANDIDATES])
    count, more = str(len(candidates)), ""
    if len(candidates) > _SHOWN_CANDIDATES:
        count, more = f"more than {_SHOWN_CANDIDATES}", ", ..."
    return Conflict(f"{count} {kind} answer to {key}: {shown}{more}; give one of these ids")
