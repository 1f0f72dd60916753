"""The experiment that stands for a run of a source: found again or made, and made to say the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tracker.domain.errors import TrackerError
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.ids import ExperimentId
from tracker.domain.json_tree import same
from tracker.domain.projects.project import Project, ProjectSettings
from tracker.importers.records import LeftOut, SourceRun

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["Experiments", "Found", "run_key"]

_ONLY_NEW = frozenset({"started_at", "completed_at"})
"""Fields that an experiment is created with and keeps."""


def run_key(tool: str, project: str, key: str) -> UUID:
    """The key under which the experiment of a run is found again."""
    told = "\0".join(("tracker import", tool, project, key))
    return UUID(bytes=hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=16).digest())


@dataclass
class Found:
    """The experiment of a run.

    Attributes:
        experiment: as it is here.
        project: that it is in.
        differences: where it is not as in the source, in words.
        left_out: what of the source has no place.
    """

    experiment: Experiment
    project: Project
    differences: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class Experiments:
    """Finds and makes the experiments of a source.

    Args:
        library: that has them.
        tool: whose runs they are.
        project: name of the project that takes all; by default each goes where it comes from.
    """

    def __init__(self, library: Tracker, tool: str, project: str | None) -> None:
        self._library = library
        self._tool = tool
        self._project = project
        self._projects: dict[str, Project] = {}
        self._found: dict[tuple[str, str], Found] = {}

    def of(self, run: SourceRun) -> Found:
        """The experiment of `run`, as the run is now.

        Raises:
            Invalid: a field breaks a rule.
        """
        known = self._found.get((run.project, run.key))
        project = known.project if known else self._project_of(run)
        wanted, left_out = self._fields(run)
        if known is None:
            made = self._library.experiments.create(
                project.id, run_key=run_key(self._tool, run.project, run.key), **wanted
            )
        else:
            made = known.experiment
        found = Found(made, project, left_out=left_out)
        found.experiment, found.differences = self._settled(made, wanted)
        self._found[run.project, run.key] = found
        return found

    def _project_of(self, run: SourceRun) -> Project:
        name = self._project or run.project
        if name not in self._projects:
            # Names of other tools follow no pattern, and must not be read as if they did.
            free = ProjectSettings(naming_patterns=())
            self._projects[name] = self._library.projects.create(name, settings=free, exist_ok=True)
        return self._projects[name]

    def _fields(self, run: SourceRun) -> tuple[dict[str, Any], tuple[LeftOut, ...]]:
        lost = [key for key in (run.parent, *run.merged_from) if key and not self._id_of(run, key)]
        left_out = tuple(LeftOut(f"parent {key}", "is not in the source") for key in lost)
        merged = (self._id_of(run, key) for key in run.merged_from)
        wanted: dict[str, Any] = {
            **run.fields,
            "name": run.name,
            "status": run.status,
            "parent_id": self._id_of(run, run.parent) if run.parent else None,
            "merged_from": tuple(sorted(each for each in merged if each is not None)),
            "description": run.description,
            "params": run.params,
            "features": run.features,
            "tags": run.tags,
        }
        times = {"started_at": run.started_at, "completed_at": run.completed_at}
        return wanted | {name: at for name, at in times.items() if at is not None}, left_out

    def _id_of(self, run: SourceRun, key: str) -> ExperimentId | None:
        found = self._found.get((run.project, key))
        return None if found is None else found.experiment.id

    def _settled(self, present: Experiment, wanted: Mapping[str, Any]) -> tuple[Experiment, tuple[str, ...]]:
        """The experiment after what differs was edited, and what differs all the same."""
        changes = {name: value for name, value in wanted.items() if not _equal(getattr(present, name), value)}
        for name in _ONLY_NEW & changes.keys():
            del changes[name]
        if not changes:
            return present, ()
        try:
            present = self._library.experiments.edit(present.id, **changes)
        except TrackerError as error:
            return present, (f"{', '.join(changes)}: {error.detail}",)
        return present, tuple(
            f"{name}: is {getattr(present, name)!r} here and {value!r} in the source"
            for name, value in changes.items()
            if not _equal(getattr(present, name), value)
        )


def _equal(here: Any, there: Any) -> bool:
    if isinstance(there, Mapping):
        return same(here, there)
    return bool(here == there)
