"""What one commit brought of one experiment, packed without compression into a row of the tail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from tracker.adapters.scalars.chunks.columns import Arrivals, Columns, empty
from tracker.domain.scalars.batch import Int64s

__all__ = ["Piece", "by_series", "unpacked"]

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
        (same_step, steps), (same_time, times) = _packed(step), _packed(time)
        parts = [
            bytes([0, same_step, same_time]),
            steps,
            times,
            self.series.astype("<i4").tobytes(),
            value.astype("<f8", copy=False).tobytes(),
        ]
        return b"".join(parts)

    @classmethod
    def unpack(cls, data: bytes) -> Piece:
        """The piece that was packed. Raises ``ValueError``: the bytes are damaged."""
        return unpacked([data])[0]


def unpacked(packed: Sequence[bytes]) -> tuple[Piece, Int64s]:
    """All points of many pieces, and for each point the place of its piece in `packed`.

    Pieces of one form are read as one array: a run logs the same scalars again and again.

    Raises:
        ValueError: the bytes are damaged.
    """
    forms: dict[tuple[int, bytes], list[int]] = {}
    for place, data in enumerate(packed):
        forms.setdefault((len(data), data[:_FLAGS]), []).append(place)
    series, step, time, value, places = [], [], [], [], []
    for (size, flags), rows in forms.items():
        form = _form(size, flags)
        table = np.frombuffer(b"".join([packed[place] for place in rows]), form)
        count = form["value"].shape[0]
        series.append(table["series"].ravel())
        step.append(_repeated(table["step"], count))
        time.append(_repeated(table["time"], count))
        value.append(table["value"].ravel())
        places.append(np.repeat(rows, count))
    if not packed:
        return Piece(np.empty(0, np.int64), empty()), np.empty(0, np.int64)
    of = np.concatenate(places)
    columns = Columns(np.concatenate(step), np.concatenate(time), np.concatenate(value))
    piece = Piece(np.concatenate(series).astype(np.int64), columns)
    if len(forms) == 1:
        return piece, of
    order = np.argsort(of, kind="stable")
    return Piece(piece.series[order], columns.take(order)), of[order]


def by_series(rows: Iterable[tuple[int, bytes]]) -> dict[int, Arrivals]:
    """The points of an experiment's tail by series, each in arrival order.

    Args:
        rows: (number of the commit, packed piece), in arrival order.

    Raises:
        ValueError: a piece is damaged.
    """
    pieces = list(rows)
    if not pieces:
        return {}
    (series, columns), places = unpacked([data for _, data in pieces])
    everything = Arrivals(columns, np.array([arrival for arrival, _ in pieces], np.int64)[places])
    order = np.argsort(series, kind="stable")
    keys, starts = np.unique(series[order], return_index=True)
    rows_of = np.split(order, starts[1:])
    return {int(key): everything.take(at) for key, at in zip(keys, rows_of, strict=True)}


def _packed(column: Int64s) -> tuple[bool, bytes]:
    """Whether all are the same, and the column; bytes are compared in a third of the time of arrays, and
    nearly every batch is one step."""
    data = column.astype("<i8", copy=False).tobytes()
    first = data[:8]
    return (True, first) if data == first * len(column) else (False, data)


def _form(size: int, flags: bytes) -> np.dtype[np.void]:
    """How a piece of this size lies in memory."""
    if len(flags) < _FLAGS:
        raise ValueError("a piece of the tail is cut off")
    _, same_step, same_time = flags
    width = 12 + 8 * (not same_step) + 8 * (not same_time)
    count, rest = divmod(size - _FLAGS - 8 * bool(same_step) - 8 * bool(same_time), width)
    if rest or count < 1:
        raise ValueError(f"a piece of the tail has {rest} bytes too many")
    return np.dtype(
        [
            ("flags", "u1", (_FLAGS,)),
            ("step", "<i8", (1 if same_step else count,)),
            ("time", "<i8", (1 if same_time else count,)),
            ("series", "<i4", (count,)),
            ("value", "<f8", (count,)),
        ]
    )


def _repeated(column: Int64s, count: int) -> Int64s:
    return column.ravel() if column.shape[1] == count else np.repeat(column.ravel(), count)
