"""Jobs in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tracker.adapters.memory.evaluation.forgetting import forget_jobs, require_project, require_user
from tracker.adapters.memory.state import Current
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.summary import JobSummary
from tracker.domain.ids import JobId, ProjectId
from tracker.ports.evaluation.jobs import JobPage

__all__ = ["MemoryJobRepository"]


class MemoryJobRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.JobRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def add(self, job: Job) -> None:
        """Keeps a new one."""
        if job.id in self._current.state.jobs:
            raise AlreadyExists(f"job {job.id} is there already")
        self._require(job)
        self._current.state.jobs[job.id] = job

    async def get(self, job_id: JobId) -> Job:
        """The job."""
        try:
            return self._current.state.jobs[job_id]
        except KeyError as error:
            raise NotFound.of("job", job_id) from error

    async def some(self, job_ids: Collection[JobId]) -> Mapping[JobId, Job]:
        """Those that there are."""
        jobs = self._current.state.jobs
        return {key: jobs[key] for key in job_ids if key in jobs}

    async def save(self, job: Job) -> Job:
        """Keeps a changed one."""
        present = await self.get(job.id)
        if present.version != job.version:
            raise StaleVersion.of("job", job.id)
        self._require(job)
        saved = job.evolve(version=job.version + 1)
        self._current.state.jobs[job.id] = saved
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
        found = [
            job
            for job in self._current.state.jobs.values()
            if (project_ids is None or job.project_id in project_ids) and (not kinds or job.kind in kinds)
        ]
        found.sort(key=lambda job: (job.created_at, job.id), reverse=True)
        return JobPage(len(found), tuple(map(JobSummary.of, found[skip : skip + limit])))

    async def to_look_after(self) -> tuple[JobId, ...]:
        """Those that go on, oldest first."""
        found = [job for job in self._current.state.jobs.values() if not job.status.has_ended]
        return tuple(job.id for job in sorted(found, key=lambda job: (job.created_at, job.id)))

    async def delete(self, job_id: JobId) -> None:
        """Removes it with what it left."""
        await self.get(job_id)
        forget_jobs(self._current.state, [job_id])

    def _require(self, job: Job) -> None:
        require_project(self._current.state, "job", job.id, job.project_id)
        require_user(self._current.state, "job", job.id, job.created_by)
