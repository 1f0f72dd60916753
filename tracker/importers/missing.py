"""Which points of a source are not in the library yet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tracker.importers.records import Points

__all__ = ["missing"]

_ROW = np.dtype([("step", np.int64), ("time", np.int64), ("bits", np.uint64)])


def missing(source: Points, present: Points) -> Points:
    """The points of `source`, in its order, that `present` does not hold as often.

    Imports append in the source's order, so usually `present` is its beginning; where it is not, points
    are told apart by step, time and the bits of their value.
    """
    count = len(present)
    if count == 0:
        return source
    if count <= len(source) and np.array_equal(_rows(source.rest(0, count).sorted()), _rows(present)):
        return source.rest(count)
    have, rows = np.sort(_rows(present)), _rows(source)
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    # The n-th of equal points in the source is there if the library holds n of them.
    nth = np.arange(len(rows)) - np.searchsorted(ordered, ordered, side="left")
    held = np.searchsorted(have, ordered, side="right") - np.searchsorted(have, ordered, side="left")
    lacking = np.sort(order[nth >= held])
    return Points(source.step[lacking], source.time[lacking], source.value[lacking])


def _rows(points: Points) -> NDArray[np.void]:
    rows = np.empty(len(points), _ROW)
    rows["step"], rows["time"] = points.step, points.time
    rows["bits"] = np.ascontiguousarray(points.value).view(np.uint64)
    return rows
