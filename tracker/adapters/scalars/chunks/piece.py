"""What one commit brought of one experiment, packed without compression into a row of the tail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from tracker.adapters.scalars.chunks.columns import Arrivals, Columns, join
from tracker.domain.scalars.batch import Int64s

__all__ = ["Piece", "by_series"]

_FLAGS = 3  # bytes: an unused one, then whether step and time are one number for all points


class Piece(NamedTuple):
    """Points of several series of an experiment, in arrival order.

    Attributes:
        series: int64 (n,), the store's key of each point's series; it must fit into 32 bits.
        columns: the n points.
    """

    series: Int64s
    columns: Columns

    def pack(self) -> bytes:
        """Bytes; steps and times that are all the same are written once. There is at least one point."""
        step, time, value = self.columns
        same_step, same_time = bool(np.all(step == step[0])), bool(np.all(time == time[0]))
        parts = [
            bytes([0, same_step, same_time]),
            (step[:1] if same_step else step).astype("<i8").tobytes(),
            (time[:1] if same_time else time).astype("<i8").tobytes(),
            self.series.astype("<i4").tobytes(),
            value.astype("<f8").tobytes(),
        ]
        return b"".join(parts)

    @classmethod
    def unpack(cls, data: bytes) -> Piece:
        """The piece that was packed.

        Raises:
            ValueError: the bytes are damaged.
        """
        _, same_step, same_time = data[:_FLAGS]
        width = 12 + 8 * (not same_step) + 8 * (not same_time)
        count = (len(data) - _FLAGS - 8 * same_step - 8 * same_time) // width
        steps, times = (1 if same_step else count), (1 if same_time else count)
        at_time = _FLAGS + 8 * steps
        at_series = at_time + 8 * times
        step = np.frombuffer(data, "<i8", steps, _FLAGS)
        time = np.frombuffer(data, "<i8", times, at_time)
        series = np.frombuffer(data, "<i4", count, at_series).astype(np.int64)
        value = np.frombuffer(data, "<f8", count, at_series + 4 * count)
        return cls(series, Columns(np.resize(step, count), np.resize(time, count), value))


def by_series(rows: Iterable[tuple[int, bytes]]) -> dict[int, Arrivals]:
    """The points of an experiment's tail by series, each in arrival order.

    Args:
        rows: (number of the commit, packed piece), in arrival order.
    """
    arrivals, pieces = [], []
    for arrival, data in rows:
        arrivals.append(arrival)
        pieces.append(Piece.unpack(data))
    if not pieces:
        return {}
    series = np.concatenate([piece.series for piece in pieces])
    points = join([piece.columns for piece in pieces])
    brought = np.repeat(np.array(arrivals, np.int64), [len(piece.series) for piece in pieces])
    order = np.argsort(series, kind="stable")
    keys, starts = np.unique(series[order], return_index=True)
    everything = Arrivals(points, brought)
    rows_of = np.split(order, starts[1:])
    return {int(key): everything.take(rows) for key, rows in zip(keys, rows_of, strict=True)}
