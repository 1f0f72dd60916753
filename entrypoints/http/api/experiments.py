"""Experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.heartbeats.service import HeartbeatService
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.runs.service import RunService

from ..exchange import Call
from ..schemas.answers import DeletedOut, NoQuery
from ..schemas.experiments import (
    BulkCreate,
    ExperimentCreate,
    ExperimentEdit,
    ExperimentOut,
    RecentQuery,
    Reorder,
    experiment_out,
)

__all__ = ["Experiments", "experiments_out"]


async def experiments_out(
    service: ExperimentService, actor: Actor, experiments: Sequence[Experiment]
) -> list[ExperimentOut]:
    """Experiments as the API shows them, each compared with its parent; one query for all parents."""
    parents = await service.parents(actor, experiments)
    return [
        experiment_out(each, parents.get(each.parent_id) if each.parent_id else None) for each in experiments
    ]


class Warnings:
    """What was odd about new experiments."""

    def __init__(self) -> None:
        self._texts: dict[ExperimentId, list[str]] = {}

    def __call__(self, experiment_id: ExperimentId, text: str) -> None:
        """Takes one."""
        self._texts.setdefault(experiment_id, []).append(text)

    def put_on(self, shown: ExperimentOut) -> ExperimentOut:
        """The answer about an experiment with its warnings, if there are any."""
        texts = self._texts.get(ExperimentId(shown["id"]))
        return shown if texts is None else {**shown, "warnings": texts}


class Experiments:
    """``/api/experiments``."""

    def __init__(
        self, experiments: ExperimentService, runs: RunService, heartbeats: HeartbeatService
    ) -> None:
        self._experiments = experiments
        self._runs = runs
        self._heartbeats = heartbeats

    async def create(self, call: Call[ExperimentCreate, NoQuery]) -> ExperimentOut:
        """A new one."""
        fields = call.body.changes()
        project_id = ProjectId(fields.pop("project_id"))
        warnings = Warnings()
        made = await self._experiments.create(call.actor, project_id, warn=warnings, **fields)
        return warnings.put_on(await self._shown(call, made))

    async def create_many(self, call: Call[BulkCreate, NoQuery]) -> list[ExperimentOut]:
        """New ones with their final values, all or none."""
        drafts = [draft.changes() for draft in call.body.experiments]
        warnings = Warnings()
        made = await self._runs.create_many(
            call.actor, ProjectId(call.body.project_id), drafts, warn=warnings
        )
        return [warnings.put_on(each) for each in await experiments_out(self._experiments, call.actor, made)]

    async def recent(self, call: Call[None, RecentQuery]) -> list[ExperimentOut]:
        """The newest."""
        project_id = None if call.query.projectId is None else ProjectId(call.query.projectId)
        found = await self._experiments.recent(call.actor, project_id=project_id, limit=call.query.limit)
        return await experiments_out(self._experiments, call.actor, found)

    async def show(self, call: Call[None, NoQuery]) -> ExperimentOut:
        """One."""
        return await self._shown(call, await self._experiments.get(call.actor, _id(call)))

    async def edit(self, call: Call[ExperimentEdit, NoQuery]) -> ExperimentOut:
        """One after changes."""
        changed = await self._experiments.edit(call.actor, _id(call), **call.body.changes())
        return await self._shown(call, changed)

    async def beat(self, call: Call[None, NoQuery]) -> None:
        """Takes a heartbeat."""
        await self._heartbeats.beat(call.actor, _id(call))

    async def delete(self, call: Call[None, NoQuery]) -> DeletedOut:
        """Removes one with its metrics and scalars."""
        await self._experiments.delete(call.actor, _id(call))
        return {"success": True}

    async def reorder(self, call: Call[Reorder, NoQuery]) -> list[ExperimentOut]:
        """A project's experiments after those named were put first."""
        ids = [ExperimentId(each) for each in call.body.experiment_ids]
        ordered = await self._experiments.reorder(call.actor, ProjectId(call.body.project_id), ids)
        return await experiments_out(self._experiments, call.actor, ordered)

    async def _shown(self, call: Call[Any, NoQuery], experiment: Experiment) -> ExperimentOut:
        if experiment.parent_id is None:
            return experiment_out(experiment, None)
        (shown,) = await experiments_out(self._experiments, call.actor, [experiment])
        return shown


def _id(call: Call[Any, NoQuery]) -> ExperimentId:
    return ExperimentId(call.path["experiment_id"])
