"""Where datasets are kept, and how files of tables are read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, Protocol, TypeVar

from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.ids import DatasetId, JobId, ProjectId

__all__ = ["DatasetPage", "DatasetRepository", "Spool", "SpooledFile", "TableReader"]

_Found = TypeVar("_Found")


class DatasetPage(NamedTuple):
    """Some of the datasets that were asked for, and how many there are in all."""

    total: int
    items: tuple[Dataset, ...]


class DatasetRepository(Protocol):
    """Datasets. Changes show to others once the unit of work is committed.

    The bytes of a dataset are a blob: one that a dataset refers to is *referred to*, in the sense of
    :class:`tracker.ports.artifacts.BlobRepository`, by the dataset's project.
    """

    async def add(self, dataset: Dataset) -> None:
        """Keeps a new one.

        Raises:
            AlreadyExists: the id is taken, or its file name has this revision in its project.
            NotFound: its project does not exist, or a dataset that it follows or was made from.
        """
        ...

    async def get(self, dataset_id: DatasetId) -> Dataset:
        """The dataset.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def newest(self, project_id: ProjectId, filename: str) -> Dataset | None:
        """The last revision of this file name; ``None`` where there is none."""
        ...

    async def page(
        self, project_ids: Collection[ProjectId] | None, *, skip: int = 0, limit: int = 100
    ) -> DatasetPage:
        """Those of these projects (``None`` = all), newest first (ties by id, downwards)."""
        ...

    async def of_jobs(self, job_ids: Collection[JobId]) -> tuple[Dataset, ...]:
        """Those that these jobs made, oldest first (ties by id); they outlive their jobs."""
        ...

    async def delete(self, dataset_id: DatasetId) -> None:
        """Removes it; of a later revision, and of a dataset made from it, the link is forgotten.

        Raises:
            NotFound: there is none with this id.
        """
        ...


class SpooledFile(Protocol):
    """Bytes that came in, on a disk of this machine until they are let go of."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def digest(self) -> str:
        """Hex SHA-256 of all of them."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """All of them, in pieces of at most a MB."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The same, without holding up the event loop."""
        ...

    def open(self) -> BinaryIO:
        """The same, to read at any place; whoever asks closes it."""
        ...


class Spool(Protocol):
    """Takes files in whose digest is not known before all of them has come."""

    async def take(self, chunks: AsyncIterator[bytes], *, most: int) -> SpooledFile:
        """Writes the bytes to a file of their own. Memory does not grow with them.

        Raises:
            TooLarge: there are more than `most`; nothing is kept.
            Unavailable: the disk is full or does not answer; nothing is kept.
        """
        ...

    async def survey(self, file: SpooledFile, work: Callable[[SpooledFile], _Found]) -> _Found:
        """What ``work(file)`` gives, which reads the file, away from the event loop.

        Raises:
            Unavailable: the disk does not answer. What `work` raises beside goes through.
        """
        ...

    async def drop(self, file: SpooledFile) -> None:
        """Lets go of it; twice is no error."""
        ...


class TableReader(Protocol):
    """Reads files of tables that are no text: Parquet."""

    def rows(self, file: SpooledFile, limits: Limits) -> Iterator[Mapping[str, Any]]:
        """Its rows, column by name, with no more than a few MB in memory: what its head says is checked
        against `limits` before anything is unpacked.

        Raises:
            Invalid: it is no such file, is damaged, or breaks a limit; names row and column where it can.
            Unavailable: what reads it is not installed; names the extra.
        """
        ...
