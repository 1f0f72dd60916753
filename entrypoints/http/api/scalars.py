"""Time series."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.record import LoggedRow, batch_of
from tracker.domain.scalars.service import ScalarService
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator

from ..exchange import Call
from ..schemas.answers import NoQuery
from ..schemas.columns import AppendedOut, ColumnsIn
from ..schemas.scalar_queries import ExperimentScalarsQuery, ProjectScalarsQuery, SummaryQuery, TopQuery
from ..schemas.scalars import (
    LastLoggedIn,
    LastLoggedOut,
    LoggedOut,
    ScalarsBatchIn,
    ScalarsLogIn,
    ScalarsOut,
    SummaryOut,
    summary_row,
)
from .curves import at_most, is_known, require_place_for_tags, shown

__all__ = ["Scalars"]

_LOGGED: LoggedOut = {"status": "logged"}


class Scalars:
    """``/api/scalars``."""

    def __init__(self, scalars: ScalarService, clock: Clock, ids: IdGenerator) -> None:
        self._scalars = scalars
        self._clock = clock
        self._ids = ids

    async def log(self, call: Call[ScalarsLogIn, NoQuery]) -> LoggedOut:
        """Keeps the values of one step."""
        return await self._keep(call, [call.body.row()])

    async def log_batch(self, call: Call[ScalarsBatchIn, NoQuery]) -> LoggedOut:
        """Keeps the values of many steps, or none."""
        return await self._keep(call, [each.row() for each in call.body.scalars])

    async def append(self, call: Call[ColumnsIn, NoQuery]) -> AppendedOut:
        """Keeps columns of points, or none."""
        batch = call.body.batch(_experiment(call), now=self._clock.now(), new_id=self._ids.new)
        await self._scalars.append(call.actor, batch)
        return {"status": "logged", "points": len(batch)}

    async def get(self, call: Call[None, ExperimentScalarsQuery]) -> ScalarsOut | bytes | None:
        """The curves of one experiment, or what is new."""
        asked, experiment_id = call.query, _experiment(call)
        if asked.since is not None:
            return await self._news(call, asked.since or None)
        require_place_for_tags(call)
        rows = await self._scalars.summary_of(call.actor, experiment_id, asked.name or None)
        tags = await self._tags(call, [experiment_id])
        if is_known(call, rows, tags):
            return None
        cursor = None
        if asked.return_cursor:
            cursor = (await self._scalars.since(call.actor, experiment_id, names=())).cursor
        series = await self._scalars.sample_experiment(
            call.actor, experiment_id, asked.sample([experiment_id], at_most=at_most(call))
        )
        return shown(call, series, tags, cursor=cursor, experiments=[experiment_id])

    async def get_project(self, call: Call[None, ProjectScalarsQuery]) -> ScalarsOut | bytes | None:
        """The curves of a project's experiments."""
        asked = call.query
        require_place_for_tags(call)
        chosen = [ExperimentId(each) for each in asked.experiment_id]
        rows = await self._scalars.summary(call.actor, _project(call), chosen or None, asked.name or None)
        tags = await self._tags(call, dict.fromkeys(row.experiment_id for row in rows))
        if is_known(call, rows, tags):
            return None
        series = await self._scalars.sample(
            call.actor, _project(call), asked.sample(chosen, at_most=at_most(call))
        )
        return shown(call, series, tags)

    async def _news(self, call: Call[None, ExperimentScalarsQuery], cursor: str | None) -> ScalarsOut | bytes:
        names = call.query.name or None
        news = await self._scalars.since(call.actor, _experiment(call), cursor, names=names)
        return shown(call, news.series, {}, cursor=news.cursor, experiments=[_experiment(call)])

    async def top(self, call: Call[None, TopQuery]) -> SummaryOut:
        """The best series of a name."""
        asked = call.query
        found = await self._scalars.top(
            call.actor, _project(call), asked.name, by=asked.by, k=asked.k, descending=asked.descending
        )
        return {"data": [summary_row(row) for row in found]}

    async def summary(self, call: Call[None, SummaryQuery]) -> SummaryOut:
        """One row for each series of a project."""
        experiments = [ExperimentId(each) for each in call.query.experiment_id] or None
        found = await self._scalars.summary(call.actor, _project(call), experiments, call.query.name or None)
        return {"data": [summary_row(row) for row in found]}

    async def last_logged(self, call: Call[LastLoggedIn, NoQuery]) -> LastLoggedOut:
        """When experiments last got a point."""
        asked = call.body.experiment_ids
        experiments = None if asked is None else [ExperimentId(each) for each in asked]
        latest = await self._scalars.last_logged(call.actor, _project(call), experiments)
        return {"data": [{"experiment_id": key, "last_modified": at} for key, at in latest.items()]}

    async def _keep(
        self, call: Call[ScalarsLogIn, NoQuery] | Call[ScalarsBatchIn, NoQuery], rows: list[LoggedRow]
    ) -> LoggedOut:
        batch = batch_of(
            rows,
            batch_id=call.body.batch_id or BatchId(self._ids.new()),
            experiment_id=_experiment(call),
            now=self._clock.now(),
        )
        await self._scalars.append(call.actor, batch)
        return _LOGGED

    async def _tags(
        self, call: Call[None, Any], experiments: Iterable[ExperimentId]
    ) -> dict[ExperimentId, tuple[StepTags, ...]]:
        if not call.query.return_tags:
            return {}
        window = call.query.window()
        return {key: await self._scalars.tags(call.actor, key, window) for key in experiments}


def _experiment(call: Call[Any, Any]) -> ExperimentId:
    return ExperimentId(call.path["experiment_id"])


def _project(call: Call[Any, Any]) -> ProjectId:
    return ProjectId(call.path["project_id"])
