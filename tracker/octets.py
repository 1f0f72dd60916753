"""Series as plain little-endian columns: the answers of ``Accept: application/octet-stream``.

Everything is a word of eight bytes, so that a reader lays arrays of int64 and float64 over the bytes and
copies nothing; text is UTF-8 with NULs up to the next word. ``docs/guide/scalars-wire.md`` shows a
reader of a dozen lines::

    answer: "TRKSCAL1"  series: int64  bytes of cursor: int64  cursor   then each series:
    series: points: int64  total: int64  gaps: int64  bytes of name: int64
            experiment id: 16 bytes  name  step: int64 each  time: int64 each  value: float64 each
            gap: float64 each
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from uuid import UUID

import numpy as np

from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.series import SampledSeries, Series

__all__ = ["read", "write"]

_MAGIC = b"TRKSCAL1"
_WORD = 8
_HEAD = struct.Struct("<8sqq")
_SERIES = struct.Struct("<qqqq16s")


def write(series: Iterable[Series], cursor: str | None = None) -> bytes:
    """The bytes of series; those that are not thinned have no gaps and are their own total."""
    told = (cursor or "").encode()
    written = [b"".join(_parts(each)) for each in series]
    return b"".join([_HEAD.pack(_MAGIC, len(written), len(told)), _padded(told), *written])


def read(data: bytes) -> tuple[tuple[SampledSeries, ...], str | None]:
    """The series and the cursor of :func:`write`; the edges of buckets are not told.

    Raises:
        ValueError: the bytes are of another kind, or cut off.
    """
    try:
        magic, count, length = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise ValueError(f"begins with {magic!r}, not with {_MAGIC!r}")
        at = _HEAD.size
        cursor = data[at : at + length].decode() or None
        at += _up(length)
        found = []
        for _ in range(count):
            series, at = _read_one(data, at)
            found.append(series)
    except struct.error as error:
        raise ValueError(f"cut off: {error}") from error
    return tuple(found), cursor


def _parts(series: Series) -> Iterator[bytes]:
    name = series.name.encode()
    total, gaps = len(series), np.empty(0, np.float64)
    if isinstance(series, SampledSeries):
        total, gaps = series.total, series.gaps
    yield _SERIES.pack(len(series), total, len(gaps), len(name), series.experiment_id.bytes)
    yield _padded(name)
    for column in (series.step, series.time, series.value, gaps):
        yield column.astype(column.dtype.newbyteorder("<"), copy=False).tobytes()


def _read_one(data: bytes, at: int) -> tuple[SampledSeries, int]:
    points, total, gaps, length, key = _SERIES.unpack_from(data, at)
    at += _SERIES.size
    name = data[at : at + length].decode()
    at += _up(length)
    columns = []
    for kind, count in (("<i8", points), ("<i8", points), ("<f8", points), ("<f8", gaps)):
        column = np.frombuffer(data, kind, count, at)
        columns.append(column.astype(column.dtype.newbyteorder("="), copy=False))
        at += count * _WORD
    step, time, value, places = columns
    series = SampledSeries(
        experiment_id=ExperimentId(UUID(bytes=key)),
        name=name,
        step=step,
        time=time,
        value=value,
        total=total,
        edges=np.empty(0, np.int64),
        gaps=places,
    )
    return series, at


def _padded(text: bytes) -> bytes:
    return text.ljust(_up(len(text)), b"\0")


def _up(length: int) -> int:
    return -(-length // _WORD) * _WORD
