"""Sends together what is appended together."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from tracker.adapters.scalars.http.link import Link
from tracker.domain.errors import Conflict, Invalid, NotFound, TooManyRequests, TrackerError, Unavailable
from tracker.domain.ids import ProjectId
from tracker.domain.scalars.batch import ScalarBatch
from tracker.scalars_wire import batch_body

__all__ = ["GroupSend"]

_GROUP_BATCHES, _GROUP_POINTS = 1024, 500_000
_WAITING_BATCHES, _WAITING_POINTS = 4096, 8_000_000
_KINDS: dict[str, type[TrackerError]] = {
    kind.code: kind for kind in (Conflict, Invalid, NotFound, TooManyRequests, Unavailable)
}


class GroupSend:
    """The batches of one project that wait to be sent.

    One request is on its way at a time; the next one takes all that came meanwhile. A request for
    each of a hundred runs that log at once would cost many times as much as the points in it.
    """

    def __init__(self, link: Link, project_id: ProjectId) -> None:
        self._link = link
        self._path = f"/store/{project_id}/append"
        self._waiting: deque[tuple[ScalarBatch, asyncio.Future[None]]] = deque()
        self._points = 0
        self._sending: asyncio.Task[None] | None = None

    async def append(self, batch: ScalarBatch) -> None:
        """Returns when the service has kept the batch.

        Raises:
            TooManyRequests: too much waits already.
            TrackerError: what the service says of this batch, or ``Unavailable`` when it says nothing.
        """
        full = self._points + len(batch) > _WAITING_POINTS or len(self._waiting) >= _WAITING_BATCHES
        if self._waiting and full:
            raise TooManyRequests("too many batches wait for the scalars service", retry_after=0.5)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, future))
        self._points += len(batch)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        await future

    async def finish(self) -> None:
        """Returns when nothing waits any more."""
        if self._sending is not None:
            await self._sending

    async def _send_all(self) -> None:
        try:
            while group := self._take():
                answers = await self._answers([batch for batch, _ in group])
                for (_, future), answer in zip(group, answers, strict=True):
                    _resolve(future, answer)
        finally:
            self._sending = None

    def _take(self) -> list[tuple[ScalarBatch, asyncio.Future[None]]]:
        group: list[tuple[ScalarBatch, asyncio.Future[None]]] = []
        points = 0
        while self._waiting and len(group) < _GROUP_BATCHES:
            batch, future = self._waiting[0]
            if group and points + len(batch) > _GROUP_POINTS:
                break
            self._waiting.popleft()
            self._points -= len(batch)
            if not future.done():  # else the caller has gone
                group.append((batch, future))
                points += len(batch)
        return group

    async def _answers(self, batches: list[ScalarBatch]) -> list[Exception | None]:
        body = {"batches": [{"experiment_id": b.experiment_id.bytes, **batch_body(b)} for b in batches]}
        try:
            self._link.breaker.require_closed()  # what queued up before it opened need not wait for it
            answer = await self._link.post(self._path, body, writes=True)
            with self._link.legible():
                return [_error(each) for _, each in zip(batches, answer["answers"], strict=True)]
        except Exception as error:
            return [error] * len(batches)


def _error(answer: Any) -> Exception | None:
    """What the service says of one batch; ``None`` = it is kept."""
    if answer["status"] == "logged":
        return None
    detail, kind = str(answer["detail"]), _KINDS.get(answer["code"], Unavailable)
    if kind is TooManyRequests or kind is Unavailable:
        return kind(detail, float(answer["retry_after"]))
    return kind(detail)


def _resolve(future: asyncio.Future[None], answer: Exception | None) -> None:
    if future.done():
        return
    if answer is None:
        future.set_result(None)
    else:
        future.set_exception(answer)
