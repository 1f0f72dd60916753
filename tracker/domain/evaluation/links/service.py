"""Use cases of links: addresses of files that hold for an hour and for whoever has them."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from tracker.domain.artifacts.blobs.service import Blob
from tracker.domain.ids import DatasetId, JobId
from tracker.ports.blobs import BlobStore
from tracker.ports.clock import Clock
from tracker.ports.secrets import SignedTokens
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["LINK_LASTS", "LinkService", "LinkedFile"]

LINK_LASTS = timedelta(seconds=3600)
"""For so long a link holds."""


class LinkedFile(NamedTuple):
    """What a link leads to.

    Attributes:
        filename: under which to save it.
        media_type: of its bytes.
        blob: its size and bytes.
    """

    filename: str
    media_type: str
    blob: Blob


class LinkService:
    """Signs links and follows them. An edge makes a URL of one by its own address and a route such as
    ``/api/v1/files/{link}``, which asks for no credentials: the link is one.

    Args:
        units: opens units of work.
        store: of the bytes.
        clock: tells when a link runs out.
        tokens: signs.
    """

    def __init__(self, units: UnitsOfWork, store: BlobStore, clock: Clock, tokens: SignedTokens) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._tokens = tokens

    def to_dataset(self, dataset_id: DatasetId) -> str:
        """A link to the file of a dataset that its caller was shown."""
        raise NotImplementedError

    def to_job_file(self, job_id: JobId, name: str) -> str:
        """A link to a file that a job left, such as its ``result``; its caller was shown the job."""
        raise NotImplementedError

    async def follow(self, link: str) -> LinkedFile:
        """The file that a link leads to.

        Raises:
            Unauthenticated: it was not signed here, or has run out.
            NotFound: the file was deleted since.
            Unavailable: the store lost its bytes.
        """
        raise NotImplementedError
