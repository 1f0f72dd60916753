"""Columns of points as bytes: compressed chunks, and plain pieces of the tail."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracker.domain.scalars.batch import Float64s, Int64s

try:
    from pcodec import ChunkConfig, standalone  # type: ignore[import-untyped]
except ImportError:  # no wheel for this platform: zlib takes 17 % more room
    standalone = None

__all__ = ["PCODEC", "ZLIB", "Columns", "Piece", "best_codec", "compress", "decompress", "empty", "join"]

ZLIB, PCODEC = 0, 1
_FLAGS = 3  # bytes: an unused one, then whether step and time are one number for all points


class Columns(NamedTuple):
    """Points of one series."""

    step: Int64s
    time: Int64s
    value: Float64s

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Columns:
        """The points at `rows`."""
        return Columns(self.step[rows], self.time[rows], self.value[rows])

    def by_step(self) -> Columns:
        """The points by (step, arrival)."""
        if bool(np.all(self.step[1:] >= self.step[:-1])):
            return self
        return self.take(np.argsort(self.step, kind="stable"))


def empty() -> Columns:
    """No points."""
    return Columns(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


def join(parts: list[Columns]) -> Columns:
    """All points, in the order of `parts`."""
    if len(parts) == 1:
        return parts[0]
    return Columns(*map(np.concatenate, zip(*parts, strict=True))) if parts else empty()


def best_codec() -> int:
    """The codec for new chunks."""
    return ZLIB if standalone is None else PCODEC


def compress(column: Int64s | Float64s, codec: int) -> bytes:
    """A column as bytes, bit for bit."""
    if codec == PCODEC:
        return bytes(
            standalone.simple_compress(np.ascontiguousarray(column), ChunkConfig(compression_level=4))
        )
    return zlib.compress(column.astype(column.dtype.newbyteorder("<")).tobytes(), 6)


def decompress(data: bytes, dtype: type[np.generic], codec: int) -> NDArray:  # type: ignore[type-arg]
    """The column that was compressed.

    Raises:
        ValueError: the bytes are damaged, or of a codec that is not installed.
    """
    if codec == ZLIB:
        return np.frombuffer(zlib.decompress(data), np.dtype(dtype).newbyteorder("<")).astype(dtype)
    if codec != PCODEC or standalone is None:
        raise ValueError(f"a chunk has codec {codec}, which is not installed")
    column = standalone.simple_decompress(data)
    if column is None or column.dtype != dtype:
        raise ValueError("a chunk holds another column than it should")
    return np.asarray(column)


class Piece(NamedTuple):
    """Points of several series of an experiment, in arrival order."""

    series: Int64s
    columns: Columns

    def pack(self) -> bytes:
        """Bytes; steps and times that are all the same are written once."""
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
        """The piece that was packed."""
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
