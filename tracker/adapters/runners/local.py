"""Runs workers as processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from tracker.adapters.runners.attempt_folder import AttemptFolder
from tracker.adapters.runners.handover import PROGRAM, Handover, WorkerConfig
from tracker.adapters.runners.launching import launch, scrubbed
from tracker.adapters.runners.processes import descendants, end_all, holders, is_still, listed, session_of
from tracker.adapters.runners.slots import Queue, Slots
from tracker.domain.errors import Unavailable
from tracker.domain.evaluation.jobs.deciding import Report, Sighting
from tracker.domain.evaluation.jobs.errand import Errand
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.ids import JobId

__all__ = ["LocalRunner"]

_ENDED = {
    "finished": Sighting.FINISHED,
    "refused": Sighting.REFUSED,
    "crashed": Sighting.CRASHED,
}
_JOB = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KILL_SECONDS, _PAUSE = 8.0, 0.05
_STALE_SECONDS = 60.0  # a ticket whose attempt has not come by then is that of a start that was cut off


def _nothing() -> Handover:
    return Handover()


def _gone(process: Mapping[str, Any]) -> str:
    return "its process is gone without a word: it was killed (SIGKILL) or crashed"


class LocalRunner:
    """Local processes, a session for each attempt. All that is known of them is in files.

    No process waits for a slot: an attempt that has to wait is begun by whoever sights a waiting one while a
    slot is free, the oldest first.

    Args:
        data: the installation's data folder; attempts are in ``jobs`` in it.
        slots: so many attempts run at once, over all processes of the installation.
        handover: what a worker is handed through its standard input when it begins.
        environment: of which workers get what cannot be a secret.
        why_gone: says what became of a process, by what it said of itself, when it left no word.
        rules: by which workers keep their leases.
        program: what does an attempt, as ``module:function``.
    """

    def __init__(
        self,
        data: Path,
        *,
        slots: int,
        handover: Callable[[], Handover] = _nothing,
        environment: Mapping[str, str],
        why_gone: Callable[[Mapping[str, Any]], str] = _gone,
        rules: Rules | None = None,
        program: str = PROGRAM,
    ) -> None:
        self._jobs = data.absolute() / "jobs"
        self._slots = Slots(self._jobs / "slots", slots)
        self._queue = Queue(self._jobs / "queue")
        self._handover = handover
        self._environment = scrubbed(environment)
        self._why_gone = why_gone
        self._rules = rules or Rules()
        self._program = program

    async def start(self, errand: Errand) -> None:
        """Takes an attempt; see :class:`tracker.ports.evaluation.runner.JobRunner`."""
        await self._in_thread(self._start, errand)

    async def sight(self, job_id: JobId, attempt: int) -> Report:
        """What is known of an attempt."""
        try:
            return await asyncio.to_thread(self._sight, self._folder(job_id, attempt))
        except OSError as error:
            return Report(Sighting.UNREACHABLE, f"cannot read {self._jobs}: {error.strerror}")

    async def kill(self, job_id: JobId, attempt: int) -> None:
        """Ends it with all processes it started, or has it never begin."""
        await self._in_thread(self._kill, self._folder(job_id, attempt))

    async def logs(self, job_id: JobId, attempt: int, *, most: int = 1_000_000) -> str:
        """The end of what its worker printed."""
        return await asyncio.to_thread(self._folder(job_id, attempt).tail, most)

    async def forget(self, job_id: JobId) -> None:
        """Lets go of what is kept of all attempts at a job."""
        await asyncio.to_thread(self._forget, job_id)

    async def known(self) -> frozenset[JobId]:
        """Jobs that have a folder."""
        try:
            return await asyncio.to_thread(self._known)
        except OSError as error:
            raise Unavailable(f"the runner cannot read {self._jobs}: {error.strerror}") from error

    async def check(self) -> None:
        """Returns when an attempt could be taken now."""
        await self._in_thread(self._check)

    async def close(self) -> None:
        """Nothing is held: attempts go on."""

    async def _in_thread(self, work: Callable[..., None], *args: Any) -> None:
        try:
            await asyncio.to_thread(work, *args)
        except OSError as error:
            raise Unavailable(f"the runner cannot use {self._jobs}: {error.strerror}") from error

    def _check(self) -> None:
        self._jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(self._jobs, os.W_OK | os.X_OK):
            raise Unavailable(f"the runner may not write to {self._jobs}")

    def _known(self) -> frozenset[JobId]:
        if not self._jobs.is_dir():
            return frozenset()
        with os.scandir(self._jobs) as entries:
            return frozenset(JobId(UUID(each.name)) for each in entries if _JOB.fullmatch(each.name))

    def _forget(self, job_id: JobId) -> None:
        folder = self._jobs / str(job_id)
        with contextlib.suppress(OSError):
            attempts = [AttemptFolder(each) for each in folder.iterdir() if each.name.isdigit()]
            if any(each.is_alive() for each in attempts):
                return
            for each in attempts:
                each.clear_scratch()
            shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, job_id: JobId | str, attempt: int | str) -> AttemptFolder:
        return AttemptFolder(self._jobs / str(job_id) / str(attempt))

    def _start(self, errand: Errand) -> None:
        config = WorkerConfig(errand=errand, rules=self._rules, program=self._program)
        ticket = self._queue.ticket(str(errand.job_id), errand.attempt)
        folder = self._folder(errand.job_id, errand.attempt)
        if folder.make({folder.config.name: config.to_bytes(), "ticket": ticket.encode()}):
            self._queue.join(ticket)
        self._begin_some()

    def _sight(self, folder: AttemptFolder) -> Report:
        if not folder.exists:
            return Report(Sighting.UNKNOWN, "no attempt of this number was taken")
        with folder.at_rest() as rests:
            report = self._resting(folder) if rests else Report(Sighting.ALIVE)
        if report.sighting is Sighting.QUEUED:
            self._queue.join(folder.text("ticket"))  # in case the start was cut off before it did
            if self._begin_some() and folder.is_alive():
                return Report(Sighting.ALIVE)
        return report

    def _resting(self, folder: AttemptFolder) -> Report:
        """Of one that no process of lives."""
        ended = folder.read("ended.json") or {}
        status = _ENDED.get(str(ended.get("status")))
        if status in (None, Sighting.CRASHED) and folder.has("killed"):
            when = "as it was asked" if folder.has("begun") else "before it began"
            return Report(Sighting.CRASHED, f"it was killed {when}")
        if status is not None:
            return Report(status, str(ended.get("why", "")))
        if not folder.has("begun"):
            return Report(Sighting.QUEUED, "it waits for a slot")
        process = folder.read("process.json")
        if process is None:
            return Report(Sighting.CRASHED, "its process did not come up; its log may say why")
        # What its watcher would have seen to, had it not been killed itself.
        end_all(lambda: session_of(process, listed()))
        folder.clear_scratch()
        return Report(Sighting.CRASHED, self._why_gone(process))

    def _begin_some(self) -> bool:
        """Begins those that have waited longest, as slots are free; whether any was begun."""
        began = False
        with self._queue.turn() as mine:
            while mine:
                slot = self._slots.take()
                if slot is None:
                    break
                try:
                    if not self._begin_first(slot):
                        break
                    began = True
                finally:
                    os.close(slot)
        return began

    def _begin_first(self, slot: int) -> bool:
        for ticket, job, attempt in self._queue.waiting():
            folder = self._folder(job, attempt)
            if not folder.has("ticket"):
                if time.time_ns() - int(ticket.partition(".")[0]) > _STALE_SECONDS * 1e9:
                    self._queue.leave(ticket)
                continue
            lock = folder.take()
            if lock is None:  # somebody looks at it just now
                continue
            began = self._begin(folder, lock, slot)
            self._queue.leave(ticket)
            if began:
                return True
        return False

    def _begin(self, folder: AttemptFolder, lock: int, slot: int) -> bool:
        try:
            if folder.has("killed") or folder.has("begun"):
                return False
            handed_over = self._handover().to_bytes()
            folder.mark("begun")
            try:
                launch(folder, (lock, slot), self._environment, handed_over)
            except OSError as error:
                why = f"its process could not be started: {error.strerror}"
                folder.put("ended.json", {"status": "crashed", "why": why})
                return False
        finally:
            os.close(lock)
        return True

    def _kill(self, folder: AttemptFolder) -> None:
        folder.make({"killed": b""})
        folder.mark("killed")
        if ticket := folder.text("ticket"):
            self._queue.leave(ticket)
        deadline = time.monotonic() + _KILL_SECONDS
        while folder.is_alive():
            # Its locks prove that it is alive; who it is, it says as soon as it runs.
            process = folder.read("process.json")
            if process is not None:
                self._end(folder, process)
            if time.monotonic() > deadline:
                raise Unavailable(f"the processes of {folder.path} do not end")
            time.sleep(_PAUSE)
        folder.clear_scratch()

    def _end(self, folder: AttemptFolder, process: Mapping[str, Any]) -> None:
        """Its watcher goes last: while it lives, what lost its parent below it becomes its child."""

        def below() -> set[int]:
            found = listed()
            watched = descendants(process["pid"], found) if is_still(process, found) else set()
            return watched | (session_of(process, found) - {process["pid"]})

        def every() -> set[int]:
            return below() | holders(folder.path / "family")

        if not listed():
            _end_group(process)
            return
        end_all(below)
        end_all(every)


def _end_group(process: Mapping[str, Any]) -> None:
    """Where there is no ``/proc``: its session is its group of processes."""
    try:
        os.killpg(int(process["pid"]), 9)
    except (ProcessLookupError, PermissionError):
        return
