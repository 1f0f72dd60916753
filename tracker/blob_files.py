"""Blobs between files and streams."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

from tracker.domain.artifacts.digest import MOST_AT_ONCE
from tracker.domain.errors import Invalid, Unavailable

__all__ = ["gathered", "pieces_of", "saved", "sent_in_parts"]

_PIECE = 2**20
_SMALL = 2**20
_ROOM = 4 * 2**20  # half of what a server takes of a request, unless it is told otherwise
_LARGE_AT_ONCE = 8


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


async def sent_in_parts(
    sources: Mapping[str, bytes | Path],
    together: Callable[[Mapping[str, bytes]], Awaitable[object]],
    alone: Callable[[str, bytes | Path], Awaitable[object]],
) -> None:
    """Sends what is small together, in parts of at most 5 MiB and a thousand, and what is large alone.

    Args:
        sources: bytes, or files of them, by digest.
        together: sends the contents of small ones.
        alone: sends a large one, piece by piece.

    Raises:
        Invalid: a file cannot be read; the parts before it were sent.
    """
    rest = iter(sources.items())
    while True:
        small, large = await asyncio.to_thread(_next_part, rest)
        if not small and not large:
            return
        if small:
            await together(small)
        await asyncio.gather(*(alone(digest, source) for digest, source in large.items()))


def _next_part(
    rest: Iterator[tuple[str, bytes | Path]],
) -> tuple[dict[str, bytes], dict[str, bytes | Path]]:
    """The contents of the next small ones, and the large ones between them."""
    small: dict[str, bytes] = {}
    large: dict[str, bytes | Path] = {}
    length = 0
    for digest, source in rest:
        content = _content(source)
        if content is None:
            large[digest] = source
        else:
            small[digest] = content
            length += len(content)
        if length >= _ROOM or len(small) == MOST_AT_ONCE or len(large) == _LARGE_AT_ONCE:
            break
    return small, large


def _content(source: bytes | Path) -> bytes | None:
    """All of it, if it is small."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source) if len(source) <= _SMALL else None
    try:
        with Path(source).open("rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            is_small = stat.S_ISREG(status.st_mode) and status.st_size <= _SMALL
            content = file.read() if is_small else None
    except OSError as error:
        raise Invalid.field("source", f"{source} cannot be read: {error.strerror}") from error
    return None if content is None or len(content) > _SMALL else content  # it may have grown meanwhile


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
