"""The frames of a segment: a length, a checksum, and a body of one of four kinds.

::

    frame    u4 length of the body, u4 CRC-32 of the body, body; all little-endian
    body     "H" header, JSON: who writes             "S" u4 number, JSON: the names behind a number
             "E" event, JSON: whatever is no scalar   "V" u4 number, i8 step, i8 time, f8 per name

The header comes first; names come before the values that use their number. A frame that is cut
short or whose checksum is wrong ends the segment: nothing behind it was acknowledged by a write.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from struct import Struct
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

__all__ = ["HEAD", "Block", "PackRow", "Segment", "event", "framed", "header", "names", "pack_row", "read"]

HEAD = Struct("<II")
_NUMBER = Struct("<BI")
_HEADER, _NAMES, _EVENT, _VALUES = b"HSEV"

PackRow = Callable[..., bytes]
"""Packs a step, a time in microseconds and the values into the body of a frame."""


def framed(body: bytes) -> bytes:
    """The frame around `body`."""
    return HEAD.pack(len(body), crc32(body)) + body


def header(content: Mapping[str, Any]) -> bytes:
    """The frame that a segment begins with."""
    return framed(b"H" + _json(content))


def names(number: int, of: Sequence[str]) -> bytes:
    """The frame that gives a number to a row of names."""
    return framed(_NUMBER.pack(_NAMES, number) + _json(of))


def event(content: Mapping[str, Any]) -> bytes:
    """The frame of something that is no scalar."""
    return framed(b"E" + _json(content))


def pack_row(number: int, width: int) -> PackRow:
    """What packs rows of `width` values whose names have this number."""
    return partial(Struct(f"<BIqq{width}d").pack, _VALUES, number)


@dataclass(frozen=True)
class Block:
    """Rows of the same names: step and time int64 (n,), value float64 (n, names)."""

    names: tuple[str, ...]
    step: NDArray[np.int64]
    time: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """What a segment says.

    Attributes:
        header: who wrote it; empty if not even that is whole.
        parts: blocks of rows, and events, in the order in which they were written.
        whole: how many of its bytes are whole frames.
    """

    header: Mapping[str, Any]
    parts: tuple[Block | Mapping[str, Any], ...]
    whole: int


def read(data: bytes) -> Segment:
    """Reads a segment up to its end or to the first frame that is not whole."""
    found: Mapping[str, Any] = {}
    parts: list[Block | Mapping[str, Any]] = []
    known: dict[int, tuple[str, ...]] = {}
    at = 0
    while (body := _body(data, at)) is not None:
        kind = body[0]
        if kind == _VALUES:
            number = _NUMBER.unpack_from(body)[1] if len(body) >= _NUMBER.size else -1
            if number not in known or len(body) != _row(len(known[number])).itemsize - HEAD.size:
                break
            block, at = _block(data, at, known[number])
            parts.append(block)
            continue
        try:
            if kind == _NAMES:
                number, of = _named(body)
                known[number] = of
            elif kind == _EVENT:
                parts.append(_object(body))
            elif kind == _HEADER:
                found = _object(body)
        except (TypeError, ValueError, struct.error):  # not what a version of tracker writes
            break
        at += HEAD.size + len(body)
    return Segment(found, tuple(parts), at)


def _named(body: bytes) -> tuple[int, tuple[str, ...]]:
    of = json.loads(body[_NUMBER.size :])
    if not isinstance(of, list) or not of or not all(isinstance(name, str) for name in of):
        raise TypeError("no names")
    return _NUMBER.unpack_from(body)[1], tuple(of)


def _object(body: bytes) -> Mapping[str, Any]:
    told = json.loads(body[1:])
    if not isinstance(told, dict):
        raise TypeError("no object")
    return told


def _json(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), allow_nan=True).encode()


def _body(data: bytes, at: int) -> bytes | None:
    if len(data) < at + HEAD.size:
        return None
    length, checksum = HEAD.unpack_from(data, at)
    body = data[at + HEAD.size : at + HEAD.size + length]
    return body if length and len(body) == length and crc32(body) == checksum else None


def _block(data: bytes, at: int, of: tuple[str, ...]) -> tuple[Block, int]:
    """All rows with these names that follow one another from `at` on, and where they end.

    A training loop logs the same names again and again: read as one array they cost no Python for
    each, but for the checksum.
    """
    record = _row(len(of))
    size = record.itemsize
    rows, count = _alike(data, record, at)
    view = memoryview(data)
    bodies = range(at + HEAD.size, at + count * size, size)
    for index, (start, checksum) in enumerate(zip(bodies, rows["checksum"].tolist(), strict=False)):
        if crc32(view[start : start + size - HEAD.size]) != checksum:
            count = index
            break
    rows = rows[:count]
    block = Block(
        of,
        rows["step"].astype(np.int64),
        rows["time"].astype(np.int64),
        rows["value"].astype(np.float64).reshape(count, len(of)),
    )
    return block, at + count * size


@cache
def _row(width: int) -> np.dtype[np.void]:
    """The frame of a row of `width` values."""
    return np.dtype(
        [("length", "<u4"), ("checksum", "<u4"), ("kind", "u1"), ("number", "<u4"), ("step", "<i8"),
         ("time", "<i8"), ("value", "<f8", (width,))]
    )  # fmt: skip


def _alike(data: bytes, record: np.dtype[np.void], at: int) -> tuple[NDArray[np.void], int]:
    """Frames from `at` on, and how many of them are rows of the same names as the first.

    Looks farther only as long as they are: where two kinds of rows alternate, to look through all
    of what follows at each would take a time that grows with the square of it.
    """
    there, window = (len(data) - at) // record.itemsize, 64
    while True:
        rows = np.frombuffer(data, record, min(there, window), at)
        same = (
            (rows["length"] == rows["length"][0])
            & (rows["kind"] == _VALUES)
            & (rows["number"] == rows["number"][0])
        )
        if not same.all():
            return rows, int(same.argmin())
        if window >= there:
            return rows, len(rows)
        window *= 8
