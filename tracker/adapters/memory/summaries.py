"""Summaries of metrics in memory, derived whenever they are asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from tracker.adapters.memory.state import Current
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.metric import Metric
from tracker.domain.metrics.summary import MetricSummary, SeriesMark, summarize

__all__ = ["MemorySummaryRepository"]


class MemorySummaryRepository:
    """Keeps the port :class:`tracker.ports.summaries.SummaryRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def of_experiments(self, experiment_ids: Collection[ExperimentId]) -> tuple[MetricSummary, ...]:
        """Those of some experiments."""
        state = self._current.state
        chosen = {key for key in experiment_ids if key in state.experiments}
        finals: dict[tuple[ExperimentId, str, str | None], list[Metric]] = defaultdict(list)
        for metric in state.metrics.values():
            if metric.experiment_id in chosen:
                finals[metric.experiment_id, metric.name, metric.label].append(metric)
        keys = {*finals, *((key, name, None) for key, name in state.series if key in chosen)}
        return tuple(
            self._summary(*key, finals.get(key, []))
            for key in sorted(keys, key=lambda key: (key[0], key[1], key[2] or ""))
        )

    async def of_project(self, project_id: ProjectId) -> tuple[MetricSummary, ...]:
        """Those of a project."""
        runs = self._current.state.experiments.values()
        return await self.of_experiments([run.id for run in runs if run.project_id == project_id])

    async def projects_with_series(self) -> frozenset[ProjectId]:
        """Those of which some was told."""
        state = self._current.state
        return frozenset(state.experiments[experiment_id].project_id for experiment_id, _ in state.series)

    async def keep_series(self, marks: Sequence[SeriesMark]) -> None:
        """Takes note of series."""
        state = self._current.state
        for mark in marks:
            if mark.experiment_id in state.experiments:
                state.series[mark.experiment_id, mark.name] = mark

    def _summary(
        self, experiment_id: ExperimentId, name: str, label: str | None, finals: Sequence[Metric]
    ) -> MetricSummary:
        state = self._current.state
        project = state.projects[state.experiments[experiment_id].project_id]
        tracked = (each for each in project.metrics if (each.name, each.label) == (name, label))
        series = state.series.get((experiment_id, name)) if label is None else None
        return summarize((experiment_id, name, label), next(tracked, None), finals, series)
