"""Bytes on their way in: written to a file while they are hashed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from tracker.domain.errors import Conflict

__all__ = ["PIECE", "Incoming", "received", "tidied", "written"]

PIECE = 2**20
"""How many bytes are read, hashed or written at once."""

_ABANDONED_SECONDS = 86_400.0


class Incoming(NamedTuple):
    """A file of the right bytes, that is gone when its context ends unless somebody moved it."""

    path: Path
    size: int


@asynccontextmanager
async def received(folder: Path, digest: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[Incoming]:
    """Writes bytes to a new file in `folder`, readable for this user only, and on to the disk.

    Raises:
        Conflict: they do not hash to `digest`.
        OSError: the disk refuses them.
    """
    number, name = await asyncio.to_thread(tempfile.mkstemp, dir=folder)
    try:
        hashing, size = hashlib.sha256(), 0
        with os.fdopen(number, "wb", buffering=0) as file:
            async for piece in _pieces(chunks):
                await asyncio.to_thread(_take, file, hashing, piece)
                size += len(piece)
            found = hashing.hexdigest()
            if found != digest:
                raise Conflict(f"the {size} bytes hash to {found}, not to {digest}; nothing was kept")
            await asyncio.to_thread(os.fsync, file.fileno())
        yield Incoming(Path(name), size)
    finally:
        _dropped(name)


def _dropped(name: str) -> None:
    with suppress(FileNotFoundError):
        Path(name).unlink()


async def _pieces(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in fewer parts: each costs a thread's turn."""
    waiting: list[bytes] = []
    length = 0
    async for chunk in chunks:
        waiting.append(bytes(chunk))
        length += len(chunk)
        if length >= PIECE:
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


def written(path: Path, content: bytes) -> None:
    """Writes bytes to a new file, readable for this user only, and on to the disk.

    Raises:
        OSError: the disk refuses them.
    """
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(number, rest) :]
        os.fsync(number)
    finally:
        os.close(number)


def tidied(folder: Path) -> None:
    """Makes the folder where files come in, and removes what a killed process left there a day ago."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = time.time()
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if now - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()
