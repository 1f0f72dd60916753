"""Files that jobs left, and the passes of their attempts, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tracker.adapters.memory.evaluation.forgetting import require_user
from tracker.adapters.memory.state import Current
from tracker.domain.errors import NotFound
from tracker.domain.evaluation.jobs.passes import JobPass
from tracker.domain.ids import JobId
from tracker.ports.evaluation.jobs import JobFile

__all__ = ["MemoryJobFileRepository", "MemoryPassRepository"]


class MemoryJobFileRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.JobFileRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def put(self, job_id: JobId, file: JobFile) -> None:
        """Keeps one."""
        if job_id not in self._current.state.jobs:
            raise NotFound.of("job", job_id)
        self._current.state.job_files[job_id, file.name] = file

    async def find(self, job_ids: Collection[JobId], name: str) -> Mapping[JobId, JobFile]:
        """Those of a name."""
        files = self._current.state.job_files
        return {key: files[key, name] for key in job_ids if (key, name) in files}


class MemoryPassRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.PassRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def put(self, pass_: JobPass) -> None:
        """Keeps one."""
        state = self._current.state
        if pass_.job_id not in state.jobs:
            raise NotFound.of("job", pass_.job_id)
        require_user(state, "pass of job", pass_.job_id, pass_.sent_by)
        state.job_passes[pass_.job_id, pass_.attempt] = pass_

    async def get(self, job_id: JobId, attempt: int) -> JobPass:
        """The pass of an attempt."""
        try:
            return self._current.state.job_passes[job_id, attempt]
        except KeyError as error:
            raise NotFound.of("pass", f"{job_id}/{attempt}") from error
