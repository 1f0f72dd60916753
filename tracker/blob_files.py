"""Blobs between files and streams."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from tracker.domain.errors import Invalid, Unavailable

__all__ = ["gathered", "pieces_of", "saved"]

_PIECE = 2**20


async def pieces_of(source: bytes | Path) -> AsyncIterator[bytes]:
    """The bytes, or those of a file, piece by piece.

    Raises:
        Invalid: the file cannot be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        yield bytes(source)
        return
    try:
        with await asyncio.to_thread(Path(source).open, "rb", buffering=0) as file:
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece
    except OSError as error:
        raise Invalid.field("source", f"{source} cannot be read: {error.strerror}") from error


async def gathered(chunks: AsyncIterator[bytes], digest: str) -> bytes:
    """All of the bytes at once.

    Raises:
        Unavailable: they do not hash to `digest`.
    """
    content = b"".join([chunk async for chunk in chunks])
    _require(hashlib.sha256(content), digest)
    return content


async def saved(chunks: AsyncIterator[bytes], digest: str, to: Path | str) -> Path:
    """The file that has the bytes now. Its folder is made; until they are all there, what was there stays.

    Raises:
        Invalid: it cannot be written there.
        Unavailable: they do not hash to `digest`.
    """
    target, hashing = Path(to), hashlib.sha256()
    beside = target.parent / f".{secrets.token_hex(8)}.part"  # made with the modes of any new file
    try:
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        opened = await asyncio.to_thread(beside.open, "xb")
    except OSError as error:
        raise Invalid.field("to", f"{target} cannot be written: {error.strerror}") from error
    try:
        with opened as file:
            async for chunk in chunks:
                hashing.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        _require(hashing, digest)
        await asyncio.to_thread(beside.replace, target)
    except OSError as error:
        raise Invalid.field("to", f"{target} cannot be written: {error.strerror}") from error
    finally:
        await asyncio.to_thread(beside.unlink, missing_ok=True)
    return target


def _require(hashing: hashlib._Hash, digest: str) -> None:
    found = hashing.hexdigest()
    if found != digest:
        raise Unavailable(f"the bytes that came hash to {found}, not to {digest}; try again")
