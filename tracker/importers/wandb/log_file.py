"""The records of a ``.wandb`` file.

The format is LevelDB's log (https://github.com/google/leveldb/blob/main/doc/log_format.md) behind a header
of seven bytes, with CRC-32 (of zlib) over type and bytes: blocks of 32 KiB, in which a record is whole or in
parts.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracker.domain.errors import Invalid, Unavailable
from tracker.importers.records import LeftOut

__all__ = ["LogFile"]

_MAGIC = b":W&B\xe1\xbe"
_HEADER = 7
_BLOCK = 32 * 1024
_HEAD = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_DAMAGED, _ENDS = -1, -2


@dataclass
class LogFile:
    """One file.

    Attributes:
        path: of the file.
        damaged: parts whose bytes do not fit their checksum, and records that lack a part.
        unread: bytes at the end that are no whole record.
    """

    path: Path
    damaged: int = 0
    unread: int = 0

    def records(self) -> Iterator[bytes]:
        """Each whole record.

        Raises:
            Invalid: it is no such file.
            Unavailable: it cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be read: {error.strerror or error}") from error
        if not data.startswith(_MAGIC[: len(data)]) or not data:
            raise Invalid.field("PATH", f"{self.path} is no .wandb file: it does not begin as one")
        at = _HEADER
        parts: bytes | None = None
        while at < len(data):
            room = _BLOCK - at % _BLOCK
            if room < _HEAD.size:  # too little for a head: zeros up to the next block
                at += room
                continue
            kind, body, at = self._part(data, at)
            if kind == _ENDS:
                return
            if kind == _DAMAGED:
                parts = None
                continue
            parts = body if kind in (_WHOLE, _FIRST) else None if parts is None else parts + body
            if parts is None:
                self.damaged += 1
            elif kind in (_WHOLE, _LAST):
                yield parts
                parts = None

    def _part(self, data: bytes, at: int) -> tuple[int, bytes, int]:
        """Kind and bytes of the part at `at`, and where the next one begins."""
        start = at + _HEAD.size
        if start > len(data):
            self.unread = len(data) - at
            return _ENDS, b"", at
        crc, size, kind = _HEAD.unpack_from(data, at)
        if start + size > len(data):
            self.unread = len(data) - at
            return _ENDS, b"", at
        body = data[start : start + size]
        if kind not in (_WHOLE, _FIRST, _MIDDLE, _LAST) or zlib.crc32(body, zlib.crc32(bytes([kind]))) != crc:
            self.damaged += 1
            # A length that may be wrong leads nowhere; the next block begins with a head again.
            return _DAMAGED, b"", at + _BLOCK - at % _BLOCK
        return kind, body, start + size

    def left_out(self) -> Iterator[LeftOut]:
        """What could not be read."""
        if self.damaged:
            why = "do not fit their checksum"
            yield LeftOut(f"records of {self.path.name}", why, self.damaged, damaged=True)
        if self.unread:
            why = f"its last {self.unread} bytes are no whole record (cut off, or still being written)"
            yield LeftOut(f"the end of {self.path.name}", why)
