"""What is known of a series without reading it: computed from points, and added up."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tracker.adapters.scalars.chunks.columns import Columns
from tracker.domain.scalars.batch import Float64s, Int64s

__all__ = ["Totals", "added", "totals", "totals_of"]


class Totals(NamedTuple):
    """The numbers of a :class:`~tracker.domain.scalars.series.SeriesSummary`, in its order."""

    points: int
    non_finite: int
    first_step: int
    last_step: int
    last_time: int
    last_value: float
    modified: int
    min_value: float | None
    max_value: float | None


def totals(series: Int64s, points: Columns) -> dict[int, Totals]:
    """The totals of each series that has points.

    Works on all series at once: a batch often has many series of one point each.

    Args:
        series: int64 (n,), key of each point's series.
        points: n points in arrival order.
    """
    if not len(series):
        return {}
    order = np.argsort(series, kind="stable")
    ordered, (step, time, value) = series[order], points.take(order)
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
    counts = np.diff(starts, append=len(ordered))
    finite = np.isfinite(value)
    numbers = np.add.reduceat(finite, starts, dtype=np.int64)
    last_step = np.maximum.reduceat(step, starts)
    at_last = step == np.repeat(last_step, counts)
    last_time = np.maximum.reduceat(np.where(at_last, time, np.iinfo(np.int64).min), starts)
    at_last &= time == np.repeat(last_time, counts)
    last = value[np.maximum.reduceat(np.where(at_last, np.arange(len(value)), -1), starts)]
    columns = (
        counts.tolist(),
        (counts - numbers).tolist(),
        np.minimum.reduceat(step, starts).tolist(),
        last_step.tolist(),
        last_time.tolist(),
        last.tolist(),
        np.maximum.reduceat(time, starts).tolist(),
        _or_none(np.minimum.reduceat(np.where(finite, value, np.inf), starts), numbers),
        _or_none(np.maximum.reduceat(np.where(finite, value, -np.inf), starts), numbers),
    )
    rows = zip(ordered[starts].tolist(), zip(*columns, strict=True), strict=True)
    return {key: Totals._make(row) for key, row in rows}


def totals_of(points: Columns) -> Totals:
    """The totals of one series, which has at least one point."""
    step, time, value = points
    last_step = step.max()
    at_last = np.flatnonzero(step == last_step)
    latest = at_last[time[at_last] == time[at_last].max()][-1]
    numbers = np.isfinite(value)
    finite = value if numbers.all() else value[numbers]
    return Totals(
        points=len(value),
        non_finite=len(value) - len(finite),
        first_step=int(step.min()),
        last_step=int(last_step),
        last_time=int(time[latest]),
        last_value=float(value[latest]),
        modified=int(time.max()),
        min_value=float(finite.min()) if len(finite) else None,
        max_value=float(finite.max()) if len(finite) else None,
    )


def added(before: Totals | None, after: Totals) -> Totals:
    """The totals of both together, when the points of `after` arrived after those of `before`."""
    if before is None:
        return after
    newer = (after.last_step, after.last_time) >= (before.last_step, before.last_time)
    latest = after if newer else before
    return Totals(
        points=before.points + after.points,
        non_finite=before.non_finite + after.non_finite,
        first_step=min(before.first_step, after.first_step),
        last_step=latest.last_step,
        last_time=latest.last_time,
        last_value=latest.last_value,
        modified=max(before.modified, after.modified),
        min_value=_either(min, before.min_value, after.min_value),
        max_value=_either(max, before.max_value, after.max_value),
    )


def _or_none(value: Float64s, numbers: Int64s) -> list[float | None]:
    return [one if count else None for one, count in zip(value.tolist(), numbers.tolist(), strict=True)]


def _either(choose: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)
