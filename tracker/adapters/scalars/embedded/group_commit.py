"""Commits together what arrives together."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from typing import NamedTuple

from tracker.adapters.scalars.embedded.folding import apply, prepare
from tracker.adapters.scalars.embedded.project_file import ProjectFile
from tracker.adapters.scalars.embedded.writing import append
from tracker.domain.errors import TooManyRequests
from tracker.domain.scalars.batch import ScalarBatch

__all__ = ["GroupCommit"]

_log = logging.getLogger("tracker.scalars")

_BATCHES = 4096
_GROUP_BATCHES = 1024
_GATHER_SECONDS = 0.005
_FOLD_TRIES = 3
_LONGEST_PAUSE = 0.2  # seconds between two folds
_FOLD_AGAIN_AFTER = 5.0  # seconds after a fold that failed


class _Waiting(NamedTuple):
    batch: ScalarBatch
    answer: asyncio.Future[None]


class GroupCommit:
    """The batches that wait for one project's file.

    At most one thread at a time writes: it takes all that waits, commits it as one transaction,
    and only then answers each caller. What arrives meanwhile is the next group. Callers who were
    answered together come back together, so a group waits a few milliseconds for as many as there
    were; a lone caller is never kept waiting.
    """

    def __init__(self, file: ProjectFile, writers: Executor, folders: Executor, queue_points: int) -> None:
        self._file = file
        self._writers = writers
        self._folders = folders
        self._room = queue_points
        self._waiting: deque[_Waiting] = deque()
        self._points = 0
        self._expected = 1
        self._enough = threading.Event()
        self._running = False
        self._folding: set[int] = set()
        self._no_fold_before = 0.0
        self._guard = threading.Lock()

    def submit(self, batch: ScalarBatch) -> asyncio.Future[None]:
        """A future of the running loop that is done when the batch is durable.

        Raises:
            TooManyRequests: too much waits already.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._guard:
            full = self._points + len(batch) > self._room or len(self._waiting) >= _BATCHES
            if self._waiting and full:
                raise TooManyRequests(f"the queue for {self._file.path} is full", retry_after=0.5)
            self._waiting.append(_Waiting(batch, answer))
            self._points += len(batch)
            if len(self._waiting) >= self._expected:
                self._enough.set()
            if not self._running:
                self._running = True
                self._writers.submit(self._drain)
        return answer

    def fold(self, experiment: int) -> None:
        """Turns an experiment's tail into chunks, beside the writers.

        Raises:
            NotFound: the project was deleted.
            Unavailable: the file does not answer.
        """
        for _ in range(_FOLD_TRIES):
            with self._file.reading() as connection:
                made = None if connection is None else prepare(connection, experiment)
            if made is None:
                return
            with self._file.writing() as writer:
                if apply(writer.connection, made):
                    return

    def _drain(self) -> None:
        while group := self._take():
            answers: Sequence[Exception | None]
            try:
                answers, long_tails = self._commit([waiting.batch for waiting in group])
            except Exception as error:
                answers, long_tails = [error] * len(group), set()
            with self._guard:
                self._expected = min(len(group) + len(self._waiting), _GROUP_BATCHES)
                if len(self._waiting) < self._expected:
                    self._enough.clear()
            _answer(group, answers)
            self._fold_soon(long_tails)

    def _take(self) -> list[_Waiting]:
        """What waits and was not cancelled; nothing only when nothing waits any more."""
        if self._waiting:
            self._enough.wait(_GATHER_SECONDS)
        with self._guard:
            group: list[_Waiting] = []
            while self._waiting and len(group) < _GROUP_BATCHES:
                waiting = self._waiting.popleft()
                self._points -= len(waiting.batch)
                if not waiting.answer.cancelled():
                    group.append(waiting)
            self._running = bool(group)
            return group

    def _commit(self, batches: list[ScalarBatch]) -> tuple[Sequence[Exception | None], set[int]]:
        with self._file.writing() as writer:
            return append(writer, batches)

    def _fold_soon(self, experiments: set[int]) -> None:
        if not experiments or time.monotonic() < self._no_fold_before:
            return
        for experiment in experiments - self._folding:
            self._folding.add(experiment)
            with suppress(RuntimeError):  # the store is closing; the next one folds
                self._folders.submit(self._fold_one, experiment)

    def _fold_one(self, experiment: int) -> None:
        began = time.monotonic()
        try:
            self.fold(experiment)
        except Exception:
            # The points are safe in the tail, and a later append or maintenance folds them.
            self._no_fold_before = time.monotonic() + _FOLD_AGAIN_AFTER
            _log.warning("the tail of %s could not be folded now", self._file.path.name, exc_info=True)
        finally:
            self._folding.discard(experiment)
        # Runs that began together have long tails together: those who log meanwhile come first.
        time.sleep(min(time.monotonic() - began, _LONGEST_PAUSE))


def _answer(group: list[_Waiting], answers: Sequence[Exception | None]) -> None:
    """Answers all callers, with one visit to each loop: a visit for each would cost more than a commit."""
    visits: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], Exception | None]]] = {}
    for waiting, answer in zip(group, answers, strict=True):
        visits.setdefault(waiting.answer.get_loop(), []).append((waiting.answer, answer))
    for loop, pairs in visits.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: list[tuple[asyncio.Future[None], Exception | None]]) -> None:
    for future, answer in pairs:
        if future.done():
            continue
        if answer is None:
            future.set_result(None)
        else:
            future.set_exception(answer)
