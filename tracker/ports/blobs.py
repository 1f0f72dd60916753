"""Where the bytes of artifacts are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Protocol

__all__ = ["BlobStore"]


class BlobStore(Protocol):
    """Bytes under their digest (hex SHA-256). What is here never changes; it is there whole or not at all.

    Every method may raise ``Unavailable``: the store does not answer, is full, or lost what it should have.
    None holds more than a few MB in memory, however large a blob is.
    """

    async def put(self, digest: str, chunks: AsyncIterator[bytes]) -> int:
        """Keeps the bytes; they are durable when it returns, and nobody sees them before.

        Bytes that are there already are no error, nor are two puts of one digest at a time.

        Returns:
            How many bytes there are.

        Raises:
            Conflict: the bytes do not hash to `digest`; nothing was kept.
        """
        ...

    async def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keeps many small blobs by their digests; as :meth:`put`, at a fraction of what as many of it cost.

        Raises:
            Conflict: some bytes do not hash to their digest; nothing was kept.
            Unavailable: some may have been kept, and the others not.
        """
        ...

    async def has(self, digests: Collection[str]) -> frozenset[str]:
        """Those of them that are here."""
        ...

    async def size(self, digest: str) -> int | None:
        """How many bytes a blob has; ``None`` where there is none."""
        ...

    def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes ``start <= i < stop`` (``None`` = to the end) in pieces of at most a few MB.

        Raises:
            NotFound: there is no such blob; raised by the first step of the iterator.
        """
        ...

    async def delete(self, digests: Collection[str]) -> None:
        """Removes blobs; one that is not here is no error."""
        ...

    async def check(self) -> None:
        """Returns when the store could take a blob now."""
        ...

    async def close(self) -> None:
        """Lets go of files and connections; safe to call twice."""
        ...
