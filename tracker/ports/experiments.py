"""Where experiments are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.graph import Member
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, ProjectId, UserId

__all__ = ["ExperimentRepository"]


class ExperimentRepository(Protocol):
    """Experiments. Changes show to others once the unit of work is committed."""

    async def get(self, experiment_id: ExperimentId) -> Experiment:
        """The experiment; in a writing unit nobody else can change it until the unit ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def with_scope(
        self, experiment_id: ExperimentId, *, asker: UserId | None = None
    ) -> tuple[Experiment, ProjectScope]:
        """The experiment and who its project belongs to, as of one moment; a writing unit holds both.

        Args:
            experiment_id: which.
            asker: in whose name; see :meth:`ProjectRepository.get`.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def get_many(self, experiment_ids: Collection[ExperimentId]) -> Mapping[ExperimentId, Experiment]:
        """Those of them that exist, by id."""
        ...

    async def list(self, project_id: ProjectId) -> tuple[Experiment, ...]:
        """A project's experiments by (position, created_at, id)."""
        ...

    async def recent(self, project_ids: Collection[ProjectId] | None, limit: int) -> tuple[Experiment, ...]:
        """The newest of these projects (``None`` = of all), newest first (ties by id, descending)."""
        ...

    async def named(self, project_id: ProjectId, name: str) -> tuple[Experiment, ...]:
        """A project's experiments with exactly this name, oldest first."""
        ...

    async def with_run_key(self, project_id: ProjectId, run_key: UUID) -> Experiment | None:
        """The project's experiment with this run key, or ``None``."""
        ...

    async def beating(self) -> tuple[Experiment, ...]:
        """Every running experiment that has a heartbeat, by id."""
        ...

    async def names(
        self, project_id: ProjectId, *, containing: str = ""
    ) -> Sequence[tuple[ExperimentId, str]]:
        """Id and name of each of a project's experiments whose name has this text in it, oldest first."""
        ...

    async def graph(self, project_id: ProjectId) -> tuple[Member, ...]:
        """A project's experiments without what they are made of, by (position, created_at, id)."""
        ...

    async def positions(self, project_id: ProjectId) -> Mapping[ExperimentId, int]:
        """The position of each of a project's experiments, by (position, created_at, id)."""
        ...

    async def next_position(self, project_id: ProjectId) -> int:
        """One more than the highest position in the project; 0 when it is empty."""
        ...

    async def line(self, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
        """Everything above it on the primary line, nearest first; empty for an unknown id."""
        ...

    async def ancestors(self, experiment_ids: Collection[ExperimentId]) -> frozenset[ExperimentId]:
        """Everything above any of these, over primary and merged edges."""
        ...

    async def add(self, experiment: Experiment) -> None:
        """Keeps a new experiment.

        Raises:
            AlreadyExists: the id is taken, or the run key within its project.
            NotFound: its project or one of its parents does not exist.
        """
        ...

    async def add_many(self, experiments: Sequence[Experiment]) -> None:
        """Keeps new experiments, each behind those of them that it derives from; few statements.

        Raises:
            AlreadyExists: an id or a run key is taken.
            NotFound: a project or a parent does not exist.
        """
        ...

    async def save(self, experiment: Experiment) -> Experiment:
        """Keeps a changed experiment, and gives it back with its version counted up.

        Its run key stays as it was kept. Its heartbeat is forgotten where it has none; otherwise the one
        that is kept stays, which may be a later one.

        Raises:
            NotFound: it was deleted, or one of its parents does not exist.
            StaleVersion: it was saved by somebody else since it was loaded.
        """
        ...

    async def beat(self, experiment_id: ExperimentId, at: datetime) -> bool:
        """Sets the heartbeat of an experiment that is running, and nothing else: its version stays, so
        that a beat makes no edit stale. Whether there is one with this id that is running."""
        ...

    async def reorder(self, positions: Mapping[ExperimentId, int]) -> None:
        """Sets the positions of these experiments and counts their versions up, in few statements
        however many there are; unknown ids are passed over."""
        ...

    async def delete(self, experiment_id: ExperimentId) -> None:
        """Removes the experiment with its metrics, and heals the lineage.

        Where it was the primary parent, its own primary parent takes its place, and is then no longer
        merged there; where it was merged, its primary parent is, unless it is a parent there already.
        The version of each child counts up.

        Raises:
            NotFound: there is none with this id.
        """
        ...
