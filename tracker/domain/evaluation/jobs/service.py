"""Use cases of jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import DatasetId, JobId, ProjectId
from tracker.ports.evaluation.jobs import JobFile, JobPage

__all__ = ["JobDeletion", "JobResult", "JobService"]


class JobResult(NamedTuple):
    """What a job left.

    Attributes:
        job: which.
        file: its result, which is a blob.
        metrics: of the result, as they stand in it.
        parameters: the same.
        link: for :meth:`LinkService.follow`.
    """

    job: Job
    file: JobFile
    metrics: Mapping[str, Any]
    parameters: Mapping[str, Any]
    link: str


class JobDeletion(NamedTuple):
    """What the deletion of a job did.

    Attributes:
        datasets: that it had made, which are gone too.
        kept: what stays, and why, in words.
    """

    datasets: tuple[DatasetId, ...]
    kept: tuple[str, ...]


class JobService:
    """Everything people do with jobs. They are run by whoever looks after them (the overseer)."""

    async def create(
        self,
        actor: Actor,
        kind: JobKind,
        *,
        name: str,
        dataset_id: DatasetId,
        config: Mapping[str, Any],
        description: str = "",
        max_samples: int = -1,
        batch_size: int = 1,
        time_limit: timedelta = timedelta(hours=1),
    ) -> Job:
        """A new job in its dataset's project. Everything is checked before anything is kept.

        Args:
            actor: in whose name, and with whose secrets, it runs.
            kind: what it does.
            name: what it is called.
            dataset_id: what it reads.
            config: as :func:`tracker.domain.evaluation.jobs.config.config_of` takes it.
            description: in words.
            max_samples: rows to take, the first ones; 0 or less means all.
            batch_size: rows that are sent to the model at once.
            time_limit: for which it may run.

        Raises:
            NotFound: there is no such dataset that `actor` may see.
            Forbidden: they may not add to its project.
            Invalid: a field breaks a rule, a metric is not known, not installed or cannot be computed; with
                the kinds of :mod:`tracker.domain.evaluation.refusals` for a secret or prompt that is missing.
            Unavailable: the runner is out of reach.
        """
        raise NotImplementedError

    async def page(
        self,
        actor: Actor,
        *,
        kinds: Collection[JobKind] = (),
        project_id: ProjectId | None = None,
        skip: int = 0,
        limit: int = 100,
    ) -> JobPage:
        """Those that `actor` may see, of these kinds (none = all), newest first.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        raise NotImplementedError

    async def get(self, actor: Actor, job_id: JobId) -> Job:
        """One job: its state and why, its progress (``rows_done`` of ``rows_total``), its events.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        raise NotImplementedError

    async def logs(self, actor: Actor, job_id: JobId) -> str:
        """What happened to it, and what its workers printed.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        raise NotImplementedError

    async def dataset(self, actor: Actor, job_id: JobId) -> Dataset:
        """The dataset that it made.

        Raises:
            NotFound: there is no such job that `actor` may see.
            Invalid: it made none.
        """
        raise NotImplementedError

    async def result(self, actor: Actor, job_id: JobId) -> JobResult:
        """What it left.

        Raises:
            NotFound: there is none that `actor` may see.
            Conflict: it has no result, or not yet; says its state and why.
        """
        raise NotImplementedError

    async def cancel(self, actor: Actor, job_id: JobId) -> Job:
        """Asks it to stop; it is ``stopped`` when its runner has confirmed.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it.
            InvalidTransition: it has ended.
        """
        raise NotImplementedError

    async def retry(self, actor: Actor, job_id: JobId) -> Job:
        """Has one that failed or was stopped do the rest; the rows that are done stay.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it.
            InvalidTransition: it has not ended badly.
            Conflict: it is a step of a workflow, which has ended.
        """
        raise NotImplementedError

    async def delete(self, actor: Actor, job_id: JobId) -> JobDeletion:
        """Removes one that has ended, with its rows, files and generated datasets.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
            Conflict: it has not ended; cancel it first.
        """
        raise NotImplementedError
