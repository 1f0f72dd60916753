"""Jobs as their table has them."""

from __future__ import annotations

from typing import Any

from tracker.adapters.sql.evaluation.packing import (
    duration_of,
    events_of,
    instant_of,
    microseconds,
    packed_events,
    since_1970,
)
from tracker.adapters.sql.evaluation_tables import jobs
from tracker.adapters.sql.session import Row
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.lease import Lease
from tracker.domain.evaluation.jobs.status import JobStatus
from tracker.domain.evaluation.jobs.summary import JobSummary
from tracker.domain.json_tree import thaw

__all__ = ["SUMMARY", "job_columns", "job_of", "summary_of"]

SUMMARY = tuple(jobs.c[name] for name in JobSummary._fields)
"""What :func:`summary_of` needs."""


_SAME = (
    "id", "project_id", "workflow_id", "name", "description", "dataset_id", "max_samples", "batch_size",
    "rows_total", "rows_done", "created_at", "created_by", "version",
)  # fmt: skip
# Of the course of a job, what says nothing (0 or None) is left out; most jobs have ended or not begun.
_COUNTS = ("attempt", "attempts_before", "fruitless", "rows_at_claim")
_INSTANTS = (
    "claimed_at", "running_since", "not_before", "stop_asked_at", "kill_asked_at", "unreachable_since",
)  # fmt: skip


def job_columns(job: Job) -> dict[str, Any]:
    """The job as columns."""
    return {
        **{name: getattr(job, name) for name in _SAME},
        "kind": job.kind.value,
        "status": job.status.value,
        "why": job.why,
        "updated_at": job.updated_at,
        "config": thaw(job.config),
        "course": _course(job),
        "events": packed_events(job.events),
    }


def job_of(row: Row) -> Job:
    """Back from :func:`job_columns`."""
    values, course = row._mapping, dict(row.course)
    lease = course.pop("lease", None)
    if lease is not None:
        holder, until = lease
        course["lease"] = Lease(holder=holder, until=instant_of(until), attempt=course["attempt"])
    for name in _INSTANTS:
        if name in course:
            course[name] = instant_of(course[name])
    course["timeout"] = duration_of(course["timeout"])
    course["spent"] = duration_of(course.get("spent", 0))
    return Job(
        **{name: values[name] for name in _SAME},
        **course,
        kind=JobKind(row.kind),
        status=JobStatus(row.status),
        config=row.config,
        events=events_of(row.events),
    )


def summary_of(row: Row) -> JobSummary:
    """What a listing shows of a job."""
    summary = JobSummary(*row[: len(SUMMARY)])
    return summary._replace(kind=JobKind(summary.kind), status=JobStatus(summary.status))


def _course(job: Job) -> dict[str, Any]:
    lease = job.lease
    instants = {name: getattr(job, name) for name in _INSTANTS}
    told = {
        **{name: getattr(job, name) for name in _COUNTS},
        **{name: since_1970(at) for name, at in instants.items() if at is not None},
        "spent": microseconds(job.spent),
        "lease": None if lease is None else [lease.holder, since_1970(lease.until)],
    }
    return {
        "timeout": microseconds(job.timeout),
        **{name: value for name, value in told.items() if value},
    }
