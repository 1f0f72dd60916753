"""Use cases of jobs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from tracker.domain.errors import Conflict, Forbidden, Invalid, Unavailable
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.datasets.service import visible_dataset
from tracker.domain.evaluation.files.service import FileService
from tracker.domain.evaluation.homes.service import require_in, seen_projects
from tracker.domain.evaluation.jobs.checking.service import JobChecks
from tracker.domain.evaluation.jobs.erasing.service import erase_jobs
from tracker.domain.evaluation.jobs.files import RESULT, SUMMARY
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.needs import config_of_job, secret_names
from tracker.domain.evaluation.links.service import LinkService
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import DatasetId, JobId, ProjectId
from tracker.domain.projects.purge import GRACE
from tracker.ports.clock import Clock
from tracker.ports.evaluation.jobs import JobFile, JobPage
from tracker.ports.evaluation.runner import JobRunner
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["JobDeletion", "JobLogs", "JobResult", "JobService"]

_ATTEMPTS_SHOWN = 3


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


class JobLogs:
    """Tells what happened to jobs, and what their workers printed.

    Args:
        runner: that ran them.
    """

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    async def of(self, job: Job) -> str:
        """Of a job that its caller was shown: its events, then the output of its last attempts."""
        parts = ["\n".join(_told(job))]
        for attempt in range(max(1, job.attempt - _ATTEMPTS_SHOWN + 1), job.attempt + 1):
            try:
                printed = await self._runner.logs(job.id, attempt)
            except Unavailable as error:
                printed = f"(the runner does not answer: {error.detail})"
            if printed.strip():
                parts.append(f"--- output of attempt {attempt}\n{printed.rstrip()}")
        return "\n".join(parts) + "\n"


class JobService:
    """Everything people do with jobs. They are run by whoever looks after them (the overseer).

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names new things.
        checks: looks whether a job could do its work.
        files: reads what jobs left.
        links: signs links to it.
        runner: that runs them.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        *,
        checks: JobChecks,
        files: FileService,
        links: LinkService,
        runner: JobRunner,
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._checks = checks
        self._files = files
        self._links = links
        self._runner = runner
        self._logs = JobLogs(runner)

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
        checked = self._checks.configured(kind, config)
        async with self._units.reading() as unit:
            dataset = await visible_dataset(unit, actor, dataset_id, Action.EXPERIMENTS_CREATE)
            await self._checks.require_secrets(unit, checked, actor.user_id)
        job = Job.created(
            at=self._clock.now(),
            id=JobId(self._ids.new()),
            project_id=dataset.project_id,
            kind=kind,
            name=name,
            description=description,
            dataset_id=dataset_id,
            max_samples=max_samples,
            batch_size=batch_size,
            config=checked.model_dump(mode="json"),
            timeout=time_limit,
            created_by=actor.user_id,
        )
        self._checks.require_fit(kind, checked, dataset)
        await self._checks.require_runner()
        async with self._units.writing() as unit:
            await visible_dataset(unit, actor, dataset_id, Action.EXPERIMENTS_CREATE)
            await unit.jobs.add(job)
            await unit.commit()
        return job

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
        async with self._units.reading() as unit:
            places = await seen_projects(unit, actor, project_id)
            return await unit.jobs.page(places, kinds=kinds, skip=skip, limit=limit)

    async def get(self, actor: Actor, job_id: JobId) -> Job:
        """One job: its state and why, its progress (``rows_done`` of ``rows_total``), its events.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            return await _visible_job(unit, actor, job_id, Action.EXPERIMENTS_VIEW)

    async def logs(self, actor: Actor, job_id: JobId) -> str:
        """What happened to it, and what its workers printed.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        return await self._logs.of(await self.get(actor, job_id))

    async def dataset(self, actor: Actor, job_id: JobId) -> Dataset:
        """The dataset that it made.

        Raises:
            NotFound: there is no such job that `actor` may see.
            Invalid: it made none.
        """
        async with self._units.reading() as unit:
            job = await _visible_job(unit, actor, job_id, Action.EXPERIMENTS_VIEW)
            made = await unit.datasets.of_jobs([job_id])
        if not made:
            raise Invalid.field("job_id", f"job {job_id} made no dataset: it is {job.status} ({job.why})")
        return made[0]

    async def result(self, actor: Actor, job_id: JobId) -> JobResult:
        """What it left.

        Raises:
            NotFound: there is none that `actor` may see.
            Conflict: it has no result, or not yet; says its state and why.
        """
        async with self._units.reading() as unit:
            job = await _visible_job(unit, actor, job_id, Action.EXPERIMENTS_VIEW)
            file = (await unit.job_files.find([job_id], RESULT)).get(job_id)
            summary = (await unit.job_files.find([job_id], SUMMARY)).get(job_id)
        if file is None or summary is None or not job.status.has_ended:
            raise Conflict(f"job {job_id} has no result: it is {job.status} ({job.why})")
        found = await self._files.document(summary.digest)
        link = self._links.to_job_file(job_id, RESULT)
        return JobResult(job, file, found["metrics"], found["parameters"], link)

    async def cancel(self, actor: Actor, job_id: JobId) -> Job:
        """Asks it to stop; it is ``stopped`` when its runner has confirmed.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it.
            InvalidTransition: it has ended.
        """
        async with self._units.writing() as unit:
            job = await _visible_job(unit, actor, job_id, Action.EXPERIMENTS_EDIT)
            saved = await unit.jobs.save(job.ask_stop("it was cancelled", at=self._clock.now()))
            await unit.commit()
        return saved

    async def retry(self, actor: Actor, job_id: JobId) -> Job:
        """Has one that failed or was stopped do the rest; the rows that are done stay.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it, or it would spend a key of somebody else.
            InvalidTransition: it has not ended badly.
            Conflict: it is a step of a workflow, which has ended.
        """
        async with self._units.writing() as unit:
            job = await _visible_job(unit, actor, job_id, Action.EXPERIMENTS_EDIT)
            retried = job.retry(at=self._clock.now())
            if job.workflow_id is not None:
                raise Conflict(
                    f"job {job_id} is a step of workflow {job.workflow_id}, which ends with it; post the "
                    "workflow anew: answers that are there cost nothing again"
                )
            _require_own_secrets(actor, job)
            saved = await unit.jobs.save(retried)
            await unit.commit()
        return saved

    async def delete(self, actor: Actor, job_id: JobId) -> JobDeletion:
        """Removes one that has ended, with its rows, files and generated datasets.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
            Conflict: it has not ended, or is a step of a workflow.
        """
        async with self._units.writing() as unit:
            job = await _visible_job(unit, actor, job_id, Action.EXPERIMENTS_DELETE)
            if not job.status.has_ended:
                raise Conflict(f"job {job_id} is {job.status}; cancel it first")
            if job.workflow_id is not None:
                raise Conflict(f"job {job_id} is a step of workflow {job.workflow_id}; delete that")
            made = await erase_jobs(unit, [job_id], review_at=self._clock.now() + GRACE)
            await unit.commit()
        await self._runner.forget(job_id)
        return JobDeletion(made, (f"dataset {job.dataset_id}, which it read", *KEPT_OF_JOBS))


KEPT_OF_JOBS = ("answers of models, which the cache of their project remembers",)
"""What no deletion of a job takes away."""


async def _visible_job(unit: ReadingUnit, actor: Actor, job_id: JobId, action: Action) -> Job:
    job = await unit.jobs.get(job_id)
    await require_in(unit, actor, job.project_id, action, kind="job", key=job_id)
    return job


def _require_own_secrets(actor: Actor, job: Job) -> None:
    """A job runs in the name of who made it, and with their secrets, which nobody else may spend."""
    names = secret_names(config_of_job(job))
    if names and job.created_by != actor.user_id:
        raise Forbidden(
            f"job {job.id} uses the secret {names[0]} of the user who made it, who alone may retry it; post "
            "one of your own: answers that are there cost nothing again"
        )


def _told(job: Job) -> Iterator[str]:
    for event in job.events:
        yield f"{event.at:%Y-%m-%d %H:%M:%S} {event.status:9} {event.cause}: {event.why}"
