"""Jobs in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from tracker.adapters.sql.evaluation.job_columns import SUMMARY, job_columns, job_of, summary_of
from tracker.adapters.sql.evaluation.paging import page_of
from tracker.adapters.sql.evaluation_tables import JOB_GOES_ON, jobs
from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.parting import in_parts
from tracker.adapters.sql.session import Lookup, Session
from tracker.domain.errors import NotFound, StaleVersion
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.ids import JobId, ProjectId
from tracker.ports.evaluation.jobs import JobPage

__all__ = ["SqlJobRepository"]


class SqlJobRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.JobRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, job: Job) -> None:
        """Keeps a new one."""
        with inserting("job", job.id):
            await self._session.run(sa.insert(jobs).values(job_columns(job)))

    async def get(self, job_id: JobId) -> Job:
        """The job."""
        found = await self._session.find(_BY_ID, job_id)
        if found is None:
            raise NotFound.of("job", job_id)
        return found

    async def some(self, job_ids: Collection[JobId]) -> Mapping[JobId, Job]:
        """Those that there are."""
        found: dict[JobId, Job] = {}
        for some in in_parts(job_ids):
            rows = await self._session.rows(sa.select(jobs).where(jobs.c.id.in_(some)))
            found |= {row.id: job_of(row) for row in rows}
        return found

    async def save(self, job: Job) -> Job:
        """Keeps a changed one."""
        saved = job.evolve(version=job.version + 1)
        row = {**job_columns(saved), "saved_id": job.id, "saved_version": job.version}
        with inserting("job", job.id):
            changed = await self._session.run(_SAVE, [row])
        if not changed:
            await self.get(job.id)
            raise StaleVersion.of("job", job.id)
        return saved

    async def page(
        self,
        project_ids: Collection[ProjectId] | None,
        *,
        kinds: Collection[JobKind] = (),
        skip: int = 0,
        limit: int = 100,
    ) -> JobPage:
        """Some, newest first."""
        which = [] if project_ids is None else [jobs.c.project_id.in_(project_ids)]
        if kinds:
            which.append(jobs.c.kind.in_([kind.value for kind in kinds]))
        total, rows = await page_of(self._session, SUMMARY, which, skip=skip, limit=limit)
        return JobPage(total, tuple(map(summary_of, rows)))

    async def to_look_after(self) -> tuple[JobId, ...]:
        """Those that go on, oldest first."""
        statement = sa.select(jobs.c.id).where(JOB_GOES_ON).order_by(jobs.c.created_at, jobs.c.id)
        return tuple(row.id for row in await self._session.rows(statement))

    async def delete(self, job_id: JobId) -> None:
        """Removes it; the database removes what it left."""
        if not await self._session.run(sa.delete(jobs).where(jobs.c.id == job_id)):
            raise NotFound.of("job", job_id)


# A worker saves its job with every row that it keeps, so the statement is made but once.
_SAVE = sa.update(jobs).where(
    jobs.c.id == sa.bindparam("saved_id"), jobs.c.version == sa.bindparam("saved_version")
)
_BY_ID = Lookup.of_one(sa.select(jobs), jobs.c.id, job_of)
