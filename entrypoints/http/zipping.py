"""A snapshot as a ZIP file that is made while it is sent."""

from __future__ import annotations

import asyncio
import stat
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC

from tracker.domain.artifacts.snapshot import SnapshotFile
from tracker.domain.artifacts.snapshots.service import OpenSnapshot

__all__ = ["ZIP", "zipped"]

ZIP = "application/zip"
_LARGE = 64 * 2**10  # from here on compressing would hold other requests up
_ZIP64_FROM = 2**31
_UNIX = 3


class _Sink:
    """Where the archive is written to; what came is taken away again at once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def taken(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


async def zipped(opened: OpenSnapshot) -> AsyncIterator[bytes]:
    """The archive, with modes and symbolic links as Unix has them (APPNOTE 4.4.15).

    Its names are those of a snapshot, which are relative and stay inside; no file stands below a link.
    """
    sink = _Sink()
    made = opened.snapshot.created_at.astimezone(UTC)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # type: ignore[call-overload]
        for file in opened.snapshot.files:
            info = _entry(file, made.timetuple()[:6])
            with archive.open(info, "w", force_zip64=file.size >= _ZIP64_FROM) as entry:
                async for piece in opened.read(file):
                    if len(piece) < _LARGE:
                        entry.write(piece)
                    else:
                        await asyncio.to_thread(entry.write, piece)
                    if data := sink.taken():
                        yield data
    yield sink.taken()


def _entry(file: SnapshotFile, moment: tuple[int, ...]) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(file.path, moment)  # type: ignore[arg-type]
    info.create_system = _UNIX
    info.compress_type = zipfile.ZIP_DEFLATED
    mode = stat.S_IFLNK | 0o777 if file.link else stat.S_IFREG | file.mode
    info.external_attr = mode << 16
    return info
