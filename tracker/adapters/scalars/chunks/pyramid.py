"""Summaries of blocks of 256 points, so that zooming out reads them instead of the points.

Of each block its first, lowest, highest and last point are kept whole (step, time, value), with the
count of its non-finite values. They take about 0.17 bytes for each point of the chunk.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tracker.adapters.scalars.chunks.codec import compress, decompress
from tracker.adapters.scalars.chunks.columns import Columns
from tracker.domain.scalars.batch import Float64s, Int64s

__all__ = ["BLOCK_POINTS", "FIRST", "HIGHEST", "LAST", "LOWEST", "Blocks", "blocks_in"]

BLOCK_POINTS = 256
FIRST, LOWEST, HIGHEST, LAST = range(4)

_LENGTHS = struct.Struct("<II")
_COUNTS = np.dtype([("non_finite", "<u2"), ("disordered", "u1"), ("lowest", "u1"), ("highest", "u1")])


class Blocks(NamedTuple):
    """Blocks of consecutive points of one series, which stand by (step, arrival).

    The middle axis of the matrices is :data:`FIRST`, :data:`LOWEST`, :data:`HIGHEST`, :data:`LAST`.
    Lowest and highest are the first such finite values; a block that has none repeats its first.

    Attributes:
        points: int64 (b,), 256 but for the last block of a chunk.
        non_finite: int64 (b,), how many of them are NaN or infinite.
        in_time_order: bool (b,), whether times do not fall within the block.
        place: int64 (b, 4), where the four stand within the block.
        step: int64 (b, 4).
        time: int64 (b, 4).
        value: float64 (b, 4).
    """

    points: Int64s
    non_finite: Int64s
    in_time_order: NDArray[np.bool_]
    place: Int64s
    step: Int64s
    time: Int64s
    value: Float64s

    @classmethod
    def of(cls, points: Columns) -> Self:
        """The blocks of a chunk's points, of which there is at least one."""
        count = len(points.value)
        starts = np.arange(0, count, BLOCK_POINTS)
        sizes = np.diff(starts, append=count)
        rows = len(starts), BLOCK_POINTS
        finite = np.zeros(rows[0] * BLOCK_POINTS, np.bool_)
        finite[:count] = np.isfinite(points.value)
        value = np.full(rows[0] * BLOCK_POINTS, np.nan)
        value[:count] = points.value
        finite, value = finite.reshape(rows), value.reshape(rows)
        place = np.zeros((rows[0], 4), np.int64)
        place[:, LOWEST] = np.where(finite, value, np.inf).argmin(axis=1)
        place[:, HIGHEST] = np.where(finite, value, -np.inf).argmax(axis=1)
        place[:, LAST] = sizes - 1
        falls = np.flatnonzero(points.time[1:] < points.time[:-1]) + 1
        in_time_order = np.ones(rows[0], np.bool_)
        in_time_order[falls[falls % BLOCK_POINTS > 0] // BLOCK_POINTS] = False
        at = starts[:, None] + place
        return cls(
            sizes, sizes - finite.sum(axis=1), in_time_order, place, *(column[at] for column in points)
        )

    @classmethod
    def join(cls, parts: Sequence[Blocks]) -> Blocks:
        """All blocks, in the order of `parts`, of which there is at least one."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def pack(self, codec: int) -> bytes:
        """Bytes; of the counts nothing is written but what cannot be known from the chunk's length."""
        counts = np.empty(len(self.points), _COUNTS)
        counts["non_finite"] = self.non_finite
        counts["disordered"] = ~self.in_time_order
        counts["lowest"], counts["highest"] = self.place[:, LOWEST], self.place[:, HIGHEST]
        step, time, value = (compress(column.ravel(), codec) for column in (self.step, self.time, self.value))
        return b"".join((_LENGTHS.pack(len(step), len(time)), counts.tobytes(), step, time, value))

    @classmethod
    def unpack(cls, data: bytes, points: int, codec: int) -> Blocks:
        """The blocks of one chunk. See :meth:`unpack_all`."""
        return cls.unpack_all([(data, points, codec)])

    @classmethod
    def unpack_all(cls, packed: Sequence[tuple[bytes, int, int]]) -> Blocks:
        """The blocks of some chunks, of which there is at least one, in their order.

        Args:
            packed: what :meth:`pack` gave, points of the whole chunk, and codec of each chunk.

        Raises:
            ValueError: the bytes are damaged, or of a codec that is not installed.
        """
        counts, steps, times, values, sizes = [], [], [], [], []
        for data, points, codec in packed:
            rows = blocks_in(points)
            try:
                of_step, of_time = _LENGTHS.unpack_from(data)
            except struct.error as error:
                raise ValueError(str(error)) from error
            at = _LENGTHS.size + rows * _COUNTS.itemsize
            counts.append(data[_LENGTHS.size : at])
            steps.append(decompress(data[at : at + of_step], np.int64, codec))
            times.append(decompress(data[at + of_step : at + of_step + of_time], np.int64, codec))
            values.append(decompress(data[at + of_step + of_time :], np.float64, codec))
            sizes += [BLOCK_POINTS] * (rows - 1) + [points - (rows - 1) * BLOCK_POINTS]
        points_of = np.array(sizes, np.int64)
        table = np.frombuffer(b"".join(counts), _COUNTS)
        place = np.zeros((len(table), 4), np.int64)
        place[:, LOWEST], place[:, HIGHEST], place[:, LAST] = table["lowest"], table["highest"], points_of - 1
        return cls(
            points_of,
            table["non_finite"].astype(np.int64),
            table["disordered"] == 0,
            place,
            *(np.concatenate(column).reshape(-1, 4) for column in (steps, times, values)),
        )


def blocks_in(points: int) -> int:
    """How many blocks a chunk of so many points has."""
    return -(-points // BLOCK_POINTS)
