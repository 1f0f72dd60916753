"""Where the numbers are kept by which metrics are searched and compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.summary import MetricSummary, SeriesMark

__all__ = ["SummaryRepository"]


class SummaryRepository(Protocol):
    """One summary for each metric of an experiment: of its final values, which are always counted in, and
    of its time series as of when somebody last told. Changes show once the unit of work is committed."""

    async def of_experiments(self, experiment_ids: Collection[ExperimentId]) -> tuple[MetricSummary, ...]:
        """All of these experiments, by (experiment, name, label), those without a label first; text by
        code point."""
        ...

    async def of_project(self, project_id: ProjectId) -> tuple[MetricSummary, ...]:
        """All of a project's experiments, in the same order."""
        ...

    async def projects_with_series(self) -> frozenset[ProjectId]:
        """The projects of which some series has been told."""
        ...

    async def keep_series(self, marks: Sequence[SeriesMark]) -> None:
        """Takes note of what series are like now; those of unknown experiments are passed over."""
        ...
