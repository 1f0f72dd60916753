"""What goes with a job that is deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from tracker.domain.ids import DatasetId, JobId
from tracker.ports.unit_of_work import WritingUnit

__all__ = ["erase_datasets", "erase_jobs"]


async def erase_jobs(
    unit: WritingUnit, job_ids: Collection[JobId], *, review_at: datetime
) -> tuple[DatasetId, ...]:
    """Removes jobs that exist, with their rows, files and passes, and the datasets that they made; these."""
    datasets = await erase_datasets(unit, job_ids, review_at=review_at)
    await unit.blobs.release_jobs(job_ids, review_at=review_at)
    for job_id in job_ids:
        await unit.jobs.delete(job_id)
    return datasets


async def erase_datasets(
    unit: WritingUnit, job_ids: Collection[JobId], *, review_at: datetime
) -> tuple[DatasetId, ...]:
    """Removes the datasets that jobs made; these."""
    datasets = await unit.datasets.of_jobs(job_ids)
    for dataset in datasets:
        await unit.blobs.release_one(dataset.digest, review_at=review_at)
        await unit.datasets.delete(dataset.id)
    return tuple(dataset.id for dataset in datasets)
