"""From what people type to the thing they mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from tracker.domain.errors import Conflict, NotFound
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.projects.project import Project

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["experiment_named", "experiments_of", "project_named"]

_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ID_PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{3,35}", re.IGNORECASE)
_SHOWN_CANDIDATES = 5

_Found = TypeVar("_Found", Project, Experiment)


def project_named(library: Tracker, key: str) -> Project:
    """The project with this id or name.

    Raises:
        NotFound: there is none.
        Conflict: several have this name.
    """
    if _ID.fullmatch(key):
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
    if _ID.fullmatch(key):
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


def _only(found: Sequence[_Found], kind: str, key: str) -> _Found:
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found[:_SHOWN_CANDIDATES])
        more = ", ..." if len(found) > _SHOWN_CANDIDATES else ""
        raise Conflict(f"{len(found)} {kind} answer to {key}: {ids}{more}; give one of these ids")
    return found[0]
