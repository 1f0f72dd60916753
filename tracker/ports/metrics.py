"""Where final values are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.metric import Metric

__all__ = ["MetricRepository"]


class MetricRepository(Protocol):
    """Final values of experiments. Changes show to others once the unit of work is committed."""

    async def put(self, metrics: Sequence[Metric]) -> tuple[Metric, ...]:
        """Keeps the values; one with the key (experiment, name, label, step) of a kept one
        replaces its value and time but not its id. Of several with one key the last counts.

        Returns:
            The values as kept, in the given order.

        Raises:
            NotFound: an experiment does not exist.
        """
        ...

    async def withdraw(self, experiment_id: ExperimentId, step: int) -> tuple[Metric, ...]:
        """Removes an experiment's values at `step` and behind, and gives them in the order of
        :meth:`of_experiment`. What was told of the experiment's series is forgotten until it is told anew.
        """
        ...

    async def of_experiment(self, experiment_id: ExperimentId) -> tuple[Metric, ...]:
        """All values by (name, label, step), those without a label first; text by code point."""
        ...

    async def of_project(self, project_id: ProjectId) -> tuple[Metric, ...]:
        """All values of a project's experiments: experiments by (position, created_at, id), the
        values of each as in :meth:`of_experiment`."""
        ...
