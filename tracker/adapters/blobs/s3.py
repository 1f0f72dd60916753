"""Blobs as objects of an S3 bucket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tracker.adapters.blobs.incoming import received, tidied
from tracker.domain.artifacts.digest import require_digests
from tracker.domain.errors import Invalid, NotFound, Unavailable

__all__ = ["S3BlobStore"]

_PART = 8 * 2**20
_PARTS_AT_ONCE = 2
_HEADS_AT_ONCE = 32
_PUTS_AT_ONCE = 16
_TOLD_AT_MOST = 200


class S3BlobStore:
    """Keeps the port :class:`tracker.ports.blobs.BlobStore`.

    A blob is the object ``PREFIX/ab/cd/abcd...``. It is taken into a local file first: what is sent has
    been verified, so that no wrong object ever stands under a digest.

    Args:
        url: ``s3://bucket/prefix``.
        spool: the local folder.
        endpoint: address of a server that speaks S3, if it is not Amazon's. Credentials and the region
            come from the process's ``AWS_*`` variables, or where AWS programs find theirs.

    Raises:
        Invalid: the address cannot be used.
    """

    def __init__(self, url: str, spool: Path, endpoint: str | None = None) -> None:
        self._url = url
        self._spool = spool
        self._is_ready = False
        where = {} if endpoint is None else {"endpoint": endpoint}
        plain = endpoint is not None and endpoint.startswith("http://")
        try:
            self._store = S3Store.from_url(
                url,
                client_options={"allow_http": plain, "timeout": "120s", "connect_timeout": "5s"},
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=20)},
                **where,  # type: ignore[arg-type]
            )
        except (BaseError, ValueError) as error:
            raise Invalid.field("BLOBS_URL", f"cannot be used: {_told(error)}") from error

    async def put(self, digest: str, chunks: AsyncIterator[bytes]) -> int:
        """Keeps bytes, unless as many are there."""
        with self._translated():
            if not self._is_ready:
                await asyncio.to_thread(tidied, self._spool)
                self._is_ready = True
            async with received(self._spool, digest, chunks) as incoming:
                if await self.size(digest) != incoming.size:
                    await obstore.put_async(
                        self._store, _key(digest), incoming.path,
                        chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE,
                    )  # fmt: skip
                return incoming.size

    async def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keeps many, a request each, some at a time: they are verified, so they need no file."""
        await asyncio.to_thread(require_digests, contents)
        digests = list(contents)
        with self._translated():
            for start in range(0, len(digests), _PUTS_AT_ONCE):
                some = digests[start : start + _PUTS_AT_ONCE]
                await asyncio.gather(
                    *(obstore.put_async(self._store, _key(digest), contents[digest]) for digest in some)
                )

    async def has(self, digests: Collection[str]) -> frozenset[str]:
        """Those that are here; some are asked for at a time."""
        free = asyncio.Semaphore(_HEADS_AT_ONCE)

        async def is_here(digest: str) -> bool:
            async with free:
                return await self.size(digest) is not None

        wanted = list(digests)
        found = await asyncio.gather(*map(is_here, wanted))
        return frozenset(digest for digest, here in zip(wanted, found, strict=True) if here)

    async def size(self, digest: str) -> int | None:
        """How many bytes."""
        with self._translated():
            try:
                return int((await obstore.head_async(self._store, _key(digest)))["size"])
            except FileNotFoundError:
                return None

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Some of the bytes, a part a request: one that fails is tried again by itself."""
        size = await self.size(digest)
        if size is None:
            raise NotFound.of("blob", digest)
        end = size if stop is None else min(stop, size)
        for at in range(start, end, _PART):
            with self._translated():
                part = await obstore.get_range_async(
                    self._store, _key(digest), start=at, end=min(at + _PART, end)
                )
            yield bytes(part)

    async def delete(self, digests: Collection[str]) -> None:
        """Removes some, up to a thousand a request."""
        if digests:
            with self._translated():
                await obstore.delete_async(self._store, [_key(digest) for digest in digests])

    async def check(self) -> None:
        """The bucket answers."""
        with self._translated():
            await obstore.list_with_delimiter_async(self._store, "check")

    async def close(self) -> None:
        """Its connections go with it."""

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise Unavailable(f"the blobs at {self._url} do not answer: {_told(error)}", 5.0) from error


def _key(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def _told(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:_TOLD_AT_MOST] if lines else type(error).__name__
