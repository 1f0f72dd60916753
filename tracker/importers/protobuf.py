"""Reads Protocol Buffers without their schemas' packages: the wire format, and no more of it than is needed.

The format is that of https://protobuf.dev/programming-guides/encoding/: a message is a run of fields, each a
key (number and kind) and a value. Importers name the few fields they want by number.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

__all__ = ["Malformed", "double", "fields", "float32", "signed", "text", "varints"]

Value = int | bytes

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Malformed(Exception):
    """Bytes that are no message; importers turn it into an error that names the place."""


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Each field of a message: its number, and an integer (varint) or the raw bytes (all other kinds).

    Raises:
        Malformed: the bytes end within a field, or are of a kind that does not exist.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind == _FIXED32:
            size = 4
        elif kind == _FIXED64:
            size = 8
        else:
            raise Malformed(f"a field of kind {kind}")
        if at + size > end:
            raise Malformed("a field that is longer than its message")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise Malformed("a number that does not end")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7


def varints(packed: Value) -> list[int]:
    """The numbers of a repeated field, packed or single."""
    if isinstance(packed, int):
        return [packed]
    found, at = [], 0
    while at < len(packed):
        value, at = _varint(packed, at)
        found.append(value)
    return found


def signed(value: Value) -> int:
    """A varint as the int32 or int64 that it stands for."""
    number = _integer(value)
    return number - 2**64 if number >= 2**63 else number


def double(value: Value) -> float:
    """A double."""
    return float(struct.unpack("<d", _bytes(value, 8))[0])


def float32(value: Value) -> float:
    """A float, widened; a NaN keeps its payload."""
    (bits,) = struct.unpack("<I", _bytes(value, 4))
    if bits & 0x7F80_0000 == 0x7F80_0000 and bits & 0x007F_FFFF:
        # Conversion by the processor would make a signalling NaN a quiet one.
        wide = (bits & 0x8000_0000) << 32 | 0x7FF0_0000_0000_0000 | (bits & 0x007F_FFFF) << 29
        return float(struct.unpack("<d", struct.pack("<Q", wide))[0])
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


def text(value: Value) -> str:
    """UTF-8; what is none shows as U+FFFD."""
    return _bytes(value).decode("utf-8", "replace")


def _integer(value: Value) -> int:
    if not isinstance(value, int):
        raise Malformed("text where a number should be")
    return value


def _bytes(value: Value, size: int | None = None) -> bytes:
    if isinstance(value, int) or size not in (None, len(value)):
        raise Malformed("a number of another kind")
    return value
