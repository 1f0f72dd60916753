"""Commits together what arrives together."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from concurrent.futures import Executor, Future

from tracker.adapters.scalars.embedded.folding import fold
from tracker.adapters.scalars.embedded.project_file import ProjectFile
from tracker.adapters.scalars.embedded.writing import append
from tracker.domain.errors import TrackerError, Unavailable
from tracker.domain.scalars.batch import ScalarBatch

__all__ = ["GroupCommit"]

_log = logging.getLogger("tracker.scalars")

_BATCHES = 4096
_GROUP_BATCHES = 1024


class GroupCommit:
    """The batches that wait for one project's file.

    At most one thread at a time writes: it takes all that waits, commits it as one transaction,
    and only then answers each caller. What arrives meanwhile is the next group.
    """

    def __init__(self, file: ProjectFile, threads: Executor, queue_points: int) -> None:
        self._file = file
        self._threads = threads
        self._room = queue_points
        self._waiting: deque[tuple[ScalarBatch, Future[None]]] = deque()
        self._points = 0
        self._running = False
        self._guard = threading.Lock()

    def submit(self, batch: ScalarBatch) -> Future[None]:
        """A future that is done when the batch is durable.

        Raises:
            Unavailable: too much waits already.
        """
        future: Future[None] = Future()
        with self._guard:
            full = self._points + len(batch) > self._room or len(self._waiting) >= _BATCHES
            if self._waiting and full:
                raise Unavailable(f"the queue for {self._file.path} is full", retry_after=0.5)
            self._waiting.append((batch, future))
            self._points += len(batch)
            if not self._running:
                self._running = True
                self._threads.submit(self._drain)
        return future

    def _drain(self) -> None:
        while group := self._take():
            try:
                answers, long_tails = self._commit([batch for batch, _ in group])
            except Exception as error:
                answers, long_tails = [error] * len(group), set()
            for (_, future), answer in zip(group, answers, strict=True):
                _resolve(future, answer)
            self._fold(long_tails)

    def _take(self) -> list[tuple[ScalarBatch, Future[None]]]:
        """What waits and was not cancelled; nothing only when nothing waits any more."""
        with self._guard:
            group: list[tuple[ScalarBatch, Future[None]]] = []
            while self._waiting and len(group) < _GROUP_BATCHES:
                batch, future = self._waiting.popleft()
                self._points -= len(batch)
                if future.set_running_or_notify_cancel():
                    group.append((batch, future))
            self._running = bool(group)
            return group

    def _commit(self, batches: list[ScalarBatch]) -> tuple[list[Exception | None], set[int]]:
        answers: list[Exception | None] = []
        long_tails: set[int] = set()
        with self._file.writing() as connection:
            answers.extend(_in_savepoint(connection, batch, long_tails) for batch in batches)
        return answers, long_tails

    def _fold(self, experiments: set[int]) -> None:
        try:
            for experiment in experiments:
                with self._file.writing() as connection:
                    fold(connection, experiment)
        except Exception:
            # Whatever it is, those who wait for the next group must not wait for ever. The points are
            # safe in the tail, and the next append or maintenance folds them.
            _log.warning("the tail of %s could not be folded now", self._file.path.name, exc_info=True)


def _in_savepoint(
    connection: sqlite3.Connection, batch: ScalarBatch, long_tails: set[int]
) -> TrackerError | None:
    connection.execute("SAVEPOINT batch")
    try:
        long_tail = append(connection, batch)
    except TrackerError as error:
        connection.execute("ROLLBACK TO batch")
        connection.execute("RELEASE batch")
        return error
    connection.execute("RELEASE batch")
    if long_tail is not None:
        long_tails.add(long_tail)
    return None


def _resolve(future: Future[None], answer: Exception | None) -> None:
    if answer is None:
        future.set_result(None)
    else:
        future.set_exception(answer)
