"""Blobs as files in a folder."""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tracker.adapters.blobs.incoming import PIECE, received, tidied, written
from tracker.domain.artifacts.digest import require_digests
from tracker.domain.errors import NotFound, Unavailable

__all__ = ["LocalBlobStore"]

_SYNCED_AT_ONCE = 8


class LocalBlobStore:
    """Keeps the port :class:`tracker.ports.blobs.BlobStore`.

    A blob of digest ``abcd...`` is the file ``ab/cd/abcd...``, written beside and renamed once it is on
    the disk. Files are for this user only (0600, folders 0700). Several processes may share a folder.

    Args:
        folder: made when the first blob comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._is_ready = False

    async def put(self, digest: str, chunks: AsyncIterator[bytes]) -> int:
        """Keeps bytes; what is there already is replaced by the same, whatever a disk did to it."""
        with self._translated():
            await asyncio.to_thread(self._prepare)
            async with received(self._incoming, digest, chunks) as incoming:
                await asyncio.to_thread(_moved, incoming.path, self._path(digest))
                return incoming.size

    async def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keeps many in one turn of a thread."""
        if contents:
            with self._translated():
                await asyncio.to_thread(self._keep, contents)

    async def has(self, digests: Collection[str]) -> frozenset[str]:
        """Those that are here."""
        with self._translated():
            return await asyncio.to_thread(self._here, tuple(digests))

    async def size(self, digest: str) -> int | None:
        """How many bytes."""
        with self._translated():
            try:
                return (await asyncio.to_thread(self._path(digest).stat)).st_size
            except FileNotFoundError:
                return None

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Some of the bytes."""
        with self._translated():
            try:
                number = await asyncio.to_thread(os.open, self._path(digest), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError as error:
                raise NotFound.of("blob", digest) from error
        try:
            at = start
            while stop is None or at < stop:
                wanted = PIECE if stop is None else min(PIECE, stop - at)
                with self._translated():
                    piece = await asyncio.to_thread(os.pread, number, wanted, at)
                if not piece:
                    break
                at += len(piece)
                yield piece
        finally:
            os.close(number)

    async def delete(self, digests: Collection[str]) -> None:
        """Removes some; their folders stay."""
        with self._translated():
            await asyncio.to_thread(self._remove, tuple(digests))

    async def check(self) -> None:
        """A file can be made."""
        with self._translated():
            await asyncio.to_thread(self._try)

    async def close(self) -> None:
        """Nothing stays open."""

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = error.strerror or str(error)
            raise Unavailable(f"the blobs in {self._folder} do not answer: {why}", 5.0) from error

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:4] / digest

    def _prepare(self) -> None:
        if not self._is_ready or not self._incoming.is_dir():
            _made(self._folder)
            tidied(self._incoming)
            self._is_ready = True

    def _keep(self, contents: Mapping[str, bytes]) -> None:
        """Writes all beside, then gives each its name, and then has their folders know them for good.

        Every file and folder is synced by itself, which is what every file system promises to heed. Some at
        a time wait for it: a journal writes down together what waits together, so that it takes about as
        long as a few, and not as long as all.
        """
        require_digests(contents)
        self._prepare()
        mark = secrets.token_hex(8)
        beside = {digest: self._incoming / f"{mark}-{digest}" for digest in contents}
        try:
            with ThreadPoolExecutor(_SYNCED_AT_ONCE, "tracker-blobs") as pool:
                list(pool.map(written, beside.values(), contents.values()))
                folders = {self._folder}
                for digest in contents:
                    folder = _named(beside[digest], self._path(digest))
                    del beside[digest]
                    folders |= {folder, folder.parent}
                list(pool.map(_on_disk, folders))
        finally:
            for path in beside.values():
                path.unlink(missing_ok=True)

    def _here(self, digests: Collection[str]) -> frozenset[str]:
        return frozenset(digest for digest in digests if self._path(digest).exists())

    def _remove(self, digests: Collection[str]) -> None:
        for digest in digests:
            self._path(digest).unlink(missing_ok=True)

    def _try(self) -> None:
        self._prepare()
        with tempfile.TemporaryFile(dir=self._incoming):
            pass


def _named(source: Path, target: Path) -> Path:
    """Gives a file its name; the folder in which that has to be made durable, with those above."""
    folder = target.parent
    try:
        source.replace(target)
    except FileNotFoundError:  # most often the first one there
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
        source.replace(target)
    return folder


def _moved(source: Path, target: Path) -> None:
    """Gives a file its name, so that neither is lost in a power cut."""
    for folder in (target.parent.parent, target.parent):
        _made(folder)
    source.replace(target)
    _on_disk(target.parent)


def _made(folder: Path) -> None:
    """Makes a folder, and has the one above it know of it."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _on_disk(folder.parent)


def _on_disk(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
