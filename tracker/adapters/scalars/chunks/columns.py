"""Columns of points in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracker.domain.scalars.batch import Float64s, Int64s

__all__ = ["Arrivals", "Columns", "empty", "join", "join_arrivals"]

Rows = NDArray[np.intp] | NDArray[np.bool_] | slice


class Columns(NamedTuple):
    """Points of one series.

    Attributes:
        step: int64 (n,).
        time: int64 (n,), microseconds since 1970-01-01 UTC.
        value: float64 (n,).
    """

    step: Int64s
    time: Int64s
    value: Float64s

    def take(self, rows: Rows) -> Columns:
        """The points at `rows`."""
        return Columns(self.step[rows], self.time[rows], self.value[rows])

    def by_step(self) -> Columns:
        """The points by (step, arrival), when they stand in arrival order."""
        order = _step_order(self.step)
        return self if order is None else self.take(order)


class Arrivals(NamedTuple):
    """Points with the commit that brought each.

    Attributes:
        points: n points.
        arrival: int64 (n,), number of the commit within the experiment, counted from 1.
    """

    points: Columns
    arrival: Int64s

    def take(self, rows: Rows) -> Arrivals:
        """The points at `rows`."""
        return Arrivals(self.points.take(rows), self.arrival[rows])

    def by_step(self) -> Arrivals:
        """The points by (step, arrival), when they stand in arrival order."""
        order = _step_order(self.points.step)
        return self if order is None else self.take(order)


def empty() -> Columns:
    """No points."""
    return Columns(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


def join(parts: Sequence[Columns]) -> Columns:
    """All points, in the order of `parts`."""
    if len(parts) == 1:
        return parts[0]
    return Columns(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else empty()


def join_arrivals(parts: Sequence[Arrivals]) -> Arrivals:
    """All points, in the order of `parts`, of which there is at least one."""
    if len(parts) == 1:
        return parts[0]
    return Arrivals(join([part.points for part in parts]), np.concatenate([part.arrival for part in parts]))


def _step_order(step: Int64s) -> NDArray[np.intp] | None:
    """The stable order by step; ``None`` where they stand in it already, as they nearly always do."""
    return None if bool(np.all(step[1:] >= step[:-1])) else np.argsort(step, kind="stable")
