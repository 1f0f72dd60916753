"""Moving jobs on: one look at one job, whoever looks, and whenever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from tracker.domain.errors import Conflict, Invalid, NotFound, Unavailable
from tracker.domain.evaluation.events import Cause
from tracker.domain.evaluation.jobs.checking.service import JobChecks
from tracker.domain.evaluation.jobs.deciding import Action, Decision, Report, Sighting, decide
from tracker.domain.evaluation.jobs.errand import Errand, new_token
from tracker.domain.evaluation.jobs.files import RESULT
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.needs import config_of_job, gpus_of, makes_dataset
from tracker.domain.evaluation.jobs.passes import JobPass, digest_of
from tracker.domain.evaluation.jobs.status import JobStatus
from tracker.domain.ids import JobId
from tracker.ports.clock import Clock
from tracker.ports.evaluation.runner import JobRunner
from tracker.ports.secrets import SecretSource
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["Attempts"]

_MOST_STEPS = 6
_MOST_KILLS = 2
_QUIET = (Action.WAIT, Action.NOTHING)
_THERE = (Sighting.QUEUED, Sighting.ALIVE)
# A worker ends itself this long after it should have been ended.
_SPARE = timedelta(seconds=30)


class _Judged(NamedTuple):
    """A job as it is now, as it would be after what was seen, and what to do."""

    present: Job
    seen: Job
    decision: Decision


class Attempts:
    """Asks the runner, decides, does, saves.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        runner: of the workers.
        checks: looks whether a job can still be done.
        secrets: makes handles.
        holder: this process, by a name that the event log shows.
        rules: how long what is waited for.
        memory: bytes that the processes of an attempt may take together; ``None`` = no limit.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        *,
        runner: JobRunner,
        checks: JobChecks,
        secrets: SecretSource,
        holder: str,
        rules: Rules | None = None,
        memory: int | None = None,
    ) -> None:
        self._units = units
        self._clock = clock
        self._runner = runner
        self._checks = checks
        self._secrets = secrets
        self._holder = holder
        self._rules = rules or Rules()
        self._memory = memory

    async def look(self, job_id: JobId) -> datetime | None:
        """Does what is to be done with a job now; when to look again, ``None`` when it has ended."""
        kills = 0
        for _ in range(_MOST_STEPS):
            try:
                decision = await self._step(job_id)
            except NotFound:
                return None  # it was deleted meanwhile
            kills += decision.action is Action.KILL
            if decision.action in _QUIET or kills >= _MOST_KILLS:
                return decision.again_at
        return self._clock.now()

    async def _step(self, job_id: JobId) -> Decision:
        async with self._units.reading() as unit:
            job = await unit.jobs.get(job_id)
        if job.status.has_ended:
            return Decision(Action.NOTHING, job.why)
        report = await self._report(job)
        # What the worker left is looked for after it was looked at: it leaves, and then it ends.
        async with self._units.reading() as unit:
            judged = await self._judge(unit, job, report)
        if judged.decision.action in _QUIET and judged.seen == judged.present:
            return judged.decision
        if judged.decision.action is Action.KILL:
            await self._kill(job)
        return await self._act(job, report)

    async def _report(self, job: Job) -> Report:
        if job.attempt > 0:
            return await self._runner.sight(job.id, job.attempt)
        try:
            await self._runner.check()
        except Unavailable as error:
            return Report(Sighting.UNREACHABLE, error.detail)
        return Report(Sighting.UNKNOWN)

    async def _kill(self, job: Job) -> None:
        """Tells the runner; that it was told is saved also when it did not answer, else nothing would end."""
        try:
            await self._runner.kill(job.id, job.attempt)
        except Unavailable:
            return

    async def _act(self, job: Job, report: Report) -> Decision:
        """Judges the job as it is now by what was seen, and saves what comes of it."""
        now, handle = self._clock.now(), new_token(self._secrets.new)
        async with self._units.writing() as unit:
            judged = await self._judge(unit, job, report)
            decision = judged.decision
            try:
                changed = decision.applied(judged.seen, self._holder, at=now, rules=self._rules)
                if changed == judged.present:
                    return decision
                saved = await unit.jobs.save(changed)
            except Conflict as error:
                return _later(error.detail, now, self._rules)
            if decision.action is Action.START:
                await self._issue(unit, saved, handle)
            await unit.commit()
        if decision.action is Action.START:
            await self._start(saved, handle)
        return decision

    async def _judge(self, unit: ReadingUnit, job: Job, report: Report) -> _Judged:
        now = self._clock.now()
        present = await unit.jobs.get(job.id)
        if present.attempt != job.attempt or present.status.has_ended:
            return _Judged(present, present, _later("somebody else was faster", now, self._rules))
        seen = present.observed(report.sighting is not Sighting.UNREACHABLE, at=now)
        if seen.lease is not None and seen.status is JobStatus.CREATED and report.sighting in _THERE:
            seen = seen.accept(seen.attempt, at=now)
        if report.sighting is Sighting.FINISHED:
            report = report._replace(has_result=await _has_result(unit, present))
        return _Judged(present, seen, await self._decision(unit, seen, report, now))

    async def _decision(self, unit: ReadingUnit, job: Job, report: Report, now: datetime) -> Decision:
        try:
            why_not = await self._checks.obstacle(unit, job)
        except Invalid as error:  # its configuration is one that this version does not know
            why_not = error.detail
        if why_not is None or job.stop_asked_at is not None:
            return decide(job, report, now, self._rules)
        # It ends as one that was asked to stop: killed first; but it failed, and says of what.
        ending = decide(job.ask_stop(why_not, at=now), report, now, self._rules)
        if ending.action is Action.STOP:
            return ending._replace(action=Action.FAIL, cause=Cause.OBSTACLE)
        return ending

    async def _issue(self, unit: WritingUnit, job: Job, handle: str) -> None:
        if job.created_by is None:  # an obstacle, found before
            raise Conflict(f"job {job.id} runs in nobody's name")
        await unit.job_passes.put(
            JobPass(
                job_id=job.id,
                attempt=job.attempt,
                handle_digest=digest_of(handle),
                sent_by=job.created_by,
            )
        )

    async def _start(self, job: Job, handle: str) -> None:
        errand = Errand(
            job_id=job.id,
            attempt=job.attempt,
            kind=job.kind,
            handle=handle,
            seconds=(job.timeout - job.spent + _SPARE).total_seconds(),
            memory_bytes=self._memory,
            gpus=gpus_of(config_of_job(job)),
        )
        refusal: str | None = None
        try:
            await self._runner.start(errand)
        except Unavailable as error:
            refusal = error.detail  # whether it has it all the same, the next look tells
        now = self._clock.now()
        async with self._units.writing() as unit:
            present = await unit.jobs.get(job.id)
            try:
                if refusal is None:
                    changed = present.accept(job.attempt, at=now)
                else:
                    changed = present.not_taken(job.attempt, refusal, at=now)
                await unit.jobs.save(changed)
            except Conflict:
                return
            await unit.commit()


async def _has_result(unit: ReadingUnit, job: Job) -> bool:
    if not await unit.job_files.find([job.id], RESULT):
        return False
    return not makes_dataset(job) or bool(await unit.datasets.of_jobs([job.id]))


def _later(why: str, now: datetime, rules: Rules) -> Decision:
    return Decision(Action.WAIT, why, again_at=now + rules.poll)
