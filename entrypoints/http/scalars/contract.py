"""The routes that every scalars service has."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.record import LoggedRow, batch_of
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.scalars import ScalarStore

from ..exchange import Call
from ..schemas.answers import NoQuery
from ..schemas.scalar_queries import MOST_JSON
from ..schemas.scalars import (
    LastLoggedIn,
    LastLoggedOut,
    LastLoggedRow,
    LoggedOut,
    ScalarsBatchIn,
    ScalarsLogIn,
    ScalarsOut,
    experiment_scalars,
    moment_of,
    tags_out,
)
from .projects import AnnouncedProjects
from .schemas import CurvesQuery, ExistsOut, ExperimentRow, MessageOut, ProjectIn, ProjectOut

__all__ = ["Contract"]

_LOGGED: LoggedOut = {"status": "logged"}


class Contract:
    """``/api/projects`` and ``/api/scalars`` of the scalars service."""

    def __init__(self, store: ScalarStore, clock: Clock, ids: IdGenerator) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._projects = AnnouncedProjects(store)

    async def create(self, call: Call[ProjectIn, NoQuery]) -> ProjectOut:
        """Keeps scalars of a project from now on."""
        await self._projects.create(ProjectId(call.body.project_id))
        return _named(call.body.project_id)

    async def exists(self, call: Call[None, NoQuery]) -> ExistsOut:
        """Whether it does so."""
        exists = await self._projects.exists(_project(call))
        return {**_named(_project(call)), "exists": exists}

    async def experiments(self, call: Call[None, NoQuery]) -> list[ExperimentRow]:
        """The experiments that have points."""
        return [{"experiment_id": key} for key in await self._having_points(_project(call))]

    async def delete(self, call: Call[None, NoQuery]) -> MessageOut:
        """Removes a project with its points."""
        await self._projects.delete(_project(call))
        return {"message": f"project {_project(call)} is deleted"}

    async def log(self, call: Call[ScalarsLogIn, NoQuery]) -> LoggedOut:
        """Keeps the values of one step."""
        return await self._keep(call, [call.body.row()])

    async def log_batch(self, call: Call[ScalarsBatchIn, NoQuery]) -> LoggedOut:
        """Keeps the values of many steps, or none."""
        return await self._keep(call, [each.row() for each in call.body.scalars])

    async def get(self, call: Call[None, CurvesQuery]) -> ScalarsOut:
        """Curves of a project's experiments; of all when none is named."""
        project_id, asked = _project(call), call.query
        await self._projects.require(project_id)
        experiments = asked.experiment_id or [
            row.experiment_id for row in await self._store.summary(project_id)
        ]
        query = asked.sample(experiments, at_most=None if asked.sampling == "all" else MOST_JSON)
        found = experiment_scalars(await self._store.sample(project_id, query), times=asked.return_times)
        if asked.return_tags:
            for key, entry in found.items():
                entry["tags"] = tags_out(await self._store.tags(project_id, key, asked.window()))
        return {"data": list(found.values())}

    async def last_logged(self, call: Call[LastLoggedIn, NoQuery]) -> LastLoggedOut:
        """When experiments last got a point."""
        await self._projects.require(_project(call))
        asked = call.body.experiment_ids
        experiments = None if asked is None else [ExperimentId(each) for each in asked]
        latest: dict[ExperimentId, int] = {}
        for row in await self._store.summary(_project(call), experiments):
            latest[row.experiment_id] = max(row.modified, latest.get(row.experiment_id, row.modified))
        data: list[LastLoggedRow] = [
            {"experiment_id": key, "last_modified": moment_of(at)} for key, at in latest.items()
        ]
        return {"data": data}

    async def _having_points(self, project_id: ProjectId) -> list[UUID]:
        return list(dict.fromkeys(row.experiment_id for row in await self._store.summary(project_id)))

    async def _keep(
        self, call: Call[ScalarsLogIn, NoQuery] | Call[ScalarsBatchIn, NoQuery], rows: list[LoggedRow]
    ) -> LoggedOut:
        await self._projects.require(_project(call))
        batch = batch_of(
            rows,
            batch_id=call.body.batch_id or BatchId(self._ids.new()),
            experiment_id=ExperimentId(call.path["experiment_id"]),
            now=self._clock.now(),
        )
        if len(batch) or batch.tags:
            await self._store.append(_project(call), batch)
        return _LOGGED


def _project(call: Call[Any, Any]) -> ProjectId:
    return ProjectId(call.path["project_id"])


def _named(project_id: UUID) -> ProjectOut:
    """The name stands for the project; no table need be called so."""
    return {"table_name": f"scalars_{project_id.hex}", "project_id": project_id}
