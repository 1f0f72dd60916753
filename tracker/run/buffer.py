"""Points on their way from the training loop to the store."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from tracker.domain.errors import TooLarge, TooManyRequests, TrackerError, Unavailable
from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.scalars.batch import ScalarBatch, columns_of_records
from tracker.ports.ids import IdGenerator

__all__ = ["ScalarBuffer"]

FLUSH_SECONDS = 1.0
FLUSH_POINTS = 1000
LARGEST_BATCH = 10_000  # points; about a megabyte as JSON
LAST_ATTEMPTS = 3

_log = logging.getLogger("tracker.run")


class ScalarBuffer:
    """Collects points and sends them in batches from a thread of its own.

    A batch that the store could not take is kept and sent again under the same id, so that none is
    lost or doubled; one that is too large for it goes in halves; one that it refuses for good is
    counted as lost. None of it raises: the first failure of a kind is logged as a warning,
    :meth:`close` says how many points were not saved.

    Args:
        experiment_id: whose points they are.
        send: makes a batch durable.
        ids: names the batches.
    """

    def __init__(
        self, experiment_id: ExperimentId, send: Callable[[ScalarBatch], None], ids: IdGenerator
    ) -> None:
        self._experiment_id = experiment_id
        self._send = send
        self._ids = ids
        self._rows: list[tuple[int, int, Mapping[str, float]]] = []
        self._points = 0
        self._unsent: deque[ScalarBatch] = deque()
        self._lost = 0
        self._warned_of: set[type[Exception]] = set()
        self._is_closing = False
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="tracker-run", daemon=True)
        self._thread.start()

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Takes the values of one step, as of now."""
        with self._changed:
            self._rows.append((step, time.time_ns() // 1000, values))
            self._points += len(values)
            if self._points >= FLUSH_POINTS:
                self._changed.notify()

    def flush(self) -> int:
        """Sends what there is; the number of points that still wait because the store is away."""
        with self._sending:
            with self._changed:
                rows, self._rows, self._points = self._rows, [], 0
            if rows:
                self._pack(rows)
            while self._unsent and self._sent(self._unsent[0]):
                pass
            return sum(map(len, self._unsent))

    def close(self) -> int:
        """Sends the rest, trying a few times; the number of points that were not saved."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()
        waiting = self.flush()
        for attempt in range(1, LAST_ATTEMPTS):
            if not waiting:
                break
            time.sleep(0.2 * attempt)
            waiting = self.flush()
        return waiting + self._lost

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._is_closing or self._points >= FLUSH_POINTS, timeout=FLUSH_SECONDS
                )
                if self._is_closing:
                    return
            waiting = self.flush()
            if waiting:  # do not spin on a store that is away while a full buffer keeps waking us
                time.sleep(FLUSH_SECONDS / 2)

    def _pack(self, rows: list[tuple[int, int, Mapping[str, float]]]) -> None:
        names, series, step, moment, value = columns_of_records(rows)
        try:
            batch = ScalarBatch(
                id=self._new_id(), experiment_id=self._experiment_id,
                names=names, series=series, step=step, time=moment, value=value,
            )  # fmt: skip
        except TrackerError as error:
            self._lost += len(value)
            self._warn(error)
            return
        self._unsent.extend(self._parts(batch, LARGEST_BATCH))

    def _sent(self, batch: ScalarBatch) -> bool:
        """Whether the first unsent batch has left its place: kept, in halves, or refused for good."""
        halves: list[ScalarBatch] = []
        try:
            self._send(batch)
        except (Unavailable, TooManyRequests) as error:
            self._warn(error)
            return False
        except TooLarge as error:
            if len(batch) > 1:
                halves = self._parts(batch, (len(batch) + 1) // 2)
            else:
                self._lose(batch, error)
        except Exception as error:  # whatever it is, it must not end the training
            self._lose(batch, error)
        self._unsent.popleft()
        self._unsent.extendleft(reversed(halves))
        return True

    def _parts(self, batch: ScalarBatch, size: int) -> list[ScalarBatch]:
        """The batch in parts of at most `size` points, each under an id of its own."""
        if len(batch) <= size:
            return [batch]
        starts = range(0, len(batch), size)
        return [batch.part(start, start + size, id=self._new_id()) for start in starts]

    def _new_id(self) -> BatchId:
        return BatchId(self._ids.new())

    def _lose(self, batch: ScalarBatch, error: Exception) -> None:
        self._lost += len(batch)
        self._warn(error)

    def _warn(self, error: Exception) -> None:
        if type(error) not in self._warned_of:
            self._warned_of.add(type(error))
            _log.warning("points of experiment %s cannot be saved now: %s", self._experiment_id, error)
