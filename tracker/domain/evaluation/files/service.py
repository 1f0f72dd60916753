"""Bytes that datasets and jobs refer to: how they get into the store, and how documents are read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from tracker.domain.artifacts.blobs.service import REFERENCES, opened
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.evaluation.results import Document
from tracker.domain.ids import UserId
from tracker.domain.projects.purge import GRACE
from tracker.ports.blobs import BlobStore
from tracker.ports.clock import Clock
from tracker.ports.evaluation.datasets import Spool, SpooledFile
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["FileService", "Put", "read_document"]

_Found = TypeVar("_Found")
_MOST_READ = 2**40


class Put(NamedTuple):
    """Bytes that are in the store, and that nothing refers to so far.

    Attributes:
        digest: hex SHA-256.
        size: in bytes.
        by: whose they are.
    """

    digest: str
    size: int
    by: UserId

    async def refer(self, unit: WritingUnit, at: datetime) -> None:
        """Notes that they are there, and keeps them from being deleted until the unit has made its reference.

        To be called in the unit that does so, after its other locks.
        """
        await unit.lock(REFERENCES)
        await unit.blobs.note_uploads({self.digest: self.size}, self.by, at)


class FileService:
    """Takes files into the store and reads them back, with no more than pieces of them in memory.

    Args:
        units: opens units of work.
        store: of the bytes.
        spool: takes them in before their digest is known.
        clock: tells when.
    """

    def __init__(self, units: UnitsOfWork, store: BlobStore, spool: Spool, clock: Clock) -> None:
        self._units = units
        self._store = store
        self._spool = spool
        self._clock = clock

    @asynccontextmanager
    async def spooled(self, chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[SpooledFile]:
        """The bytes as a file, for as long as the context lasts.

        Raises:
            TooLarge: there are more than `most`.
            Unavailable: the disk is full.
        """
        file = await self._spool.take(chunks, most=most)
        try:
            yield file
        finally:
            await self._spool.drop(file)

    async def aside(self, file: SpooledFile, work: Callable[[SpooledFile], _Found]) -> _Found:
        """What ``work(file)`` gives, away from the event loop."""
        return await self._spool.survey(file, work)

    async def put(self, file: SpooledFile, by: UserId) -> Put:
        """Puts a file's bytes into the store.

        Raises:
            Unavailable: it is full or does not answer; nothing was kept.
        """
        # The row comes first: bytes without one would be found by nobody who deletes what is not used.
        async with self._units.writing() as unit:
            await unit.lock(REFERENCES)
            await unit.blobs.reserve([file.digest], review_at=self._clock.now() + GRACE)
            await unit.commit()
        await self._store.put(file.digest, file.chunks())
        return Put(file.digest, file.size, by)

    async def read(self, digest: str, work: Callable[[SpooledFile], _Found]) -> _Found:
        """What ``work(file)`` makes of the bytes of a blob.

        Raises:
            NotFound: the store lost it.
        """
        if await self._store.size(digest) is None:
            raise NotFound.of("blob", digest)
        blob = await opened(self._store, digest)
        async with self.spooled(blob.read(), _MOST_READ) as file:
            return await self.aside(file, work)

    async def document(self, digest: str) -> Document:
        """A blob that holds a JSON object.

        Raises:
            NotFound: the store lost it.
            Invalid: it is none.
        """
        return await self.read(digest, read_document)


def read_document(file: SpooledFile) -> Document:
    """The JSON object in a file.

    Raises:
        Invalid: there is none.
    """
    try:
        found: Any = json.loads(b"".join(file.pieces()))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the document {file.digest} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise Invalid(f"the document {file.digest} is no JSON object")
    return found
