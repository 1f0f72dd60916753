"""What is known of a series without reading it: computed from points, and added up."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tracker.adapters.scalars.chunks.columns import Columns

__all__ = ["Totals", "added", "totals_of"]

_PACKED = struct.Struct("<5qdqdd")  # the layout of TotalsTable.numbers too


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

    def pack(self) -> bytes:
        """72 bytes, in which every bit of the last value is kept; not a number stands for no extreme."""
        return _PACKED.pack(*self[:7], *(math.nan if value is None else value for value in self[7:]))

    @classmethod
    def unpack(cls, packed: bytes) -> Totals:
        """What :meth:`pack` was given.

        Raises:
            ValueError: the bytes are damaged.
        """
        if len(packed) != _PACKED.size:
            raise ValueError(f"the totals of a series have {len(packed)} bytes")
        *numbers, low, high = _PACKED.unpack(packed)
        return cls._make((*numbers, *(None if math.isnan(value) else value for value in (low, high))))


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


def _either(choose: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)
