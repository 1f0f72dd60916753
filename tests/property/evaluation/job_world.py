"""A world in which everything that a job depends on can die at any moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.factories import NOON, new_id
from tracker.domain.errors import Conflict
from tracker.domain.evaluation.jobs.deciding import Action, Report, Sighting, decide
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.lease import Lease, Rules
from tracker.domain.evaluation.jobs.row_outcomes import rest
from tracker.domain.ids import DatasetId, JobId, ProjectId

ROWS = 12
SLOTS = 1
SECOND = timedelta(seconds=1)
RULES = Rules(attempts=8, queue=timedelta(seconds=120))
TIMEOUT = timedelta(seconds=90)


class ServerDied(Exception):
    """The process that looks after jobs was killed in the middle of what it did."""


@dataclass
class Worker:
    """A process that sends rows. It knows only what it was told, and its lease as of its last heartbeat."""

    attempt: int
    lease: Lease
    todo: list[int]
    sending: list[int] = field(default_factory=list)
    paid: list[int] = field(default_factory=list)
    asleep: bool = False
    lost: bool = False


@dataclass
class World:
    """The saved job, the answers that are kept, a runner, its workers, and a clock."""

    now: datetime = NOON
    job: Job = field(
        default_factory=lambda: Job.created(
            at=NOON,
            id=JobId(new_id()),
            project_id=ProjectId(new_id()),
            kind=JobKind.INFERENCE,
            name="job",
            dataset_id=DatasetId(new_id()),
            timeout=TIMEOUT,
        )
    )
    answered: set[int] = field(default_factory=set)
    payments: Counter[tuple[int, int]] = field(default_factory=Counter)
    runner_up: bool = True
    sightings: dict[int, Sighting] = field(default_factory=dict)
    workers: dict[int, Worker] = field(default_factory=dict)
    zombies: list[Worker] = field(default_factory=list)
    server: int = 1
    deaf: bool = False

    def look(self, dies_after: str | None = None) -> None:
        """A server looks after the job once; it may die between any two things it does."""
        try:
            self._look(dies_after)
        except ServerDied:
            self.server += 1

    def _look(self, dies_after: str | None) -> None:
        report = self.report()
        job = self.job.observed(report.sighting is not Sighting.UNREACHABLE, at=self.now)
        decision = decide(job, report, self.now, RULES)
        job = decision.applied(job, f"server {self.server}", at=self.now, rules=RULES)
        self._die(dies_after, "deciding")
        if decision.action is Action.KILL and self.runner_up and not self.deaf:
            self.end_worker(self.job.attempt, Sighting.CRASHED)
        self.job = job
        self._die(dies_after, "saving")
        if decision.action is Action.START and self.runner_up:
            self.sightings.setdefault(self.job.attempt, Sighting.QUEUED)
            self._die(dies_after, "telling")
            self.job = self.job.accept(self.job.attempt, at=self.now)

    def _die(self, wanted: str | None, here: str) -> None:
        if wanted == here:
            raise ServerDied

    def report(self) -> Report:
        if not self.runner_up:
            return Report(Sighting.UNREACHABLE, "connection refused")
        sighting = self.sightings.get(self.job.attempt, Sighting.UNKNOWN)
        return Report(sighting, f"it is {sighting}", has_result=len(self.answered) == ROWS)

    def start_worker(self) -> None:
        """A slot is free: the runner's queued attempt becomes a process, if it may still begin."""
        attempt = self.job.attempt
        if self.sightings.get(attempt) is not Sighting.QUEUED:
            return
        try:
            self.job = self.job.begin(attempt, at=self.now, rows_total=ROWS)
            self.job = self.job.heartbeat(attempt, at=self.now, rules=RULES)
        except Conflict:
            self.sightings[attempt] = Sighting.CRASHED
            return
        assert self.job.lease is not None
        self.sightings[attempt] = Sighting.ALIVE
        self.workers[attempt] = Worker(attempt, self.job.lease, list(rest(ROWS, self.answered)))

    def everyone(self) -> list[Worker]:
        return [*self.workers.values(), *self.zombies]

    def work(self, worker: Worker) -> None:
        """A worker does the next thing: send, pay, keep an answer, or be done."""
        if worker.asleep:
            return
        if worker.paid:
            self.answered.add(worker.paid.pop(0))
        elif worker.sending:
            row = worker.sending.pop(0)
            self.payments[worker.attempt, row] += 1
            worker.paid.append(row)
        elif worker.lost or not worker.todo:
            ended = Sighting.CRASHED if worker.lost else Sighting.FINISHED
            self.end_worker(worker.attempt, ended)
        else:
            self.begin_rows(worker)

    def begin_rows(self, worker: Worker) -> None:
        """Up to all slots at once, each only while its lease allows."""
        while worker.todo and len(worker.sending) < SLOTS:
            if not worker.lease.may_begin_row(self.now, RULES):
                self.heartbeat(worker)
                if worker.lost or not worker.lease.may_begin_row(self.now, RULES):
                    return
            worker.sending.append(worker.todo.pop(0))

    def heartbeat(self, worker: Worker) -> None:
        if worker.asleep:
            return
        try:
            job = self.job.heartbeat(worker.attempt, at=self.now, rules=RULES, rows_done=len(self.answered))
        except Conflict:
            worker.lost = True
            return
        assert job.lease is not None
        self.job, worker.lease = job, job.lease

    def end_worker(self, attempt: int, sighting: Sighting) -> None:
        if attempt in self.sightings:
            self.sightings[attempt] = sighting
        self.workers.pop(attempt, None)
        self.zombies = [worker for worker in self.zombies if worker.attempt != attempt]

    def kill_runner(self, leaves_workers: bool) -> None:
        """It forgets what it had; its workers die with it, or go on without it."""
        if leaves_workers:
            self.zombies.extend(self.workers.values())
        self.workers.clear()
        self.sightings.clear()

    def paid_again(self) -> Counter[int]:
        """Of each attempt, how many of the rows it paid for a later one has paid for too."""
        again: Counter[int] = Counter()
        for attempt, row in self.payments:
            again[attempt] += any(other > attempt and same == row for other, same in self.payments)
        return again

    def goes_on(self, seconds: int, steps: int = 1) -> None:
        """So much time without faults; who sleeps sleeps on."""
        for _ in range(seconds):
            if self.job.status.has_ended:
                return
            self.look()
            self.start_worker()
            for worker in self.everyone():
                self.heartbeat(worker)
                for _ in range(steps):
                    self.work(worker)
            self.now += SECOND
