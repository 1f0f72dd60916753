"""Chunks: up to 8,192 points of one series, compressed column by column."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import starmap
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tracker.adapters.scalars.chunks.codec import best_codec, compress, decompress
from tracker.adapters.scalars.chunks.columns import Arrivals, Columns
from tracker.adapters.scalars.chunks.pyramid import Blocks

__all__ = ["CHUNK_POINTS", "FOLD_AT", "Chunk", "chunked", "rewritten"]

CHUNK_POINTS = 8192
FOLD_AT = 1024
"""A series with so many points in the tail is folded; a batch with so many skips the tail."""


class Chunk(NamedTuple):
    """A row of a store's table of chunks. Points stand by (step, arrival).

    Attributes:
        points: how many.
        codec: of all columns, see :mod:`tracker.adapters.scalars.chunks.codec`.
        first_step, last_step: smallest and largest step.
        last_arrival: number of the latest commit that brought one of the points.
        checksum: CRC-32 of all bytes below.
        blocks: packed :class:`~tracker.adapters.scalars.chunks.pyramid.Blocks`.
        step, time, value, arrival: compressed columns.
    """

    points: int
    codec: int
    first_step: int
    last_step: int
    last_arrival: int
    checksum: int
    blocks: bytes
    step: bytes
    time: bytes
    value: bytes
    arrival: bytes

    @classmethod
    def of(cls, arrivals: Arrivals) -> Self:
        """A chunk of at least one and at most 8,192 points, which stand by (step, arrival)."""
        codec = best_codec()
        points = arrivals.points
        columns = [compress(column, codec) for column in (*points, arrivals.arrival)]
        blocks = Blocks.of(points).pack(codec)
        return cls(
            len(points.value),
            codec,
            int(points.step[0]),
            int(points.step[-1]),
            int(arrivals.arrival.max()),
            _checksum(blocks, *columns),
            blocks,
            *columns,
        )

    def columns(self) -> Columns:
        """The points.

        Raises:
            ValueError: the bytes are damaged, or of a codec that is not installed.
        """
        return decoded(self.codec, self.step, self.time, self.value)

    def arrivals(self) -> Arrivals:
        """The points with what commit brought each. Raises what :meth:`columns` raises."""
        return Arrivals(self.columns(), decompress(self.arrival, np.int64, self.codec))

    def fault(self) -> str | None:
        """What is wrong with the chunk, in words; ``None`` when it is sound."""
        if _checksum(self.blocks, self.step, self.time, self.value, self.arrival) != self.checksum:
            return "its checksum is another one"
        try:
            points, arrival = self.arrivals()
            blocks = Blocks.unpack(self.blocks, self.points, self.codec)
        except ValueError as error:
            return f"it cannot be decoded: {error}"
        lengths = {len(column) for column in (*points, arrival)}
        if lengths != {self.points}:
            return f"its columns have {sorted(lengths)} points, not {self.points}"
        if np.any(points.step[1:] < points.step[:-1]):
            return "its steps are not in order"
        bounds = int(points.step[0]), int(points.step[-1]), int(arrival.max())
        if bounds != (self.first_step, self.last_step, self.last_arrival):
            return f"its steps or arrivals do not end at {bounds}"
        again = Blocks.of(points)
        same = starmap(_same_bytes, zip(blocks, again, strict=True))
        return None if all(same) else "its blocks are not those of its points"


def decoded(codec: int, step: bytes, time: bytes, value: bytes) -> Columns:
    """Points from the columns of a chunk.

    Raises:
        ValueError: the bytes are damaged, or of a codec that is not installed.
    """
    return Columns(
        decompress(step, np.int64, codec),
        decompress(time, np.int64, codec),
        decompress(value, np.float64, codec),
    )


def chunked(arrivals: Arrivals) -> Iterator[Chunk]:
    """The chunks of points in arrival order."""
    ordered = arrivals.by_step()
    for start in range(0, len(ordered.arrival), CHUNK_POINTS):
        yield Chunk.of(ordered.take(slice(start, start + CHUNK_POINTS)))


def rewritten(latest: Iterable[int], new: int) -> int:
    """How many of a series' latest chunks to write anew together with `new` points.

    Chunks are taken in as long as they have less than twice the points gathered so far and all fit
    into one chunk, so that a point is rewritten a logarithmic number of times.

    Args:
        latest: points of the series' chunks, the latest first.
        new: points to be folded.
    """
    taken = 0
    for points in latest:
        if points >= 2 * new or new + points > CHUNK_POINTS:
            break
        new += points
        taken += 1
    return taken


def _checksum(*parts: bytes) -> int:
    found = 0
    for part in parts:
        found = zlib.crc32(part, found)
    return found


def _same_bytes(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.astype(other.dtype).tobytes() == other.tobytes()
