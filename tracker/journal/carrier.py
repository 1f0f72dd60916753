"""Carries a run's journal to the store in the background, for as long as the run is open."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from tracker.areas import AsyncTracker
from tracker.blocking import LoopThread
from tracker.domain.errors import NotFound, TrackerError
from tracker.domain.experiments.experiment import Experiment
from tracker.journal.captures import carry_capture
from tracker.journal.carrying import carry
from tracker.journal.consoles import carry_console
from tracker.journal.folder import JournalFolder
from tracker.journal.recovery import recover
from tracker.journal.segment import SegmentWriter

__all__ = ["Carrier"]

SECONDS = 1.0
"""Between two rounds: about how old the newest point of a chart is."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
"""Seconds after a round that failed; they double from one to the next."""

BEAT_SECONDS = 15.0

_log = logging.getLogger("tracker.run")
_T = TypeVar("_T")


class Carrier:
    """Closes a run's segments and carries them, with pauses while the store does not take them.

    Nothing that goes wrong here reaches the run: it is logged once for each kind of error, until a
    round succeeds again.

    Args:
        journal: of the run.
        writer: this process's own segment.
        connect: opens the library; called in the background, again after a failure.
        create: makes the run's experiment, or finds the one that was made before.
        url: the server that the library is on; ``None`` = the folder, which recovers when it is opened.
        recovers_first: whether what earlier runs left there is needed before the experiment is made.
    """

    def __init__(
        self,
        journal: JournalFolder,
        writer: SegmentWriter,
        connect: Callable[[], Awaitable[AsyncTracker]],
        create: Callable[[AsyncTracker], Awaitable[Experiment]],
        *,
        url: str | None = None,
        recovers_first: bool = False,
    ) -> None:
        self._journal = journal
        self._writer = writer
        self._connect = connect
        self._create = create
        self._url = url
        self._recovers_first = recovers_first
        self._thread = LoopThread()
        self._library: AsyncTracker | None = None
        self._task: Future[None] | None = None
        self._round = asyncio.Lock()
        self._told: set[type[BaseException]] = set()
        self._beating: asyncio.Task[None] | None = None
        self._is_gone = False
        self.refused = 0  # points that the store takes neither now nor later
        self.experiment: Experiment | None = None
        self.busy = 0.0  # seconds of CPU

    def start(self) -> None:
        """Begins to carry."""
        self._task = self._thread.submit(self._work())

    def ready(self, timeout: float) -> Experiment:
        """The experiment, made now if it has not been.

        Raises:
            TrackerError: it cannot be made.
            TimeoutError: not within `timeout` seconds.
        """
        return self.wait(self._ready_alone(), timeout)

    def wait(self, work: Coroutine[Any, Any, _T], timeout: float) -> _T:
        """What `work` gives on the carrier's own loop.

        Raises:
            TimeoutError: not within `timeout` seconds. It goes on all the same: cut off in the middle of a
                transaction, it would keep the store's lock.
        """

        async def shielded() -> _T:
            task = asyncio.ensure_future(work)
            task.add_done_callback(_seen)
            return await asyncio.shield(task)

        return self._thread.wait(shielded(), max(0.0, timeout))

    @property
    def library(self) -> AsyncTracker | None:
        """The library, once it is open; to be used on the carrier's own loop alone."""
        return self._library

    def drain(self, timeout: float) -> bool:
        """Carries all that there is; whether that succeeded within `timeout` seconds."""
        try:
            return self.wait(self._drain(time.monotonic() + timeout), timeout)
        except Exception:  # not in time, or the loop is gone: what waits stays in the journal
            return False

    def tell(self, error: BaseException) -> None:
        """Says what is wrong, once for each kind of error until a round succeeds."""
        if type(error) not in self._told:
            self._told.add(type(error))
            what = error.detail if isinstance(error, TrackerError) else f"{type(error).__name__}: {error}"
            _log.warning("values wait in %s and are sent later: %s", self._journal.path, what)

    def last(self, timeout: float) -> bool:
        """Carries what the run printed, once nothing prints any more; whether that succeeded in time."""
        if self._library is None or self.experiment is None:
            return False
        try:
            self.wait(carry_console(self._journal, self._library, self.experiment.id), timeout)
        except Exception as error:
            self.tell(error)
            return False
        return True

    def latest(self, timeout: float) -> Experiment | None:
        """The experiment as the store has it now; the one of before where it does not answer in time."""
        if self._library is None or self.experiment is None:
            return self.experiment
        with contextlib.suppress(Exception):
            self.experiment = self.wait(self._library.experiments.get(self.experiment.id), timeout)
        return self.experiment

    def close(self, timeout: float) -> None:
        """Ends the background work and lets go of the library; what waits stays in the journal."""
        with contextlib.suppress(Exception):  # a store that hangs is left to the end of the process
            self._thread.stop(self._close, timeout)

    async def _work(self) -> None:
        pause = SECONDS
        # A thousand runs whose server comes back must not all ask it at once: each has a pace of its own.
        spread = 0.75 + self._journal.key.int % 1000 / 2000
        self._beating = asyncio.create_task(self._beat())
        if not self._recovers_first:
            await self._recover_in_background()
        while not self._is_gone:
            await asyncio.sleep(pause)
            pause = SECONDS if await self._once() else min(pause * 2, LONGEST_PAUSE) * spread

    async def _drain(self, deadline: float) -> bool:
        pause = SHORTEST_PAUSE
        # Another process of the job may be the one that carries, and not be done.
        while not await self._once() or self._writer.handed_on:
            if self._is_gone or time.monotonic() + pause >= deadline:
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)
        return True

    async def _once(self) -> bool:
        """One round; whether nothing went wrong in it."""
        began = time.thread_time()
        try:
            async with self._round:
                experiment = await self._ready()
                assert self._library is not None
                self._writer.turn()
                with self._journal.carrying() as is_ours:
                    if is_ours:
                        await carry(self._journal, self._library, experiment.id, refused=self._refuse)
                        await carry_capture(self._journal, self._library, experiment.id)
        except NotFound as error:
            self.tell(error)
            self._is_gone = True
            return False
        except Exception as error:  # whatever it is, it must not end the training
            self.tell(error)
            return False
        finally:
            self.busy += time.thread_time() - began
        self._told.clear()
        return True

    async def _recover(self) -> None:
        """Brings in what earlier runs left behind for the same server."""
        if self._url is not None and self._library is not None:
            await recover(self._library, self._journal.data, self._url)

    async def _recover_in_background(self) -> None:
        try:
            async with self._round:
                await self._ready()
                await self._recover()
        except Exception as error:
            self.tell(error)

    async def _ready(self) -> Experiment:
        if self._library is None:
            self._library = await self._connect()
            if self._recovers_first:
                await self._recover()
        if self.experiment is None:
            self.experiment = await self._create(self._library)
            self._journal.tell({**self._journal.about(), "experiment_id": str(self.experiment.id)})
        return self.experiment

    async def _beat(self) -> None:
        """Says from time to time that the run lives, however long it takes to carry what it has."""
        while not self._is_gone:
            if self._library is None or self.experiment is None:
                await asyncio.sleep(SECONDS)
                continue
            with contextlib.suppress(Exception):  # what is wrong with the store the next round tells
                await self._library.experiments.beat(self.experiment.id)
            await asyncio.sleep(BEAT_SECONDS)

    def _refuse(self, points: int) -> None:
        self.refused += points

    async def _ready_alone(self) -> Experiment:
        async with self._round:
            return await self._ready()

    async def _close(self) -> None:
        self._is_gone = True
        async with self._round:  # what is under way comes to its end
            if self._task is not None:
                self._task.cancel()
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        if self._library is not None:
            library, self._library = self._library, None
            await library.aclose()


def _seen(task: asyncio.Task[Any]) -> None:
    """Whoever waited may be gone by now: asyncio need not tell the terminal what the next round tells."""
    if not task.cancelled():
        task.exception()
