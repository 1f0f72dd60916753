"""How large the pages of a Parquet file are when they are unpacked, told before any is.

The file's footer tells sizes too, but who makes a bomb can write there what they like; what unpacking
allocates is told by the head in front of each page. It is Thrift in the compact protocol
(parquet.thrift, ``PageHeader``): field 2 is the size unpacked, field 3 the size in the file.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CutOff", "PageHead", "page_head"]

_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = (4, 5, 6)
_DEEPEST = 16


class CutOff(ValueError):
    """There is too little of a head to read it."""


class PageHead(NamedTuple):
    """The head of a page.

    Attributes:
        unpacked: bytes.
        packed: bytes, as they follow in the file.
        length: of the head itself, in bytes.
    """

    unpacked: int
    packed: int
    length: int


def page_head(raw: bytes) -> PageHead:
    """The head with which `raw` begins.

    Raises:
        CutOff: there is too little of it.
        ValueError: it begins with none.
    """
    reader = _Reader(raw)
    try:
        fields = reader.integers_of_struct()
    except IndexError as error:
        raise CutOff("the head of a page is cut off") from error
    if reader.at > len(raw):
        raise CutOff("the head of a page is cut off")
    if 2 not in fields or 3 not in fields or fields[2] < 0 or fields[3] < 0:
        raise ValueError("the head of a page tells no sizes")
    return PageHead(fields[2], fields[3], reader.at)


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def integers_of_struct(self, depth: int = 0) -> dict[int, int]:
        """The integer fields of a struct by number; others are passed over."""
        if depth > _DEEPEST:
            raise ValueError("the head of a page is nested too deep")
        found: dict[int, int] = {}
        number = 0
        while (head := self._byte()) & 0x0F != _STOP:
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            kind = head & 0x0F
            if kind in _INTEGERS:
                found[number] = self._zigzag()
            elif kind not in (_TRUE, _FALSE):
                self._pass_over(kind, depth)
        return found

    def _pass_over(self, kind: int, depth: int) -> None:
        if kind in _INTEGERS:
            self._varint()
        elif kind in (_TRUE, _FALSE, _BYTE):  # within a list, a boolean has a byte of its own
            self.at += 1
        elif kind == _DOUBLE:
            self.at += 8
        elif kind == _BINARY:
            length = self._varint()
            self.at += length
        elif kind == _STRUCT:
            self.integers_of_struct(depth + 1)
        elif kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 != 0x0F else self._varint()
            for _ in range(count):
                self._pass_over(head & 0x0F, depth + 1)
                if self.at > len(self.raw):
                    raise IndexError
        else:
            raise ValueError("the head of a page has a part of an unknown kind")

    def _byte(self) -> int:
        byte = self.raw[self.at]
        self.at += 1
        return byte

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ValueError("the head of a page has a number that is too long")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
