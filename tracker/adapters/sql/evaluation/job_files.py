"""Files that jobs left, and the passes of their attempts, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from tracker.adapters.sql.evaluation_tables import job_files, job_passes
from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.parting import in_parts
from tracker.adapters.sql.session import Session
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.errors import NotFound
from tracker.domain.evaluation.jobs.passes import JobPass
from tracker.domain.ids import JobId
from tracker.ports.evaluation.jobs import JobFile

__all__ = ["SqlJobFileRepository", "SqlPassRepository"]

_LAST = 2**31 - 1  # attempt that the column takes


class SqlJobFileRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.JobFileRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        insert = insert_into(job_files, session.dialect)
        self._put = insert.on_conflict_do_update(
            index_elements=[job_files.c.job_id, job_files.c.name],
            set_={name: insert.excluded[name] for name in ("digest", "size", "at")},
        )

    async def put(self, job_id: JobId, file: JobFile) -> None:
        """Keeps one."""
        with inserting("file of job", job_id):
            await self._session.run(self._put, [{"job_id": job_id, **file._asdict()}])

    async def find(self, job_ids: Collection[JobId], name: str) -> Mapping[JobId, JobFile]:
        """Those of a name."""
        found: dict[JobId, JobFile] = {}
        for some in in_parts(job_ids):
            statement = sa.select(job_files).where(job_files.c.job_id.in_(some), job_files.c.name == name)
            for row in await self._session.rows(statement):
                found[row.job_id] = JobFile(row.name, row.digest, row.size, row.at)
        return found


class SqlPassRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.PassRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, pass_: JobPass) -> None:
        """Keeps one."""
        insert = insert_into(job_passes, self._session.dialect)
        replaced = ("handle_digest", "pass_digest", "admitted_at", "sent_by")
        statement = insert.on_conflict_do_update(
            index_elements=[job_passes.c.job_id, job_passes.c.attempt],
            set_={name: insert.excluded[name] for name in replaced},
        )
        with inserting("pass of job", pass_.job_id):
            await self._session.run(statement, [pass_.__dict__])

    async def get(self, job_id: JobId, attempt: int) -> JobPass:
        """The pass of an attempt."""
        which = (job_passes.c.job_id == job_id, job_passes.c.attempt == min(attempt, _LAST))
        statement = sa.select(job_passes).where(*which)
        if self._session.is_writing:
            statement = statement.with_for_update()  # no two may use one handle
        for row in await self._session.rows(statement):
            return JobPass(**row._mapping)
        raise NotFound.of("pass", f"{job_id}/{attempt}")
