"""Use cases of datasets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from tracker.domain.artifacts.blobs.service import Blob
from tracker.domain.evaluation.datasets.dataset import Dataset, DatasetFormat
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.rows import Columns
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import DatasetId, JobId, ProjectId
from tracker.ports.evaluation.datasets import DatasetPage

__all__ = ["DatasetDeletion", "DatasetService"]


class DatasetDeletion(NamedTuple):
    """What the deletion of a dataset did.

    Attributes:
        dataset: that is gone, its bytes with it once nothing else refers to them.
        failing: jobs that had not ended and read it; they fail with this as their reason.
    """

    dataset: Dataset
    failing: tuple[JobId, ...]


class DatasetService:
    """Takes datasets in, tells of them and gives them back."""

    @property
    def limits(self) -> Limits:
        """What an upload may hold."""
        raise NotImplementedError

    async def upload(
        self,
        actor: Actor,
        filename: str,
        chunks: AsyncIterator[bytes],
        *,
        project_id: ProjectId | None = None,
        format: DatasetFormat = DatasetFormat.JOB,
        columns: Columns | None = None,
        label: str | None = None,
    ) -> Dataset:
        """A new dataset, or a new revision of the one of this file name. Memory does not grow with it.

        Rows that are those of the newest revision of its name, with columns in the same parts, make no new
        one: that revision is given.

        Args:
            actor: who adds it.
            filename: as the upload says; it is sanitised, and its ending tells how the file is written.
            chunks: the file's bytes, not compressed.
            project_id: where it belongs; ``None`` = the project ``evaluations`` of `actor`, made at first
                use.
            format: what it is for.
            columns: which play which part.
            label: a name that people give it.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not add to it.
            Invalid: the file breaks a rule; names row and column. The kind of its problem is
                ``missing_examples`` where there is no column of examples, or nothing at all.
            TooLarge: the file is larger than the limits allow.
            Unavailable: the disk or store is full; nothing was kept.
        """
        raise NotImplementedError

    async def page(
        self, actor: Actor, *, project_id: ProjectId | None = None, skip: int = 0, limit: int = 100
    ) -> DatasetPage:
        """Those that `actor` may see, newest first; of one project, or of all.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        raise NotImplementedError

    async def get(self, actor: Actor, dataset_id: DatasetId) -> Dataset:
        """One dataset.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        raise NotImplementedError

    async def open(self, actor: Actor, dataset_id: DatasetId) -> tuple[Dataset, Blob]:
        """One dataset and its file's bytes.

        Raises:
            NotFound: there is none that `actor` may see.
            Unavailable: the store lost its bytes.
        """
        raise NotImplementedError

    async def links(
        self, actor: Actor, dataset_id: DatasetId, extension: str | None = None
    ) -> tuple[str, ...]:
        """Links to the dataset's files, for :meth:`LinkService.follow`.

        Args:
            actor: who asks.
            dataset_id: which.
            extension: only of files whose name ends so, whatever the case; ``None`` = all.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        raise NotImplementedError

    async def delete(self, actor: Actor, dataset_id: DatasetId) -> DatasetDeletion:
        """Removes it. Jobs that have not ended and read it fail, and say why.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
        """
        raise NotImplementedError
