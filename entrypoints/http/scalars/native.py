"""The routes that our own client uses: the port over HTTP, bit for bit."""

from __future__ import annotations

import asyncio
from typing import Any

from tracker.domain.errors import TooManyRequests, TrackerError, Unavailable
from tracker.domain.ids import ProjectId
from tracker.domain.scalars.series import SampleQuery, TimeWindow
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.scalars import ScalarStore
from tracker.scalars_wire import faults_body, sampled_body, series_body, summaries_body, tags_body

from ..exchange import Call
from ..schemas.answers import NoQuery
from .schemas import (
    Answer,
    Answers,
    AppendIn,
    BranchIn,
    DeleteIn,
    EmptyIn,
    MaintainIn,
    Nothing,
    OneIn,
    ProtocolOut,
    ReadIn,
    SampleIn,
    SinceIn,
    SummaryIn,
    TagsIn,
    TopIn,
)

__all__ = ["Native"]

_DONE: Nothing = {"status": "ok"}
Body = dict[str, Any]


class Native:
    """``/api/store``: a :class:`~tracker.ports.scalars.ScalarStore`, method by method."""

    def __init__(self, store: ScalarStore, clock: Clock, ids: IdGenerator) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def protocol(self, call: Call[None, NoQuery]) -> ProtocolOut:
        """Tells a client that these routes are here."""
        return {"protocol": "tracker-store", "version": 1, "branches": True}

    async def append(self, call: Call[AppendIn, NoQuery]) -> Answers:
        """Keeps batches; the same id again changes nothing."""
        now, project_id = self._clock.now(), _project(call)
        batches = [
            each.batch(each.experiment_id, now=now, new_id=self._ids.new) for each in call.body.batches
        ]
        kept = (self._store.append(project_id, batch) for batch in batches)
        errors = await asyncio.gather(*kept, return_exceptions=True)
        return {"answers": [_answer(error) for error in errors]}

    async def read(self, call: Call[ReadIn, NoQuery]) -> Body:
        """Points of one series."""
        asked = call.body
        start, stop = asked.first_step, _behind(asked.last_step)
        series = await self._store.read(
            _project(call), asked.experiment_id, asked.name, start=start, stop=stop
        )
        return series_body(series)

    async def sample(self, call: Call[SampleIn, NoQuery]) -> Body:
        """Thinned series."""
        asked = call.body
        query = SampleQuery(
            experiments=tuple(asked.experiments),
            names=None if asked.names is None else tuple(asked.names),
            max_points=asked.max_points,
            axis=asked.axis,
            start=asked.steps[0],
            stop=_behind(asked.steps[1]),
            window=TimeWindow(start=asked.window[0], stop=asked.window[1]),
        )
        found = await self._store.sample(_project(call), query)
        return {"series": [sampled_body(each) for each in found]}

    async def since(self, call: Call[SinceIn, NoQuery]) -> Body:
        """What is new."""
        asked = call.body
        news = await self._store.since(_project(call), asked.experiment_id, asked.cursor, names=asked.names)
        return {"series": [series_body(each) for each in news.series], "cursor": news.cursor}

    async def summary(self, call: Call[SummaryIn, NoQuery]) -> Body:
        """Summary rows."""
        asked = call.body
        return summaries_body(await self._store.summary(_project(call), asked.experiments, asked.names))

    async def top(self, call: Call[TopIn, NoQuery]) -> Body:
        """The best series of a name."""
        asked = call.body
        found = await self._store.top(
            _project(call), asked.name, by=asked.by, k=asked.k, descending=asked.descending
        )
        return summaries_body(found)

    async def tags(self, call: Call[TagsIn, NoQuery]) -> Body:
        """Tags of an experiment."""
        start, stop = call.body.window
        found = await self._store.tags(
            _project(call), call.body.experiment_id, TimeWindow(start=start, stop=stop)
        )
        return {"tags": tags_body(found)}

    async def branch(self, call: Call[BranchIn, NoQuery]) -> Nothing:
        """Moves points from a step on to another experiment; done before, nothing changes."""
        asked = call.body
        await self._store.branch(_project(call), asked.experiment_id, step=asked.step, into=asked.into)
        return _DONE

    async def delete(self, call: Call[DeleteIn, NoQuery]) -> Nothing:
        """Removes an experiment's points, or a project's."""
        await self._store.delete(_project(call), call.body.experiment_id)
        return _DONE

    async def settle(self, call: Call[OneIn, NoQuery]) -> Nothing:
        """An experiment has ended."""
        await self._store.settle(_project(call), call.body.experiment_id)
        return _DONE

    async def stats(self, call: Call[EmptyIn, NoQuery]) -> Body:
        """What a project takes."""
        return (await self._store.stats(_project(call)))._asdict()

    async def verify(self, call: Call[EmptyIn, NoQuery]) -> Body:
        """What is not as it was written."""
        return {"faults": faults_body(await self._store.verify(_project(call)))}

    async def maintain(self, call: Call[MaintainIn, NoQuery]) -> Nothing:
        """Makes later reads faster and files smaller."""
        await self._store.maintain(call.body.budget)
        return _DONE

    async def check(self, call: Call[None, NoQuery]) -> Nothing:
        """Whether the store would accept an append."""
        await self._store.check()
        return _DONE


def _answer(error: BaseException | None) -> Answer:
    if error is None:
        return {"status": "logged"}
    if not isinstance(error, TrackerError):
        raise error
    retry_after = error.retry_after if isinstance(error, TooManyRequests | Unavailable) else 0.0
    return {"status": "refused", "code": error.code, "detail": error.detail, "retry_after": retry_after}


def _behind(last: int | None) -> int | None:
    return None if last is None else last + 1


def _project(call: Call[Any, Any]) -> ProjectId:
    return ProjectId(call.path["project_id"])
