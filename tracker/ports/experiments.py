"""Where experiments are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from tracker.domain.experiments.experiment import Experiment
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

    async def names(self, project_id: ProjectId) -> Sequence[tuple[ExperimentId, str]]:
        """Id and name of each of a project's experiments, oldest first."""
        ...

    async def next_position(self, project_id: ProjectId) -> int:
        """One more than the highest position in the project; 0 when it is empty."""
        ...

    async def ancestors(self, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
        """Everything above it on the primary line, nearest first; empty for an unknown id."""
        ...

    async def add(self, experiment: Experiment) -> None:
        """Keeps a new experiment.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its project or parent does not exist.
        """
        ...

    async def save(self, experiment: Experiment) -> Experiment:
        """Keeps a changed experiment, and gives it back with its version counted up.

        Raises:
            NotFound: it was deleted, or its parent does not exist.
            StaleVersion: it was saved by somebody else since it was loaded.
        """
        ...

    async def reorder(self, positions: Mapping[ExperimentId, int]) -> None:
        """Sets the positions of these experiments and counts their versions up; unknown ids are
        passed over."""
        ...

    async def delete(self, experiment_id: ExperimentId) -> None:
        """Removes the experiment with its metrics; its children get its parent as theirs.

        Raises:
            NotFound: there is none with this id.
        """
        ...
