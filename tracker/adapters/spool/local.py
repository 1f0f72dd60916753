"""A spool in a folder of this machine."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from tracker.domain.errors import TooLarge, Unavailable
from tracker.ports.evaluation.datasets import SpooledFile

__all__ = ["LocalFile", "LocalSpool"]

_Found = TypeVar("_Found")

_PIECE = 2**20
_ABANDONED_SECONDS = 86_400.0


class LocalFile:
    """Keeps the port :class:`tracker.ports.evaluation.datasets.SpooledFile`.

    Args:
        path: of the file.
        size: of it, in bytes.
        digest: hex SHA-256.
    """

    def __init__(self, path: Path, size: int, digest: str) -> None:
        self.path = path
        self.size = size
        self.digest = digest

    def pieces(self) -> Iterator[bytes]:
        """All of it."""
        with self.open() as file:
            while piece := file.read(_PIECE):
                yield piece

    async def chunks(self) -> AsyncIterator[bytes]:
        """All of it, without holding up the event loop."""
        try:
            with await asyncio.to_thread(self.open) as file:
                while piece := await asyncio.to_thread(file.read, _PIECE):
                    yield piece
        except OSError as error:
            raise _unavailable(self.path.parent, error) from error

    def open(self) -> BinaryIO:
        """It, to read at any place."""
        return self.path.open("rb", buffering=0)


class LocalSpool:
    """Keeps the port :class:`tracker.ports.evaluation.datasets.Spool`.

    Files are for this user only (0600, the folder 0700). What a killed process left is removed a day later.

    Args:
        folder: made when the first file comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_ready = False

    async def take(self, chunks: AsyncIterator[bytes], *, most: int) -> LocalFile:
        """Writes bytes to a new file while they are hashed. What `chunks` raise goes through."""
        number, name = await self._on_disk(self._made)
        try:
            hashing, size = hashlib.sha256(), 0
            with os.fdopen(number, "wb", buffering=0) as file:
                async for piece in _pieces(chunks):
                    size += len(piece)
                    _check(size, most)
                    await self._on_disk(_take, file, hashing, piece)
            return LocalFile(Path(name), size, hashing.hexdigest())
        except BaseException:
            _dropped(name)
            raise

    async def survey(self, file: SpooledFile, work: Callable[[SpooledFile], _Found]) -> _Found:
        """Has a thread do it."""
        return await self._on_disk(work, file)

    async def drop(self, file: SpooledFile) -> None:
        """Removes it."""
        if isinstance(file, LocalFile):
            _dropped(str(file.path))

    async def _on_disk(self, work: Callable[..., _Found], *args: Any) -> _Found:
        try:
            return await asyncio.to_thread(work, *args)
        except OSError as error:
            raise _unavailable(self._folder, error) from error

    def _made(self) -> tuple[int, str]:
        """A new file, open, and its name."""
        if not self._is_ready or not self._folder.is_dir():
            _tidied(self._folder)
            self._is_ready = True
        return tempfile.mkstemp(dir=self._folder)


def _check(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"the file has more than the {most:,} bytes allowed")


def _unavailable(folder: Path, error: OSError) -> Unavailable:
    return Unavailable(f"files cannot be taken into {folder}: {error.strerror or error}", 5.0)


def _dropped(name: str) -> None:
    with suppress(FileNotFoundError):
        Path(name).unlink()


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in parts of about a MB: each costs a thread's turn."""
    waiting: list[bytes] = []
    length = 0
    async for chunk in chunks:
        for start in range(0, len(chunk), _PIECE):
            part = bytes(chunk[start : start + _PIECE])
            waiting.append(part)
            length += len(part)
            if length >= _PIECE:
                yield b"".join(waiting)
                waiting, length = [], 0
    if length:
        yield b"".join(waiting)


def _take(file: FileIO, hashing: hashlib._Hash, piece: bytes) -> None:
    # By the object and not its number, which may be another file's when a cancelled task has closed it.
    hashing.update(piece)
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def _tidied(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = time.time()
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if now - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()
