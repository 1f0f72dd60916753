"""Resumed runs."""

from __future__ import annotations

from typing import Any

from tracker.domain.experiments.service import ExperimentService
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.branches.service import BranchService

from ..exchange import Call
from ..schemas.answers import NoQuery
from ..schemas.branches import BranchOut, Resume, branch_out
from ..schemas.experiments import ExperimentOut
from .experiments import experiments_out

__all__ = ["Branches"]


class Branches:
    """``/api/experiments/{experiment_id}/resume`` and ``/branches``."""

    def __init__(self, branches: BranchService, experiments: ExperimentService) -> None:
        self._branches = branches
        self._experiments = experiments

    async def resume(self, call: Call[Resume, NoQuery]) -> ExperimentOut:
        """Runs it again."""
        resumed = await self._branches.resume(call.actor, _id(call), step=call.body.step)
        (shown,) = await experiments_out(self._experiments, call.actor, [resumed])
        return shown

    async def index(self, call: Call[None, NoQuery]) -> list[BranchOut]:
        """What it left behind."""
        return [branch_out(each) for each in await self._branches.list(call.actor, _id(call))]


def _id(call: Call[Any, NoQuery]) -> ExperimentId:
    return ExperimentId(call.path["experiment_id"])
