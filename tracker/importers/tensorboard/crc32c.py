"""CRC-32C of many pieces of a buffer at once.

The polynomial is Castagnoli's (RFC 3720, appendix B.4); masked as TFRecord wants it. Python goes through
bytes one by one, numpy through many pieces side by side, which is what makes checking cheap: a CRC is
linear, so zeros put in front change nothing, and a long piece may be cut into rows that are joined after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["crc32c", "masked"]

_POLYNOMIAL = 0x82F63B78
_ROW = 2048
"""Bytes of a row that a long piece is cut into."""

_INVERTED = bytes(range(255, -1, -1))

Words = NDArray[np.uint32]


def _byte_table() -> Words:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


_TABLE = _byte_table()


def _raw(rows: NDArray[np.uint8]) -> Words:
    """The remainder of each row, beginning with none."""
    state = np.zeros(len(rows), np.uint32)
    for column in np.ascontiguousarray(rows.T):
        state = _TABLE[(state ^ column) & 0xFF] ^ (state >> np.uint32(8))
    return state


def _behind_a_row() -> list[Words]:
    """What a remainder becomes when a row of zeros follows, by each of its four bytes."""
    tables = []
    for shift in (0, 8, 16, 24):
        state = np.arange(256, dtype=np.uint32) << np.uint32(shift)
        for _ in range(_ROW):
            state = _TABLE[state & 0xFF] ^ (state >> np.uint32(8))
        tables.append(state)
    return tables


_BEHIND_A_ROW: list[Words] = []


def _long(piece: bytes) -> int:
    padded = np.frombuffer(piece.rjust(-(-len(piece) // _ROW) * _ROW, b"\0"), np.uint8)
    if not _BEHIND_A_ROW:
        _BEHIND_A_ROW.extend(_behind_a_row())
    a, b, c, d = _BEHIND_A_ROW
    state = 0
    for remainder in _raw(padded.reshape(-1, _ROW)).tolist():
        moved = a[state & 0xFF] ^ b[state >> 8 & 0xFF] ^ c[state >> 16 & 0xFF] ^ d[state >> 24]
        state = int(moved) ^ remainder
    return state


def crc32c(pieces: Sequence[bytes]) -> Words:
    """The checksum of each piece, masked: uint32 (n,)."""
    found = np.zeros(len(pieces), np.uint32)
    by_width: defaultdict[int, list[int]] = defaultdict(list)
    for index, piece in enumerate(pieces):
        by_width[len(piece) if len(piece) < 4 else 1 << (len(piece) - 1).bit_length()].append(index)
    for width, members in by_width.items():
        # A register that begins full is the same as the first four bytes inverted.
        turned = [_begun(pieces[index]) for index in members]
        if width > _ROW:
            raw = np.array([_long(piece) for piece in turned], np.uint32)
        elif width < 4:
            raw = np.array([_few(pieces[index]) for index in members], np.uint32)
        else:
            joined = b"".join(piece.rjust(width, b"\0") for piece in turned)
            raw = _raw(np.frombuffer(joined, np.uint8).reshape(-1, width))
        found[members] = raw
    return masked(found ^ np.uint32(0xFFFFFFFF))


def _begun(piece: bytes) -> bytes:
    return piece[:4].translate(_INVERTED) + piece[4:]


def _few(piece: bytes) -> int:
    state = 0xFFFFFFFF
    for byte in piece:
        state = int(_TABLE[(state ^ byte) & 0xFF]) ^ (state >> 8)
    return state


def masked(crc: Words) -> Words:
    """As TFRecord keeps it: rotated, so that a checksum of data with checksums in it stays a good one."""
    turned = (crc >> np.uint32(15)) | (crc << np.uint32(17))
    with np.errstate(over="ignore"):
        return turned + np.uint32(0xA282EAD8)
