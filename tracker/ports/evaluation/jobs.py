"""Where jobs, what came of their rows, and the files they leave are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.passes import JobPass
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.jobs.summary import JobSummary
from tracker.domain.ids import JobId, ProjectId

__all__ = [
    "AnswerRepository", "JobFile", "JobFileRepository", "JobPage", "JobRepository", "PassRepository",
    "RowRepository",
]  # fmt: skip


class JobPage(NamedTuple):
    """Some of the jobs that were asked for, and how many there are in all."""

    total: int
    items: tuple[JobSummary, ...]


class JobRepository(Protocol):
    """Jobs. Changes show to others once the unit of work is committed.

    A job outlives its dataset and its workflow: whoever deletes those decides what becomes of it.
    """

    async def add(self, job: Job) -> None:
        """Keeps a new one.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its project does not exist.
        """
        ...

    async def get(self, job_id: JobId) -> Job:
        """The job.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def some(self, job_ids: Collection[JobId]) -> Mapping[JobId, Job]:
        """Those of them that there are."""
        ...

    async def save(self, job: Job) -> Job:
        """Keeps the changes of one that was read before; what it is then, with its new version.

        Raises:
            NotFound: it was deleted.
            Conflict: somebody else changed it meanwhile.
        """
        ...

    async def page(
        self,
        project_ids: Collection[ProjectId] | None,
        *,
        kinds: Collection[JobKind] = (),
        skip: int = 0,
        limit: int = 100,
    ) -> JobPage:
        """Those of these projects (``None`` = all) and kinds (none = all), newest first (ties by id,
        downwards), in one query."""
        ...

    async def to_look_after(self) -> tuple[JobId, ...]:
        """Those that have not ended, oldest first. Found by an index, however many have ended."""
        ...

    async def delete(self, job_id: JobId) -> None:
        """Removes it with its rows, files and passes.

        Raises:
            NotFound: there is none with this id.
        """
        ...


class RowRepository(Protocol):
    """What came of the rows of jobs."""

    async def keep(self, job_id: JobId, outcomes: Sequence[RowOutcome]) -> int:
        """Keeps them by :func:`tracker.domain.evaluation.jobs.row_outcomes.kept`: one that answers
        is never replaced. In one statement, or a few.

        Returns:
            How many rows of the job are answered now.

        Raises:
            NotFound: there is no such job.
        """
        ...

    async def answered(self, job_id: JobId) -> frozenset[int]:
        """The numbers of the rows that have an answer."""
        ...

    async def some(self, job_id: JobId, *, after: int = 0, limit: int = 1000) -> tuple[RowOutcome, ...]:
        """Those with a number above `after`, by number."""
        ...


class AnswerRepository(Protocol):
    """Answers of models, by cache key, each project's own: what others asked is nobody's business."""

    async def find(self, project_id: ProjectId, keys: Collection[str]) -> Mapping[str, RowOutcome]:
        """Those that are known, by key."""
        ...

    async def keep(self, project_id: ProjectId, answers: Mapping[str, RowOutcome]) -> None:
        """Keeps answers by key; the first one of a key stays.

        Raises:
            NotFound: there is no such project.
        """
        ...


class JobFile(NamedTuple):
    """A file that a job left, such as its ``result``, which is a blob.

    Attributes:
        name: what it is.
        digest: hex SHA-256.
        size: bytes.
        at: when it came.
    """

    name: str
    digest: str
    size: int
    at: datetime


class JobFileRepository(Protocol):
    """Files that jobs left. Their blobs are referred to by the job's project."""

    async def put(self, job_id: JobId, file: JobFile) -> None:
        """Keeps one; another of the name is replaced.

        Raises:
            NotFound: there is no such job.
        """
        ...

    async def find(self, job_ids: Collection[JobId], name: str) -> Mapping[JobId, JobFile]:
        """Those of this name that there are, by job."""
        ...


class PassRepository(Protocol):
    """Passes of attempts: by which a worker shows that it is the one that was sent."""

    async def put(self, pass_: JobPass) -> None:
        """Keeps one, or its new state; it is found by job and attempt, and goes with the account in
        whose name it was given.

        Raises:
            NotFound: there is no such job, or no such account.
        """
        ...

    async def get(self, job_id: JobId, attempt: int) -> JobPass:
        """The pass of an attempt.

        Raises:
            NotFound: there is none.
        """
        ...
