"""What a listing shows of jobs."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Self

from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.status import JobStatus
from tracker.domain.ids import DatasetId, JobId, ProjectId, UserId, WorkflowId

__all__ = ["JobSummary"]


class JobSummary(NamedTuple):
    """What a listing shows of a job, under the names that :class:`Job` has for it.

    It leaves out the configuration and the events: a prompt may have 100,000 characters, a log 1000
    entries, and a page 1000 jobs.
    """

    id: JobId
    project_id: ProjectId
    workflow_id: WorkflowId | None
    kind: JobKind
    name: str
    description: str
    dataset_id: DatasetId
    max_samples: int
    batch_size: int
    status: JobStatus
    why: str
    rows_total: int | None
    rows_done: int
    created_at: datetime
    updated_at: datetime
    created_by: UserId | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """What a listing shows of this job."""
        return cls(*(getattr(job, name) for name in cls._fields))
