"""A run: one experiment while it is being made."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self, SupportsFloat
from uuid import UUID

from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId
from tracker.journal.carrier import Carrier
from tracker.journal.folder import JournalFolder
from tracker.journal.plan import RunPlan
from tracker.journal.segment import SegmentWriter
from tracker.opening import environment
from tracker.run import leaving
from tracker.run.closing import close, end_event
from tracker.run.companions import Companions
from tracker.run.complaints import Complaints, is_from_elsewhere
from tracker.run.content import Content
from tracker.run.ending import Ending, tell
from tracker.run.params import flat_params
from tracker.run.reasons import is_clean_exit, reason_of
from tracker.run.signals import on_signal
from tracker.run.taking import Taking
from tracker.run.values import metric_name, number, step_of
from tracker.run_settings import RunSettings

__all__ = ["Run"]

SIGNAL_SECONDS = 4.0
"""For sending what is left when a signal ends the process; it stays in the journal in any case."""


class Run(Content):
    """What a training script writes to; made by :func:`tracker.init`.

    What is logged is in a file when the call returns, and survives the death of the process from
    there on; a background thread carries it to the store. None of the methods raises for what it is
    given or for what fails (unless the run is strict): what cannot be taken is warned of once, by a
    :class:`tracker.TrackerWarning`, and everything else is kept.

    As a context manager it finishes as complete, or as failed when an exception leaves the block.
    A run that is still open when the interpreter exits is finished then: as failed when an uncaught
    exception ended the script, else as complete.

    It may be used from several threads, in children that the process forks, and, passed as an
    argument, in children that it spawns; those leave finishing to the process that started it.

    Args:
        plan: what the run is.
        writer: this process's segment; ``None`` keeps nothing.
        carrier: carries in this process; ``None`` in offline runs and in other processes.
        journal: the run's folder.
        made: its experiment, as far as it is known.
        settings: of runs.
    """

    def __init__(
        self,
        plan: RunPlan,
        writer: SegmentWriter | None,
        carrier: Carrier | None,
        journal: JournalFolder,
        *,
        made: Experiment | None = None,
        settings: RunSettings,
    ) -> None:
        self._plan = plan
        self._writer = writer
        self._carrier = carrier
        self._journal = journal
        self._experiment = made
        self._settings = settings
        self._pid = os.getpid()
        self._unsaved = 0
        self._spent = 0.0  # seconds within log()
        self._began = time.monotonic()
        self._complaints = Complaints(strict=settings.strict)
        # Rather than in a process that was spawned, or in one that joined.
        is_home = (carrier is not None or plan.is_offline) and not plan.is_guest
        self._taking = Taking(writer, self._complaints, rank=plan.rank, is_turned=is_home)
        self._row = self._taking.row
        self._companions = Companions(journal, self._said)
        self._forget_signals: Callable[[], None] = lambda: None
        if is_home and writer is not None:
            self._begin()

    @property
    def key(self) -> UUID:
        """Names the run from its first moment on, before and after it has an experiment."""
        return self._plan.key

    @property
    def id(self) -> ExperimentId:
        """The experiment's id.

        Raises:
            Unavailable: the experiment is not made yet, since the run is offline or the store away.
        """
        return self.experiment.id

    @property
    def name(self) -> str:
        """The experiment's name, or until it is made what it will be made from."""
        made = self._made
        return (self._plan.name or str(self.key)) if made is None else made.name

    @property
    def project(self) -> str:
        """The name of its project."""
        return self._plan.project

    @property
    def rank(self) -> int:
        """The number of this process in a distributed job, 0 in any other."""
        return self._plan.rank

    @property
    def is_open(self) -> bool:
        """Whether it takes values."""
        return self._taking.is_open

    @property
    def experiment(self) -> Experiment:
        """The experiment as it was when the run started or, later, finished. Raises as :attr:`id`."""
        made = self._made
        if made is None:
            raise Unavailable(f"run {self.key} has no experiment yet; it gets one when it is sent")
        return made

    @property
    def unsaved(self) -> int:
        """After :meth:`finish`: how many values are not in the store, but in the journal or lost."""
        return self._unsaved

    def log(self, values: Mapping[str, Any], *, step: int | None = None) -> None:
        """Keeps scalars of one step: they are in the journal when it returns.

        Args:
            values: numbers by name, numpy's and torch's too; nested mappings get dotted names. NaN
                and infinities are data.
            step: where on the x-axis, in any order; by default one after the last.
        """
        began = time.perf_counter()
        try:
            self._row(values, step)
        except Exception as error:  # a new name, a nested mapping, or something that is no number
            if type(values) is dict and is_from_elsewhere(error):
                raise  # by a signal's handler, which happened to interrupt this
            self._taking.slow_row(values, step)
        self._spent += time.perf_counter() - began

    def metric(self, name: str, value: SupportsFloat, *, step: int = 0, label: str | None = None) -> None:
        """Keeps a final value, a finite one, by which the experiment is judged."""
        with self._complaints.about("metric"):
            final = number(name, value)
            if not math.isfinite(final):
                raise Invalid.field(str(name), "a final value must be finite; run.log() takes any")
            if label is not None:
                _text("label", label)
            self._event("metric", name=metric_name(name), value=final, step=step_of(step), label=label)

    def tag(self, *tags: str) -> None:
        """Adds tags to find it by."""
        with self._complaints.about("tag"):
            self._event("tags", tags=[_text("tags", tag) for tag in tags])

    def params(self, params: Any) -> None:
        """Adds parameters, in any form that ``init`` takes; they cannot change once the run has ended."""
        with self._complaints.about("params"):
            self._event("params", params=flat_params(params, tell=self._said))

    def progress(self, percent: SupportsFloat) -> None:
        """Says how far it is, from 0 to 100."""
        with self._complaints.about("progress"):
            said = number("progress", percent)
            if math.isnan(said):
                raise Invalid.field("progress", "must be a number from 0 to 100, not NaN")
            self._event("progress", percent=min(100.0, max(0.0, said)))

    def flush(self, timeout: float = 10.0) -> int:
        """Has everything carried to the store that was logged before; how many values still wait.

        Args:
            timeout: seconds to wait at most. In a child process, and offline, nothing is waited for.
        """
        if self._writer is None:
            return 0
        with self._complaints.about("flush"):
            self._writer.turn()
            if self._is_carried_here:
                self._carrier.drain(timeout)  # type: ignore[union-attr]
        return self._waiting

    def finish(
        self,
        status: Status | str = Status.COMPLETE,
        *,
        kind: EndKind | str | None = None,
        reason: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Carries what is left, sets the status, and lets go of everything; once is enough.

        What cannot be carried in time is counted in :attr:`unsaved`, stays in the journal, and is
        carried by ``tracker sync`` or the next run there.

        Args:
            status: ``complete`` or ``failed``.
            kind: what made it fail, one of :class:`tracker.EndKind`.
            reason: why it failed, in words.
            timeout: seconds to wait at most, and one more for letting go of the store where it is below two;
                without it, what ``TRACKER_EXIT_SECONDS`` says.

        Raises:
            Invalid: `status` is not one that a run can end with, or there is no such `kind`.
        """
        if status not in (Status.COMPLETE, Status.FAILED):
            raise Invalid.field("status", "a run ends as complete or failed", "enum")
        end = end_event(Status(status), kind, reason)
        if not self.is_open:
            return
        is_here = self._pid == os.getpid() and not self._plan.is_guest
        if is_here:
            self._companions.stop()  # the last of what they log still counts
        self._taking.is_open = False
        self._forget_signals()
        leaving.forget(self)
        with self._complaints.about("finish"):
            if self._writer is None:
                return
            if not is_here:
                self._writer.turn(last=True)
                return
            self._end(end, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish_by(error)

    def finish_by(self, error: BaseException | None, *, timeout: float | None = None) -> None:
        """Finishes it as an exception says: as failed with its reason, without one as complete.

        ``sys.exit(0)`` is no failure.
        """
        if error is None or is_clean_exit(error):
            self.finish(timeout=timeout)
        else:
            ending = reason_of(error)
            self.finish(Status.FAILED, kind=ending.kind, reason=ending.reason, timeout=timeout)

    def __reduce__(self) -> tuple[Any, ...]:
        """Elsewhere it is the same run, with a segment of that process."""
        from tracker.run.start import attach  # noqa: PLC0415 - it imports this module

        return attach, (str(self._journal.data), self._plan, self._made, self._settings, self._keeps)

    @property
    def exit_seconds(self) -> float:
        """For how long finishing waits for what was not sent yet."""
        return self._settings.exit_seconds

    @property
    def _made(self) -> Experiment | None:
        if self._experiment is None and self._carrier is not None:
            self._experiment = self._carrier.experiment
        return self._experiment

    @property
    def _keeps(self) -> bool:
        return self._writer is not None

    @property
    def _is_carried_here(self) -> bool:
        return self._carrier is not None and self._pid == os.getpid()

    @property
    def _waiting(self) -> int:
        if self._writer is None:
            return 0
        return self._writer.waiting

    def _event(self, event: str, **content: Any) -> None:
        self._taking.event(event, **content)

    def _begin(self) -> None:
        """Sees to the end of the run, whatever ends it, and starts what goes on beside it."""
        leaving.finish_at_exit(self)
        self._forget_signals = on_signal(self._finish_by_signal)
        if self._settings.console:
            self._companions.keep_console()
        if self._settings.capture and self.rank == 0:
            self._companions.capture(environment(), self._journal.data)
        if self._settings.system:
            self._companions.watch_system(partial(self._taking.slow_row, aside=True))

    def _finish_by_signal(self, kind: EndKind, reason: str) -> None:
        self.finish(Status.FAILED, kind=kind, reason=reason, timeout=SIGNAL_SECONDS)

    def _end(self, end: Mapping[str, Any], timeout: float | None) -> None:
        assert self._writer is not None
        seconds = time.monotonic() - self._began
        allowed = self.exit_seconds if timeout is None else timeout
        self._companions.wait(allowed / 2)
        closed = close(
            self._journal,
            self._writer,
            self._carrier,
            end=end if self.rank == 0 else None,
            known=self._known(end, seconds),
            timeout=max(0.0, allowed - (time.monotonic() - self._began - seconds)),
        )
        self._experiment = closed.experiment or self._made
        self._unsaved = closed.unsaved
        if not self._settings.silent and self.rank == 0:
            tell(closed.ending, sys.stderr)

    def _known(self, end: Mapping[str, Any], seconds: float) -> Ending:
        """What can be said without the store."""
        assert self._writer is not None
        busy = self._spent + self._companions.cost + (self._carrier.busy if self._carrier else 0.0)
        return Ending(
            name=self.name,
            project=self.project,
            status=end["status"],
            reason=end.get("reason"),
            seconds=seconds,
            points=self._writer.taken,
            overhead=busy / seconds if seconds > 0 else None,
            sync=f"tracker --data {self._journal.data} sync",
            where="" if self._plan.url is None else self._plan.url,
        )


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 100:
        raise Invalid.field(field, f"{value!r} is not text of 1 to 100 characters")
    return value
