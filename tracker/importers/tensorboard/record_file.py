"""TFRecord files, read as they grow.

A record is ``uint64 length, uint32 crc(length), bytes, uint32 crc(bytes)``, little-endian; both checksums
are masked CRC-32C (https://www.tensorflow.org/tutorials/load_data/tfrecord).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

from tracker.domain.errors import Unavailable
from tracker.importers.tensorboard.crc32c import crc32c

__all__ = ["RecordFile"]

_HEAD = struct.Struct("<QI")
_FOOT = struct.Struct("<I")
_PORTION = 32 * 2**20


@dataclass
class RecordFile:
    """One file, and how far it has been read.

    Attributes:
        path: of the file.
        at: where the next record begins.
        damaged: records whose bytes do not fit their checksum; they are passed over.
        broken: the length at `at` is damaged, so nothing behind it can be found.
        unread: bytes behind the last whole record.
    """

    path: Path
    at: int = 0
    damaged: int = 0
    broken: bool = False
    unread: int = 0
    _left: bytes = field(default=b"", repr=False)

    def read(self) -> tuple[list[bytes], bool]:
        """The next whole records whose checksums hold, some tens of megabytes at most.

        Returns:
            the records, and whether there may be more at once.

        Raises:
            Unavailable: the file cannot be read.
        """
        if self.broken:
            return [], False
        try:
            with self.path.open("rb") as file:
                file.seek(self.at + len(self._left))
                fresh = file.read(_PORTION)
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be read: {error.strerror or error}") from error
        records = self._cut(self._left + fresh)
        return records, len(fresh) == _PORTION and not self.broken

    def _cut(self, data: bytes) -> list[bytes]:
        heads, bodies, lengths, sums = [], [], [], []
        at = 0
        while at + _HEAD.size <= len(data):
            length, head_sum = _HEAD.unpack_from(data, at)
            start, stop = at + _HEAD.size, at + _HEAD.size + length
            heads.append(data[at : at + 8])
            lengths.append(head_sum)
            if stop + _FOOT.size > len(data):
                break
            bodies.append(data[start:stop])
            sums.append(_FOOT.unpack_from(data, stop)[0])
            at = stop + _FOOT.size
        good_heads = (crc32c(heads) == lengths).tolist() if heads else []
        if not all(good_heads):
            first = good_heads.index(False)
            self.broken = True
            at = sum(_HEAD.size + len(body) + _FOOT.size for body in bodies[:first])
            del bodies[first:], sums[first:]
        good = (crc32c(bodies) == sums).tolist() if bodies else []
        self.damaged += good.count(False)
        self.at += at
        self._left = b"" if self.broken else data[at:]
        self.unread = len(data) - at
        return [body for body, fits in zip(bodies, good, strict=True) if fits]
