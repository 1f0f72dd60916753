"""Use cases of workers: what they fetch, and what they leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tracker.domain.artifacts.blobs.service import Blob, opened
from tracker.domain.errors import Conflict, Invalid, NotFound, Unauthenticated, Unavailable
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.jobs.config import InferenceConfig
from tracker.domain.evaluation.jobs.errand import new_token
from tracker.domain.evaluation.jobs.files import BY_WORKER, DATASET
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.leaving.service import Leaving
from tracker.domain.evaluation.jobs.needs import Config, config_of_job, secret_names
from tracker.domain.evaluation.jobs.passes import JobPass
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.models import CatalogueEntry, merged
from tracker.domain.evaluation.secret_keeping.service import SECRET_KEYS
from tracker.domain.evaluation.secrets import PlainSecret
from tracker.domain.ids import JobId, UserId
from tracker.ports.blobs import BlobStore
from tracker.ports.clock import Clock
from tracker.ports.evaluation.desk import Admission
from tracker.ports.evaluation.secrets import SecretsBox
from tracker.ports.secrets import SecretSource
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["Admitted", "DeskService", "DirectDesk", "Shown"]

_PAGE = 1000


class Shown(NamedTuple):
    """What a worker shows at each call.

    Attributes:
        job_id: the job it was sent for.
        attempt: at it.
        token: the pass that it got for its handle.
    """

    job_id: JobId
    attempt: int
    token: str


class Admitted(NamedTuple):
    """What a worker gets for its handle.

    Attributes:
        token: its pass, to be shown from now on.
        admission: its work.
    """

    token: str
    admission: Admission


class DeskService:
    """The installation's side of the port :class:`tracker.ports.evaluation.desk.Desk`, whose contract says
    what each method does and raises; all may raise ``Unauthenticated`` for a pass that is not right, and
    ``Conflict`` for an attempt that has lost its job.

    Args:
        units: opens units of work.
        store: of the bytes of datasets.
        clock: tells when things happen.
        leaving: takes the files of jobs.
        secrets: makes passes.
        box: opens what users have stored.
        shipped: gives the models that tracker ships with.
        rules: of leases.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        store: BlobStore,
        clock: Clock,
        *,
        leaving: Leaving,
        secrets: SecretSource,
        box: SecretsBox,
        shipped: Callable[[], Sequence[CatalogueEntry]],
        rules: Rules | None = None,
    ) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._leaving = leaving
        self._secrets = secrets
        self._box = box
        self._shipped = shipped
        self._rules = rules or Rules()

    async def admit(self, job_id: JobId, attempt: int, handle: str) -> Admitted:
        """Takes up an errand, once.

        Raises:
            Unauthenticated: the handle is not this attempt's, or was used.
            Conflict: the attempt has lost its job, or the job is to stop.
            Invalid: the work cannot be done any more: its dataset was deleted, a secret cannot be opened.
        """
        now = self._clock.now()
        token = new_token(self._secrets.new)
        async with self._units.writing() as unit:
            admitted = (await _pass(unit, job_id, attempt)).admit(handle, token, at=now)
            job = await self._lively(unit, Shown(job_id, attempt, token))
            await unit.job_passes.put(admitted)
            config = config_of_job(job)
            admission = Admission(
                job=job,
                dataset=await _dataset(unit, job),
                secrets=await self._opened_secrets(unit, config, admitted.sent_by),
                model=await self._model(unit, config),
            )
            await unit.commit()
        return Admitted(token, admission)

    async def check(self, shown: Shown) -> None:
        """Lets pass who shows an attempt's pass, whatever has become of the attempt."""
        async with self._units.reading() as unit:
            await _check(unit, shown)

    async def begin(self, shown: Shown, rows_total: int | None) -> datetime:
        """Notes that the attempt runs; until when its lease is believed."""
        now = self._clock.now()
        async with self._units.writing() as unit:
            await _check(unit, shown)
            job = await unit.jobs.get(shown.job_id)
            begun = job.begin(shown.attempt, at=now, rows_total=rows_total)
            until = await self._saved(unit, begun.heartbeat(shown.attempt, at=now, rules=self._rules))
            await unit.commit()
        return until

    async def heartbeat(self, shown: Shown) -> datetime:
        """A sign of life; until when its lease is believed."""
        async with self._units.writing() as unit:
            await _check(unit, shown)
            job = await self._lively(unit, shown)
            await unit.commit()
        return _until(job)

    async def dataset(self, shown: Shown) -> Blob:
        """The file of the dataset.

        Raises:
            Invalid: it was deleted.
        """
        async with self._units.reading() as unit:
            dataset = await _dataset(unit, await _present(unit, shown))
        return await opened(self._store, dataset.digest)

    async def answered(self, shown: Shown) -> frozenset[int]:
        """The numbers of the rows that need not be sent again."""
        async with self._units.reading() as unit:
            await _present(unit, shown)
            return await unit.job_rows.answered(shown.job_id)

    async def remembered(self, shown: Shown, keys: Collection[str]) -> Mapping[str, RowOutcome]:
        """Answers that are known of earlier, by cache key."""
        async with self._units.reading() as unit:
            job = await _present(unit, shown)
            return await unit.answers.find(job.project_id, keys)

    async def keep(self, shown: Shown, outcomes: Sequence[RowOutcome], keys: Mapping[int, str]) -> datetime:
        """Keeps what came of rows, even those of an attempt that has lost its job, which is then told.

        Raises:
            Unauthenticated: also, the time of the attempt has been over for long.
        """
        now = self._clock.now()
        answers = {keys[one.number]: one for one in outcomes if one.is_answered and one.number in keys}
        lost: Conflict | None = None
        async with self._units.writing() as unit:
            kept = await _check(unit, shown)
            job = await unit.jobs.get(shown.job_id)
            kept.check_late(job.timeout, at=now)
            done = await unit.job_rows.keep(shown.job_id, outcomes)
            if answers:
                await unit.answers.keep(job.project_id, answers)
            try:
                lively = job.heartbeat(shown.attempt, at=now, rules=self._rules, rows_done=done)
            except Conflict as error:
                lost, lively = error, job.counted(done)
            await unit.jobs.save(lively)
            await unit.commit()
        if lost is not None:
            raise lost
        return _until(lively)

    async def outcomes(self, shown: Shown, *, after: int = 0, limit: int = _PAGE) -> tuple[RowOutcome, ...]:
        """Some of all that is known of the job's rows, by number."""
        async with self._units.reading() as unit:
            await _present(unit, shown)
            return await unit.job_rows.some(shown.job_id, after=after, limit=limit)

    async def leave(self, shown: Shown, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Keeps a file of the job: ``result``, ``judgements``, or a ``dataset``.

        Raises:
            Invalid: it has another name, or rows that break a rule.
            TooLarge: it is larger than the limits allow.
        """
        if name not in (*BY_WORKER, DATASET):
            raise Invalid.field("name", f"a job leaves no {name[:100]!r}")
        async with self._units.reading() as unit:
            kept = await _check(unit, shown)
            job = await unit.jobs.get(shown.job_id)
        # Lost before the bytes are sent, it is told before; it is looked again when they have come.
        job.check_attempt(shown.attempt)
        if name == DATASET:
            await self._leaving.dataset(job, shown.attempt, chunks, by=kept.sent_by)
        else:
            await self._leaving.file(job, shown.attempt, name, chunks, by=kept.sent_by)

    async def _lively(self, unit: WritingUnit, shown: Shown) -> Job:
        """The job after a sign of life, saved."""
        try:
            job = await unit.jobs.get(shown.job_id)
        except NotFound as error:
            raise Conflict(f"lease: {error.detail}: it was deleted") from error
        return await unit.jobs.save(job.heartbeat(shown.attempt, at=self._clock.now(), rules=self._rules))

    async def _saved(self, unit: WritingUnit, job: Job) -> datetime:
        return _until(await unit.jobs.save(job))

    async def _opened_secrets(
        self, unit: WritingUnit, config: Config, user_id: UserId
    ) -> Mapping[str, PlainSecret]:
        found: dict[str, PlainSecret] = {}
        names = secret_names(config)
        if names:  # a rotation drops no key between a value's being read and opened
            await unit.lock(SECRET_KEYS)
        for name in names:
            sealed = await unit.evaluation_secrets.sealed(user_id, name)
            if sealed is None:
                raise Invalid.field("secret_key_name", f"the secret {name} is not stored any more")
            try:
                found[name] = self._box.open(user_id, sealed)
            except Unavailable as error:
                # Trying again would not help before somebody stores it anew.
                raise Invalid.field("secret_key_name", f"the secret {name}: {error.detail}") from error
        return found

    async def _model(self, unit: ReadingUnit, config: Config) -> CatalogueEntry | None:
        if not isinstance(config, InferenceConfig):
            return None
        entries = merged(self._shipped(), await unit.catalogue_models.list())
        key = (config.provider, config.model)
        return next((entry for entry in entries if entry.key == key), None)


def _until(job: Job) -> datetime:
    if job.lease is None:
        raise Conflict(f"lease: job {job.id} has none")
    return job.lease.until


async def _pass(unit: ReadingUnit, job_id: JobId, attempt: int) -> JobPass:
    try:
        return await unit.job_passes.get(job_id, attempt)
    except NotFound as error:
        # Who has no pass learns nothing of which jobs there are.
        raise Unauthenticated("the pass of this attempt is not right") from error


async def _check(unit: ReadingUnit, shown: Shown) -> JobPass:
    found = await _pass(unit, shown.job_id, shown.attempt)
    found.check(shown.token)
    return found


async def _present(unit: ReadingUnit, shown: Shown) -> Job:
    """The job, for the attempt that works on it: one that has lost it learns nothing more of it."""
    await _check(unit, shown)
    job = await unit.jobs.get(shown.job_id)
    job.check_attempt(shown.attempt)
    return job


async def _dataset(unit: ReadingUnit, job: Job) -> Dataset:
    try:
        return await unit.datasets.get(job.dataset_id)
    except NotFound as error:
        raise Invalid.field("dataset", f"dataset {job.dataset_id} was deleted") from error


class DirectDesk:
    """The port :class:`tracker.ports.evaluation.desk.Desk` in the installation's own process, or in one that
    uses the same database.

    Args:
        service: that answers.
        job_id: for which the worker was sent.
        attempt: at it.
    """

    def __init__(self, service: DeskService, job_id: JobId, attempt: int) -> None:
        self._service = service
        self._shown = Shown(job_id, attempt, "")

    async def admit(self, handle: str) -> Admission:
        """Takes up the errand, once."""
        admitted = await self._service.admit(self._shown.job_id, self._shown.attempt, handle)
        self._shown = self._shown._replace(token=admitted.token)
        return admitted.admission

    async def begin(self, rows_total: int | None) -> datetime:
        """Notes that the attempt runs."""
        return await self._service.begin(self._shown, rows_total)

    async def heartbeat(self) -> datetime:
        """A sign of life."""
        return await self._service.heartbeat(self._shown)

    async def dataset(self) -> AsyncIterator[bytes]:
        """The bytes of the dataset's file."""
        blob = await self._service.dataset(self._shown)
        async for chunk in blob.read():
            yield chunk

    async def answered(self) -> frozenset[int]:
        """The numbers of the rows that need not be sent again."""
        return await self._service.answered(self._shown)

    async def remembered(self, keys: Collection[str]) -> Mapping[str, RowOutcome]:
        """Answers that are known of earlier."""
        return await self._service.remembered(self._shown, keys)

    async def keep(self, outcomes: Sequence[RowOutcome], keys: Mapping[int, str]) -> datetime:
        """Keeps what came of rows."""
        return await self._service.keep(self._shown, outcomes, keys)

    async def outcomes(self) -> AsyncIterator[RowOutcome]:
        """All that is known of the job's rows, by number."""
        after = 0
        while page := await self._service.outcomes(self._shown, after=after):
            for outcome in page:
                yield outcome
            after = page[-1].number

    async def leave(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Leaves a file of the job."""
        await self._service.leave(self._shown, name, chunks)
