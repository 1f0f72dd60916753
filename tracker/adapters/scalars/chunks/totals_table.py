"""The totals of many series at once: there may be hundreds of thousands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracker.adapters.scalars.chunks.columns import Columns
from tracker.adapters.scalars.chunks.totals import Totals
from tracker.domain.scalars.batch import Float64s, Int64s

__all__ = ["TotalsTable", "totals"]

_FLOATS = frozenset(("last_value", "min_value", "max_value"))
_NUMBERS = np.dtype([(name, "<f8" if name in _FLOATS else "<i8") for name in Totals._fields])
"""One packed :class:`Totals`."""


class TotalsTable(NamedTuple):
    """One row a series.

    Attributes:
        series: int64 (n,), their keys.
        numbers: structured (n,), a field for each of :class:`Totals`; in `min_value` and `max_value`
            not a number stands for none. A series without points has zeros everywhere.
    """

    series: Int64s
    numbers: NDArray[np.void]

    @classmethod
    def unpacked(cls, series: Sequence[int], packed: Sequence[bytes]) -> TotalsTable:
        """Of packed :class:`Totals`, or 72 zero bytes where there are no points.

        Raises:
            ValueError: the bytes are damaged.
        """
        if set(map(len, packed)) - {_NUMBERS.itemsize}:
            raise ValueError("the totals of a series are cut off")
        return cls(np.array(series, np.int64), np.frombuffer(b"".join(packed), _NUMBERS))

    @classmethod
    def of_points(cls, series: Int64s, points: Columns) -> TotalsTable:
        """Of each series that has points, by ascending key.

        Args:
            series: int64 (n,), key of each point's series.
            points: n points in arrival order.
        """
        if not len(series):
            return cls(np.empty(0, np.int64), np.empty(0, _NUMBERS))
        order = np.argsort(series, kind="stable")
        ordered, (step, time, value) = series[order], points.take(order)
        starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
        counts = np.diff(starts, append=len(ordered))
        finite = np.isfinite(value)
        last_step = np.maximum.reduceat(step, starts)
        at_last = step == np.repeat(last_step, counts)
        last_time = np.maximum.reduceat(np.where(at_last, time, np.iinfo(np.int64).min), starts)
        at_last &= time == np.repeat(last_time, counts)
        extremes = np.where(finite, value, np.nan)
        numbers = np.empty(len(starts), _NUMBERS)
        numbers["points"] = counts
        numbers["non_finite"] = counts - np.add.reduceat(finite, starts, dtype=np.int64)
        numbers["first_step"] = np.minimum.reduceat(step, starts)
        numbers["last_step"] = last_step
        numbers["last_time"] = last_time
        numbers["last_value"] = value[
            np.maximum.reduceat(np.where(at_last, np.arange(len(value)), -1), starts)
        ]
        numbers["modified"] = np.maximum.reduceat(time, starts)
        numbers["min_value"] = np.fmin.reduceat(extremes, starts)
        numbers["max_value"] = np.fmax.reduceat(extremes, starts)
        return cls(ordered[starts], numbers)

    def plus(self, later: TotalsTable) -> TotalsTable:
        """The same series with their points of `later`, which arrived after these.

        Args:
            later: by ascending key; what it has of other series is left out.
        """
        if not len(later.series):
            return self
        place = np.minimum(np.searchsorted(later.series, self.series), len(later.series) - 1)
        more = np.flatnonzero(later.series[place] == self.series)
        numbers = self.numbers.copy()
        numbers[more] = _added(numbers[more], later.numbers[place[more]])
        return TotalsTable(self.series, numbers)

    def columns(self) -> list[list[Any]]:
        """A list of n values for each field of :class:`Totals`."""
        *columns, low, high = (self.numbers[name] for name in Totals._fields)
        return [*(column.tolist() for column in columns), _or_none(low), _or_none(high)]


def totals(series: Int64s, points: Columns) -> dict[int, Totals]:
    """What :meth:`TotalsTable.of_points` tells, by series."""
    table = TotalsTable.of_points(series, points)
    return dict(
        zip(table.series.tolist(), map(Totals._make, zip(*table.columns(), strict=True)), strict=True)
    )


def _added(before: NDArray[np.void], after: NDArray[np.void]) -> NDArray[np.void]:
    """What :func:`~tracker.adapters.scalars.chunks.totals.added` says of each pair of rows."""
    both = after.copy()
    is_newer = (after["last_step"] > before["last_step"]) | (
        (after["last_step"] == before["last_step"]) & (after["last_time"] >= before["last_time"])
    )
    for name in ("last_step", "last_time", "last_value"):
        both[name] = np.where(is_newer, after[name], before[name])
    for name in ("points", "non_finite"):
        both[name] += before[name]
    both["first_step"] = np.minimum(before["first_step"], after["first_step"])
    both["modified"] = np.maximum(before["modified"], after["modified"])
    both["min_value"] = np.fmin(before["min_value"], after["min_value"])
    both["max_value"] = np.fmax(before["max_value"], after["max_value"])
    return np.where(before["points"] == 0, after, both)


def _or_none(extremes: Float64s) -> list[float | None]:
    values: list[float | None] = extremes.tolist()
    for place in np.flatnonzero(np.isnan(extremes)):
        values[place] = None
    return values
