"""Thinning a series for a chart so that no spike can vanish."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracker.domain.scalars.series import Axis

__all__ = ["Thinned", "thin"]

_POINTS_A_BUCKET = 4
_WIDEST = 2**64 - 1


class Thinned(NamedTuple):
    """What is left of a series.

    Attributes:
        step: int64 (m,), by (step, arrival) as it came in.
        time: int64 (m,), microseconds since 1970-01-01 UTC.
        value: float64 (m,).
        total: points there were.
        gaps: float64 (k,), ascending positions on the axis of the buckets that hold non-finite values.
    """

    step: NDArray[np.int64]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    total: int
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
    non-finite points; otherwise a gap is the middle of its bucket.

    Args:
        step: int64 (n,), by (step, arrival).
        time: int64 (n,).
        value: float64 (n,).
        max_points: at most this many come back; ``None`` = all. Below four there is one bucket,
            and the highest goes before the lowest, the last and the first.
        axis: whether buckets are cut along steps or times.
    """
    along = step if axis is Axis.STEP else time
    finite = np.isfinite(value)
    if max_points is None or len(value) <= max_points:
        gaps = np.unique(along[~finite]).astype(np.float64)
        return Thinned(step, time, value, len(value), gaps)
    # Sorting is skipped where it can be: nearly every series is logged in order.
    order = None if _ascending(along) else np.argsort(along, kind="stable")
    if order is not None:
        along, finite = along[order], finite[order]
    starts, middles = _buckets(along, max(1, max_points // _POINTS_A_BUCKET))
    kept = _kept(value if order is None else value[order], finite, starts, max_points)
    holes = np.logical_or.reduceat(~finite, starts)
    rows = kept if order is None else np.sort(order[kept])
    return Thinned(step[rows], time[rows], value[rows], len(value), middles[holes])


def _ascending(column: NDArray[np.int64]) -> bool:
    return bool(np.all(column[1:] >= column[:-1]))


def _buckets(along: NDArray[np.int64], count: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Where each bucket that has points begins, and the middle of each on the axis.

    Distances are unsigned, since those between two int64 need not fit into an int64.
    """
    origin = int(along[0])
    distance = along.view(np.uint64) - along[:1].view(np.uint64)
    width = min(int(distance[-1]) // count + 1, _WIDEST)
    edges = np.arange(count, dtype=np.uint64) * np.uint64(width)
    starts = np.searchsorted(distance, edges)
    ends = np.append(starts[1:], len(along))
    taken = starts < ends
    middles = float(origin) + (np.arange(count, dtype=np.float64) + 0.5) * float(width)
    return starts[taken], middles[taken]


def _kept(
    value: NDArray[np.float64], finite: NDArray[np.bool_], starts: NDArray[np.intp], max_points: int
) -> NDArray[np.intp]:
    first, last = starts, np.append(starts[1:], len(value)) - 1
    lowest = _first_lowest(np.where(finite, value, np.inf), finite, starts)
    highest = _first_lowest(np.where(finite, -value, np.inf), finite, starts)
    if max_points < _POINTS_A_BUCKET:
        by_rank = dict.fromkeys(int(row) for row in (*highest, *lowest, *last, *first))
        return np.array(sorted(list(by_rank)[:max_points]), np.intp)
    return np.unique(np.concatenate((first, lowest, highest, last)))


def _first_lowest(
    value: NDArray[np.float64], finite: NDArray[np.bool_], starts: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The first finite place of the minimum of each bucket that has a finite value."""
    minima = np.minimum.reduceat(value, starts)
    sizes = np.diff(starts, append=len(value))
    places = np.flatnonzero(finite & (value == np.repeat(minima, sizes)))
    bucket = np.searchsorted(starts, places, side="right")
    return places[np.flatnonzero(np.diff(bucket, prepend=0))]
