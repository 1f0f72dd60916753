"""What a store answers: whole series, samples of them, and one summary row each."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import Float64s, Int64s

__all__ = [
    "Axis", "Fault", "News", "Ranking", "SampleQuery", "SampledSeries", "Series", "SeriesSummary",
    "StoreStats", "TimeWindow",
]  # fmt: skip


class Axis(StrEnum):
    """What a chart has on its x-axis."""

    STEP = "step"
    TIME = "time"


class Ranking(StrEnum):
    """Which number of a series ranks it."""

    LAST = "last"
    MIN = "min"
    MAX = "max"


class Series(Frozen):
    """Points of one scalar of one experiment, by (step, arrival).

    Attributes:
        step: int64 (n,).
        time: int64 (n,), microseconds since 1970-01-01 UTC.
        value: float64 (n,).
    """

    experiment_id: ExperimentId
    name: str
    step: Int64s
    time: Int64s
    value: Float64s

    def __len__(self) -> int:
        return len(self.value)


class SampledSeries(Series):
    """A series thinned for a chart, in which no extreme is missing.

    Attributes:
        total: points the series has in the part asked for.
        edges: int64 (b,), ascending positions on the axis at which the buckets begin; none when
            nothing was left out.
        gaps: float64 (m,), ascending positions on the axis of the buckets that hold non-finite values.
    """

    total: Annotated[int, Field(ge=0)]
    edges: Int64s
    gaps: Float64s


class News(NamedTuple):
    """What came since a cursor.

    Attributes:
        series: those that have new points, with nothing but these.
        cursor: to be shown next time.
    """

    series: tuple[Series, ...]
    cursor: str


class TimeWindow(Frozen):
    """Points logged from `start` to `stop`, both included, microseconds UTC; ``None`` = open."""

    start: int | None = None
    stop: int | None = None

    def mask(self, time: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Which of the points lie inside, or ``None`` when the window is open on both sides."""
        if self.start is None and self.stop is None:
            return None
        inside = np.ones(len(time), np.bool_)
        if self.start is not None:
            inside &= time >= self.start
        if self.stop is not None:
            inside &= time <= self.stop
        return inside


class SampleQuery(Frozen):
    """Which series to thin, and how far.

    Attributes:
        experiments: whose series.
        names: which scalars; ``None`` = all.
        max_points: at most this many points a series; ``None`` = all points.
        axis: buckets are cut along it.
        start, stop: only points with ``start <= step < stop`` count; ``None`` = open. A shorter
            range has finer buckets.
        window: only points logged inside it count.
    """

    experiments: tuple[ExperimentId, ...]
    names: tuple[str, ...] | None = None
    max_points: Annotated[int, Field(ge=1)] | None = 1000
    axis: Axis = Axis.STEP
    start: int | None = None
    stop: int | None = None
    window: TimeWindow = TimeWindow()

    def mask(self, step: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Which of the points count, or ``None`` when all do."""
        inside = self.window.mask(time)
        if self.start is None and self.stop is None:
            return inside
        inside = np.ones(len(step), np.bool_) if inside is None else inside
        if self.start is not None:
            inside &= step >= self.start
        if self.stop is not None:
            inside &= step < self.stop
        return inside


class SeriesSummary(NamedTuple):
    """What is known of a series without reading it, correct after every append.

    There may be hundreds of thousands, so it is a row, not a validated entity.

    Attributes:
        experiment_id, name: of which series.
        count: points, non-finite ones too.
        non_finite: how many of them are NaN or infinite.
        first_step, last_step: smallest and largest step.
        last_time, last_value: of the point with the highest (step, time, arrival).
        modified: the latest time of any point, microseconds UTC.
        min_value, max_value: among finite values; ``None`` when there is none.
    """

    experiment_id: ExperimentId
    name: str
    count: int  # type: ignore[assignment]  # hides a method of tuples
    non_finite: int
    first_step: int
    last_step: int
    last_time: int
    last_value: float
    modified: int
    min_value: float | None
    max_value: float | None

    def rank_value(self, by: Ranking) -> float | None:
        """The number by which `by` ranks this series; ``None`` or NaN when it has none."""
        match by:
            case Ranking.LAST:
                return self.last_value
            case Ranking.MIN:
                return self.min_value
            case Ranking.MAX:
                return self.max_value


class StoreStats(NamedTuple):
    """What a project takes.

    Attributes:
        experiments: that have points.
        series: of all experiments.
        points: of all series.
        loose: how many of them maintenance has yet to compress.
        bytes: on disk or in memory, indexes and logs included.
    """

    experiments: int
    series: int
    points: int
    loose: int
    bytes: int


class Fault(NamedTuple):
    """Something in a store that is not as it was written.

    Attributes:
        experiment_id, name: of which series; ``None`` where it is not known.
        problem: what is wrong, in words.
    """

    experiment_id: ExperimentId | None
    name: str | None
    problem: str
