"""Thinning a series for a chart so that no spike can vanish."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracker.domain.scalars.series import Axis

__all__ = ["Thinned", "bucket_count", "bucket_width", "extremes", "thin"]

_POINTS_A_BUCKET = 4
_WIDEST = 2**64 - 1


class Thinned(NamedTuple):
    """What is left of a series.

    Attributes:
        step: int64 (m,), by (step, arrival) as it came in.
        time: int64 (m,), microseconds since 1970-01-01 UTC.
        value: float64 (m,).
        total: points there were.
        edges: int64 (b,), ascending positions on the axis at which the buckets begin; none when
            nothing was left out.
        gaps: float64 (k,), ascending positions on the axis of the buckets that hold non-finite values.
    """

    step: NDArray[np.int64]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    total: int
    edges: NDArray[np.int64]
    gaps: NDArray[np.float64]


def thin(
    step: NDArray[np.int64],
    time: NDArray[np.int64],
    value: NDArray[np.float64],
    max_points: int | None,
    axis: Axis,
) -> Thinned:
    """Keeps the first, lowest, highest and last point of each bucket of the axis.

    The axis is cut into buckets of equal width. In each, "first" and "last" go along the axis
    (ties by position) and may be non-finite; lowest and highest are the first such finite ones.
    A series that fits into `max_points` comes back whole, its gaps being the places of its
    non-finite points; otherwise a gap is the middle between the first and the last point of its bucket.

    Args:
        step: int64 (n,), by (step, arrival).
        time: int64 (n,).
        value: float64 (n,).
        max_points: at most this many come back; ``None`` = all. Below four there is one bucket,
            and the highest goes before the lowest, the last and the first.
        axis: whether buckets are cut along steps or times.
    """
    along = step if axis is Axis.STEP else time
    if max_points is None or len(value) <= max_points:
        gaps = np.unique(along[~np.isfinite(value)]).astype(np.float64)
        return Thinned(step, time, value, len(value), np.empty(0, np.int64), gaps)
    # Sorting is skipped where it can be: nearly every series is logged in order.
    order = None if _ascending(along) else np.argsort(along, kind="stable")
    ordered = value
    if order is not None:
        along, ordered = along[order], value[order]
    finite = np.isfinite(ordered)
    starts = _starts(along, bucket_count(max_points))
    kept = extremes(ordered, finite, starts, max_points)
    ends = np.append(starts[1:], len(along)) - 1
    middles = along[starts] / 2 + along[ends] / 2
    holes = np.logical_or.reduceat(~finite, starts)
    rows = kept if order is None else np.sort(order[kept])
    return Thinned(step[rows], time[rows], value[rows], len(value), along[starts], middles[holes])


def bucket_count(max_points: int) -> int:
    """How many buckets an axis is cut into."""
    return max(1, max_points // _POINTS_A_BUCKET)


def bucket_width(extent: int, count: int) -> int:
    """The width of `count` buckets, in units of the axis.

    Args:
        extent: distance of the last from the first point on the axis, up to 2**64 - 1.
        count: number of buckets.
    """
    return min(extent // count + 1, _WIDEST)


def extremes(
    value: NDArray[np.float64], finite: NDArray[np.bool_], starts: NDArray[np.intp], max_points: int
) -> NDArray[np.intp]:
    """The rows of the first, lowest, highest and last point of each bucket, ascending.

    Args:
        value: float64 (n,), by position on the axis.
        finite: bool (n,), which of them are.
        starts: (b,), ascending rows at which buckets begin, from 0.
        max_points: below four there is one bucket, of which the highest goes before the lowest, the
            last and the first.
    """
    first, last = starts, np.append(starts[1:], len(value)) - 1
    lowest = _first_lowest(np.where(finite, value, np.inf), finite, starts)
    highest = _first_lowest(np.where(finite, -value, np.inf), finite, starts)
    if max_points < _POINTS_A_BUCKET:
        by_rank = dict.fromkeys(int(row) for row in (*highest, *lowest, *last, *first))
        return np.array(sorted(list(by_rank)[:max_points]), np.intp)
    return np.unique(np.concatenate((first, lowest, highest, last)))


def _ascending(column: NDArray[np.int64]) -> bool:
    return bool(np.all(column[1:] >= column[:-1]))


def _starts(along: NDArray[np.int64], count: int) -> NDArray[np.intp]:
    """The row at which each bucket that has points begins.

    Distances are unsigned, since those between two int64 need not fit into an int64.
    """
    distance = along.view(np.uint64) - along[:1].view(np.uint64)
    width = bucket_width(int(distance[-1]), count)
    edges = np.arange(count, dtype=np.uint64) * np.uint64(width)
    starts = np.searchsorted(distance, edges)
    return starts[starts < np.append(starts[1:], len(along))]


def _first_lowest(
    value: NDArray[np.float64], finite: NDArray[np.bool_], starts: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The first finite place of the minimum of each bucket that has a finite value."""
    minima = np.minimum.reduceat(value, starts)
    sizes = np.diff(starts, append=len(value))
    places = np.flatnonzero(finite & (value == np.repeat(minima, sizes)))
    bucket = np.searchsorted(starts, places, side="right")
    return places[np.flatnonzero(np.diff(bucket, prepend=0))]
