"""Where time series are kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.series import (
    Fault,
    News,
    Ranking,
    SampledSeries,
    SampleQuery,
    Series,
    SeriesSummary,
    StoreStats,
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
            TooManyRequests: too much waits to be kept already; nothing of the batch is kept.
            Unavailable: the store does not take it now; nothing of the batch is kept.
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
        """The asked series that have points in the range and window, each thinned; experiments in
        the asked order, names by code point.

        A series that has at most `max_points` points there comes back whole, without `edges`.
        Otherwise its points, in the order of (position on the axis, step, arrival), are cut into at
        most ``max(1, max_points // 4)`` buckets. Bucket i is exactly the points at ``edges[i] <=
        position < edges[i + 1]`` (the last one is open), ``edges[i]`` is the position of its first
        point, and ``edges[0]`` that of the first point of all. What comes back is, for each bucket,
        exactly its first point, its last one, and the first of those with its lowest and its highest
        finite value, by (step, arrival). With `w` the width of `max_points // 4` equal buckets
        (:func:`~tracker.domain.scalars.downsampling.bucket_width`), each bucket is shorter than
        ``2 * w``: a store may end buckets where its blocks end. A gap is the middle between the first
        and the last position of a bucket that holds a non-finite value.

        With `max_points` below four there is one bucket, of which the highest goes before the lowest,
        the last and the first.
        """
        ...

    async def since(
        self,
        project_id: ProjectId,
        experiment_id: ExperimentId,
        cursor: str | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> News:
        """What an experiment got after `cursor` was given (``None`` = all it has), by name, each series
        by (step, arrival). A reader who goes on with the cursor of each answer gets each point that
        became readable exactly once, whatever maintenance does meanwhile. A cursor is opaque, belongs
        to one experiment and has at most 64 characters of ASCII letters, digits, ``.``, ``-`` and ``_``.

        An experiment without points has no news for any cursor.

        Raises:
            Invalid: `cursor` is none that this store gave for the experiment.
        """
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

    async def branch(
        self, project_id: ProjectId, experiment_id: ExperimentId, *, step: int, into: ExperimentId
    ) -> None:
        """Moves every point and tag at `step` and behind to the experiment `into`, which has none so far:
        all or none, in their order of arrival. Batches that the experiment has had stay known to it.

        Where `into` is known already, because this was done before or it was deleted, nothing changes, even
        if nothing was there to be moved: so it may be tried again while points come in anew. A reader who
        goes on with a cursor gets what comes; what had moved before they saw it they find in `into`.

        Raises:
            NotFound: the experiment or project was deleted from this store.
            Unavailable: the store does not do it now, or not at all.
        """
        ...

    async def delete(self, project_id: ProjectId, experiment_id: ExperimentId | None = None) -> None:
        """Removes an experiment's points (``None``: the whole project's) for good; later appends
        to it are refused. Removing what is not there is no error."""
        ...

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """Says that an experiment has ended, so that its points are compressed now; more may come."""
        ...

    async def stats(self, project_id: ProjectId) -> StoreStats:
        """What the project takes; nothing for an unknown one."""
        ...

    async def verify(self, project_id: ProjectId) -> tuple[Fault, ...]:
        """Reads everything of the project, computes checksums and summaries anew and names what is
        wrong; nothing when all is as it was written."""
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
