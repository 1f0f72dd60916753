"""Datasets in SQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.evaluation.paging import page_of
from tracker.adapters.sql.evaluation_tables import datasets
from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.parting import in_parts
from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.domain.errors import NotFound
from tracker.domain.evaluation.datasets.dataset import Coverage, Dataset, DatasetFormat, Lineage
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.rows import Columns
from tracker.domain.ids import DatasetId, JobId, ProjectId
from tracker.ports.evaluation.datasets import DatasetPage

__all__ = ["SqlDatasetRepository"]

_SAME = (
    "id", "project_id", "filename", "size", "digest", "content_hash", "revision", "previous_id", "label",
    "created_at", "created_by", "version",
)  # fmt: skip


class SqlDatasetRepository:
    """Keeps the port :class:`tracker.ports.evaluation.datasets.DatasetRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, dataset: Dataset) -> None:
        """Keeps a new one."""
        with inserting("dataset", dataset.filename):
            await self._session.run(sa.insert(datasets).values(_columns(dataset)))

    async def get(self, dataset_id: DatasetId) -> Dataset:
        """The dataset."""
        found = await self._session.find(_BY_ID, dataset_id)
        if found is None:
            raise NotFound.of("dataset", dataset_id)
        return found

    async def newest(self, project_id: ProjectId, filename: str) -> Dataset | None:
        """The last revision."""
        statement = (
            sa.select(datasets)
            .where(datasets.c.project_id == project_id, datasets.c.filename == filename)
            .order_by(datasets.c.revision.desc())
            .limit(1)
        )
        return next(map(_dataset, await self._session.rows(statement)), None)

    async def page(
        self, project_ids: Collection[ProjectId] | None, *, skip: int = 0, limit: int = 100
    ) -> DatasetPage:
        """Some, newest first."""
        which = [] if project_ids is None else [datasets.c.project_id.in_(project_ids)]
        total, rows = await page_of(self._session, list(datasets.c), which, skip=skip, limit=limit)
        return DatasetPage(total, tuple(map(_dataset, rows)))

    async def of_jobs(self, job_ids: Collection[JobId]) -> tuple[Dataset, ...]:
        """Those that jobs made, oldest first."""
        found: list[Dataset] = []
        for some in in_parts(job_ids):
            statement = sa.select(datasets).where(datasets.c.job_id.in_(some))
            found += map(_dataset, await self._session.rows(statement))
        return tuple(sorted(found, key=lambda dataset: (dataset.created_at, dataset.id)))

    async def delete(self, dataset_id: DatasetId) -> None:
        """Removes it; the database forgets the links to it."""
        if not await self._session.run(sa.delete(datasets).where(datasets.c.id == dataset_id)):
            raise NotFound.of("dataset", dataset_id)


def _columns(dataset: Dataset) -> dict[str, Any]:
    lineage, columns, coverage = dataset.lineage, dataset.columns, dataset.coverage
    return {
        **{name: getattr(dataset, name) for name in _SAME},
        "format": dataset.format.value,
        "kind": dataset.kind.value,
        "names": list(dataset.names),
        "parts": columns.model_dump(mode="json"),
        "row_count": coverage.rows,
        "truth_count": coverage.ground_truth,
        "prediction_count": coverage.predictions,
        "job_id": None if lineage is None else lineage.job_id,
        "source_id": None if lineage is None else lineage.source_id,
        "generated_by": None if lineage is None else lineage.generated_by,
    }


def _dataset(row: Row) -> Dataset:
    values = row._mapping
    lineage = None
    if row.job_id is not None:
        lineage = Lineage(job_id=row.job_id, source_id=row.source_id, generated_by=row.generated_by)
    return Dataset(
        **{name: values[name] for name in _SAME},
        format=DatasetFormat(row.format),
        kind=FileKind(row.kind),
        names=tuple(row.names),
        columns=Columns(**row.parts),
        coverage=Coverage(rows=row.row_count, ground_truth=row.truth_count, predictions=row.prediction_count),
        lineage=lineage,
    )


_BY_ID = Lookup.of_one(sa.select(datasets), datasets.c.id, _dataset)
