"""Use cases of links: addresses of files that hold for an hour and for whoever has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from tracker.domain.artifacts.blobs.service import Blob, opened
from tracker.domain.errors import NotFound
from tracker.domain.evaluation.datasets.filenames import FileKind, sanitised
from tracker.domain.ids import DatasetId, JobId
from tracker.ports.blobs import BlobStore
from tracker.ports.clock import Clock
from tracker.ports.secrets import SignedTokens
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["LINK_LASTS", "LinkService", "LinkedFile"]

LINK_LASTS = timedelta(seconds=3600)
"""For so long a link holds."""

AUDIENCE = "files"

_MEDIA_TYPES = {
    FileKind.CSV: "text/csv; charset=utf-8",
    FileKind.JSONL: "application/jsonl",
    FileKind.PARQUET: "application/vnd.apache.parquet",
}


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
        return self._signed({"dataset": str(dataset_id)})

    def to_job_file(self, job_id: JobId, name: str) -> str:
        """A link to a file that a job left, such as its ``result``; its caller was shown the job."""
        return self._signed({"job": str(job_id), "file": name})

    async def follow(self, link: str) -> LinkedFile:
        """The file that a link leads to.

        Raises:
            Unauthenticated: it was not signed here, or has run out.
            NotFound: the file was deleted since.
            Unavailable: the store lost its bytes.
        """
        claims = self._tokens.read(AUDIENCE, link, self._clock.now())
        async with self._units.reading() as unit:
            if "dataset" in claims:
                dataset = await unit.datasets.get(DatasetId(UUID(str(claims["dataset"]))))
                name, digest, media_type = dataset.filename, dataset.digest, _MEDIA_TYPES[dataset.kind]
            else:
                name, digest = await _job_file(unit, JobId(UUID(str(claims["job"]))), str(claims["file"]))
                media_type = "application/json"
        return LinkedFile(name, media_type, await opened(self._store, digest))

    def _signed(self, claims: Mapping[str, str | int]) -> str:
        return self._tokens.sign(AUDIENCE, claims, self._clock.now() + LINK_LASTS)


async def _job_file(unit: ReadingUnit, job_id: JobId, name: str) -> tuple[str, str]:
    """File name and digest."""
    job = await unit.jobs.get(job_id)
    file = (await unit.job_files.find([job_id], name)).get(job_id)
    if file is None:
        raise NotFound.of("file", name)
    return sanitised(f"{job.name[:100]}-{name}.json"), file.digest
