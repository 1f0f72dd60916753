"""Commits together what arrives together."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Mapping

from tracker.adapters.scalars.postgres.connections import Connections
from tracker.adapters.scalars.postgres.folding import fold
from tracker.adapters.scalars.postgres.writing import Committed, commit
from tracker.domain.errors import TooManyRequests
from tracker.domain.ids import ProjectId
from tracker.domain.scalars.batch import ScalarBatch

__all__ = ["GroupCommit", "KnownNumbers"]

_log = logging.getLogger("tracker.scalars")

_BATCHES = 4096
_GROUP_BATCHES = 1024
_GROUP_POINTS = 2_000_000
_NAMES = 500_000


class KnownNumbers(OrderedDict[int, Mapping[str, int]]):
    """The numbers of names of the experiments that were written last, by experiment key."""

    _names = 0

    def learn(self, numbers: Mapping[int, Mapping[str, int]]) -> None:
        """Takes in what a committed transaction knows, and forgets what was not used for longest."""
        for key, names in numbers.items():
            self._names += len(names) - len(self.get(key, ()))
            self[key] = names
            self.move_to_end(key)
        while self._names > _NAMES and len(self) > 1:
            self._names -= len(self.popitem(last=False)[1])


class GroupCommit:
    """The batches that wait for one project.

    At most one task at a time writes: it takes all that waits, commits it as one transaction, and
    only then answers each caller. What arrives meanwhile is the next group.
    """

    def __init__(
        self, connections: Connections, project_id: ProjectId, known: KnownNumbers, queue_points: int
    ) -> None:
        self._connections = connections
        self._project_id = project_id
        self._known = known
        self._room = queue_points
        self._waiting: deque[tuple[ScalarBatch, asyncio.Future[None]]] = deque()
        self._points = 0
        self._task: asyncio.Task[None] | None = None
        self._long_tails: set[int] = set()
        self._folding: asyncio.Task[None] | None = None

    async def append(self, batch: ScalarBatch) -> None:
        """Returns when the batch is durable.

        Raises:
            NotFound: its experiment or project was deleted.
            TooManyRequests: too much waits already.
            Unavailable: PostgreSQL does not answer.
        """
        if self._waiting and (self._points + len(batch) > self._room or len(self._waiting) >= _BATCHES):
            raise TooManyRequests(f"too many points wait for project {self._project_id}", retry_after=0.5)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, future))
        self._points += len(batch)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        await future

    async def finish(self) -> None:
        """Returns when nothing waits and nothing is folded any more."""
        if self._task is not None:
            await asyncio.wait([self._task])
        if self._folding is not None:
            await asyncio.wait([self._folding])

    async def _drain(self) -> None:
        while group := self._take():
            try:
                done = await self._commit([batch for batch, _ in group])
                answers: list[Exception | None] = list(done.answers)
                self._long_tails.update(done.long_tails)
            except Exception as error:  # whatever it is, each caller hears of it
                answers = [error] * len(group)
            for (_, future), answer in zip(group, answers, strict=True):
                _resolve(future, answer)
            if self._long_tails and (self._folding is None or self._folding.done()):
                self._folding = asyncio.create_task(self._fold())

    def _take(self) -> list[tuple[ScalarBatch, asyncio.Future[None]]]:
        """What waits and was not cancelled; nothing only when nothing waits any more."""
        group: list[tuple[ScalarBatch, asyncio.Future[None]]] = []
        points = 0
        while self._waiting and len(group) < _GROUP_BATCHES and points < _GROUP_POINTS:
            batch, future = self._waiting.popleft()
            self._points -= len(batch)
            if not future.done():
                group.append((batch, future))
                points += len(batch)
        return group

    async def _commit(self, group: list[ScalarBatch]) -> Committed:
        done = await self._connections.writing(
            lambda connection: commit(connection, self._project_id, group, self._known)
        )
        self._known.learn(done.numbers)
        return done

    async def _fold(self) -> None:
        try:
            while self._long_tails:
                await fold(self._connections, self._long_tails.pop())
        except Exception:
            # Nobody waits for it: the points are safe in the tail, and the next append or maintenance
            # folds them.
            _log.warning("a tail of project %s could not be folded now", self._project_id, exc_info=True)


def _resolve(future: asyncio.Future[None], answer: Exception | None) -> None:
    if future.done():  # its caller went away
        return
    if answer is None:
        future.set_result(None)
    else:
        future.set_exception(answer)
