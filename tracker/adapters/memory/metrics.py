"""Final values in memory."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.adapters.memory.state import Current
from tracker.domain.errors import NotFound
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.metric import Metric

__all__ = ["MemoryMetricRepository"]


class MemoryMetricRepository:
    """Keeps the port :class:`tracker.ports.metrics.MetricRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def put(self, metrics: Sequence[Metric]) -> tuple[Metric, ...]:
        """Keeps values, replacing those of the same key."""
        state = self._current.state
        for metric in metrics:
            if metric.experiment_id not in state.experiments:
                raise NotFound.of("experiment", metric.experiment_id)
        for metric in metrics:
            present = state.metrics.get(metric.key)
            state.metrics[metric.key] = metric if present is None else metric.evolve(id=present.id)
        return tuple(state.metrics[metric.key] for metric in metrics)

    async def withdraw(self, experiment_id: ExperimentId, step: int) -> tuple[Metric, ...]:
        """Removes values from a step on."""
        state = self._current.state
        taken = [each for each in await self.of_experiment(experiment_id) if each.step >= step]
        for each in taken:
            del state.metrics[each.key]
        state.series = {key: mark for key, mark in state.series.items() if key[0] != experiment_id}
        return tuple(taken)

    async def of_experiment(self, experiment_id: ExperimentId) -> tuple[Metric, ...]:
        """An experiment's values."""
        found = (m for m in self._current.state.metrics.values() if m.experiment_id == experiment_id)
        return tuple(sorted(found, key=_order))

    async def of_project(self, project_id: ProjectId) -> tuple[Metric, ...]:
        """A project's values, by the order of its experiments."""
        state = self._current.state
        runs = [e for e in state.experiments.values() if e.project_id == project_id]
        runs.sort(key=lambda e: (e.position, e.created_at, e.id))
        values: dict[ExperimentId, list[Metric]] = {run.id: [] for run in runs}
        for metric in state.metrics.values():
            if metric.experiment_id in values:
                values[metric.experiment_id].append(metric)
        return tuple(metric for run in runs for metric in sorted(values[run.id], key=_order))


def _order(metric: Metric) -> tuple[str, str, int]:
    return (metric.name, metric.label or "", metric.step)
