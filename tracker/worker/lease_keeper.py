"""Keeps the lease of an attempt alive, and knows until when it may begin rows."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

from tracker.domain.errors import Conflict, Unauthenticated, Unavailable
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.ports.evaluation.desk import Desk

__all__ = ["DeskLost", "LeaseKeeper", "awake_seconds"]

_Told = TypeVar("_Told")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds
_ENDURANCE = 300.0
_ENDURANCE_AFTER_END = 5.0


class DeskLost(Unavailable):
    """The desk has not answered for so long that the attempt gives up; another may do the rest."""


def awake_seconds() -> float:
    """A clock that nobody sets, and that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LeaseKeeper:
    """The lease of one attempt; as a context manager it gives signs of life.

    A sign of life renews the lease for ``rules.lease`` from when the desk gets it, so the lease holds for at
    least that long from when it was *sent*, by this machine's own clock: what another machine's clock says of
    the end of the lease is not needed.

    Args:
        desk: where signs of life go.
        rules: how long what is waited for.
        endurance: so many seconds without an answer of the desk are borne.
        seconds: a clock that only grows.
    """

    def __init__(
        self,
        desk: Desk,
        rules: Rules | None = None,
        *,
        endurance: float = _ENDURANCE,
        seconds: Callable[[], float] = awake_seconds,
    ) -> None:
        self._desk = desk
        self._rules = rules or Rules()
        self._endurance = endurance
        self._seconds = seconds
        self._answered = seconds()
        self._until = self._answered  # nothing is known of the lease yet
        self._end: Conflict | DeskLost | None = None
        self._over = asyncio.Event()
        self._news = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begins to give signs of life."""
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends that."""
        if self._beating is not None:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating

    @property
    def ended(self) -> Conflict | DeskLost | None:
        """Why the attempt has to end; ``None`` while it may go on."""
        return self._end

    async def begin(self, rows_total: int | None) -> None:
        """Says that the job runs, and how many rows it has.

        Raises:
            Conflict: the attempt has lost its job, or the job is to stop.
            DeskLost: the desk has not answered for too long.
        """
        await self.ask(lambda: self._sign(lambda: self._desk.begin(rows_total)))

    def may_begin_row(self) -> bool:
        """Whether one more row may be sent now. Nobody else has the job before its lease is over."""
        left = self._until - self._rules.margin.total_seconds() - self._seconds()
        return self._end is None and left > 0

    async def turn(self) -> None:
        """Returns when one more row may be sent; waits while it is not known whether the lease holds.

        Raises:
            Conflict: the attempt has lost its job, or the job is to stop.
            DeskLost: the desk has not answered for too long.
        """
        while not self.may_begin_row():
            self._check()
            self._news.clear()
            await self._news.wait()

    async def keep(self, outcomes: Sequence[RowOutcome], keys: Mapping[int, str]) -> None:
        """Keeps what came of rows, durable when it returns; also when the attempt has lost its job.

        Args:
            outcomes: new ones.
            keys: as :meth:`tracker.ports.evaluation.desk.Desk.keep` takes them.

        Raises:
            Conflict: the attempt has lost its job, or the job is to stop; the desk was brought the answers.
            DeskLost: the desk has not answered for too long.
        """
        await self._patiently(lambda: self._sign(lambda: self._desk.keep(outcomes, keys)))

    async def ask(self, question: Callable[[], Awaitable[_Told]]) -> _Told:
        """What the desk answers; it is asked again while it does not.

        Args:
            question: asks the desk, anew each time, for something that may be asked for twice.

        Raises:
            Conflict: the attempt has lost its job, or the job is to stop.
            DeskLost: the desk has not answered for too long.
        """
        self._check()
        return await self._patiently(question)

    async def until_over(self) -> None:
        """Returns when the attempt has to end."""
        await self._over.wait()

    def end(self, why: Conflict | DeskLost) -> None:
        """Has the attempt end; the first reason counts."""
        if self._end is None:
            self._end = why
        self._over.set()
        self._news.set()

    def _check(self) -> None:
        if self._end is not None:  # anew each time: many tasks may raise it, and each adds its traceback
            raise (DeskLost if isinstance(self._end, DeskLost) else Conflict)(self._end.detail)

    async def _patiently(self, question: Callable[[], Awaitable[_Told]]) -> _Told:
        pause = _FIRST_PAUSE
        while True:
            try:
                told = await question()
            except Conflict as error:
                self.end(error)
                raise
            except Unauthenticated as error:
                # The pass goes with the job: with its project, or the user in whose name it ran.
                lost = Conflict(f"lease: the desk does not take its pass any more: {error.detail}")
                self.end(lost)
                raise lost from error
            except Unavailable as error:
                self._endure(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._answered = self._seconds()
                return told

    def _endure(self, error: Unavailable) -> None:
        endurance = self._endurance if self._end is None else min(self._endurance, _ENDURANCE_AFTER_END)
        silent = self._seconds() - self._answered
        if silent > endurance:
            lost = DeskLost(f"the desk has not answered for {silent:.0f} s: {error.detail}")
            self.end(lost)
            raise lost from error

    async def _sign(self, give: Callable[[], Awaitable[object]]) -> None:
        """One sign of life, and what is known of the lease after it."""
        sent = self._seconds()
        await give()
        self._until = max(self._until, sent + self._rules.lease.total_seconds())
        self._news.set()

    async def _beat(self) -> None:
        while self._end is None:
            try:
                await self.ask(lambda: self._sign(self._desk.heartbeat))
            except (Conflict, DeskLost):
                return  # the attempt is told by `end`
            except Exception as error:
                # Without signs of life its rows would wait for their turn for ever.
                traceback.print_exception(error)
                self.end(DeskLost(f"the desk takes no sign of life: {error}"))
            await asyncio.sleep(self._rules.heartbeat.total_seconds())
