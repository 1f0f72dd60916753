"""Time series."""

from __future__ import annotations

from typing import Any

from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.series import SampleQuery
from tracker.domain.scalars.service import ScalarService

from ..exchange import Call
from ..schemas.answers import NoQuery
from ..schemas.scalars import (
    ExperimentScalarsOut,
    LastLoggedIn,
    LastLoggedOut,
    LoggedOut,
    ProjectScalarsQuery,
    ScalarsBatchIn,
    ScalarsLogIn,
    ScalarsOut,
    ScalarsQuery,
    SummaryOut,
    SummaryQuery,
    experiment_scalars,
    summary_row,
    tags_out,
)

__all__ = ["Scalars"]

_LOGGED: LoggedOut = {"status": "logged"}


class Scalars:
    """``/api/scalars``."""

    def __init__(self, scalars: ScalarService) -> None:
        self._scalars = scalars

    async def log(self, call: Call[ScalarsLogIn, NoQuery]) -> LoggedOut:
        """Keeps the values of one step."""
        await self._scalars.log(
            call.actor, _experiment(call), [call.body.record()], batch_id=call.body.batch_id
        )
        return _LOGGED

    async def log_batch(self, call: Call[ScalarsBatchIn, NoQuery]) -> LoggedOut:
        """Keeps the values of many steps, or none."""
        records = [each.record() for each in call.body.scalars]
        await self._scalars.log(call.actor, _experiment(call), records, batch_id=call.body.batch_id)
        return _LOGGED

    async def get(self, call: Call[None, ScalarsQuery]) -> ScalarsOut:
        """The curves of one experiment."""
        experiment_id = _experiment(call)
        series = await self._scalars.sample_experiment(
            call.actor, experiment_id, max_points=call.query.max_points, window=call.query.window()
        )
        empty: ExperimentScalarsOut = {"experiment_id": experiment_id, "scalars": {}}
        found = experiment_scalars(series, times=call.query.return_times).get(experiment_id, empty)
        return {"data": await self._tagged(call, [found])}

    async def get_project(self, call: Call[None, ProjectScalarsQuery]) -> ScalarsOut:
        """The curves of a project's experiments."""
        query = SampleQuery(
            experiments=tuple(ExperimentId(each) for each in call.query.experiment_id),
            max_points=call.query.max_points,
            window=call.query.window(),
        )
        series = await self._scalars.sample(call.actor, _project(call), query)
        found = experiment_scalars(series, times=call.query.return_times)
        return {"data": await self._tagged(call, list(found.values()))}

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

    async def _tagged(
        self, call: Call[Any, ScalarsQuery] | Call[Any, ProjectScalarsQuery], data: list[ExperimentScalarsOut]
    ) -> list[ExperimentScalarsOut]:
        if call.query.return_tags:
            window = call.query.window()
            for entry in data:
                tags = await self._scalars.tags(call.actor, ExperimentId(entry["experiment_id"]), window)
                entry["tags"] = tags_out(tags)
        return data


def _experiment(call: Call[Any, Any]) -> ExperimentId:
    return ExperimentId(call.path["experiment_id"])


def _project(call: Call[Any, Any]) -> ProjectId:
    return ProjectId(call.path["project_id"])
