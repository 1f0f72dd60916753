"""Where time series are kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.series import (
    Ranking,
    SampledSeries,
    SampleQuery,
    Series,
    SeriesSummary,
    TimeWindow,
)

__all__ = ["ScalarStore"]


class ScalarStore(Protocol):
    """Points of experiments, by project.

    Every point is kept, the same step twice too, in arrival order. Points are ordered by (step,
    arrival). "Last" is the point with the highest (step, time, arrival). Minimum and maximum leave
    non-finite values out. Values come back bit for bit, NaN payloads too. Projects need not be
    announced; an unknown project or experiment has no points. Every method may raise
    ``Unavailable`` when the store does not answer.
    """

    async def append(self, project_id: ProjectId, batch: ScalarBatch) -> None:
        """Keeps a batch: durable, whole and readable when it returns. A batch whose id the
        experiment has had before is recognised and changes nothing.

        Raises:
            NotFound: the experiment or project was deleted from this store.
            Unavailable: the store is full or busy; nothing of the batch is kept.
        """
        ...

    async def read(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        name: str,
        *,
        start: int | None = None,
        stop: int | None = None,
    ) -> Series:
        """The points with ``start <= step < stop``; an empty series when there are none."""
        ...

    async def sample(self, project_id: ProjectId, query: SampleQuery) -> tuple[SampledSeries, ...]:
        """The asked series that have points in the window, each thinned by
        :func:`tracker.domain.scalars.downsampling.thin`; experiments in the asked order, names
        by code point."""
        ...

    async def summary(
        self,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """One row for each series (``None`` = of all), by (experiment id, name)."""
        ...

    async def top(
        self,
        project_id: ProjectId,
        name: str,
        *,
        by: Ranking = Ranking.LAST,
        k: int = 10,
        descending: bool = True,
    ) -> tuple[SeriesSummary, ...]:
        """The `k` best series of this name; those whose number is missing or NaN never rank, ties
        by experiment id ascending."""
        ...

    async def tags(
        self, project_id: ProjectId, experiment_id: ExperimentId, window: TimeWindow
    ) -> tuple[StepTags, ...]:
        """The tags put on steps, by (step, arrival); a tag's time is that of its batch's latest
        point."""
        ...

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        """Removes an experiment's points (``None``: the whole project's) for good; later appends
        to it are refused. Removing what is not there is no error."""
        ...

    async def maintain(self, budget: float) -> None:
        """Spends about `budget` seconds on what makes later reads faster and files smaller."""
        ...

    async def check(self) -> None:
        """Returns when the store would accept an append.

        Raises:
            Unavailable: it would not, and why.
        """
        ...

    async def close(self) -> None:
        """Finishes what was accepted and lets go of files and connections; safe to call twice."""
        ...
