"""Projects and their dashboard."""

from __future__ import annotations

from typing import Any

from tracker.domain.experiments.service import ExperimentService
from tracker.domain.hypotheses.service import HypothesisService
from tracker.domain.ids import ProjectId
from tracker.domain.metrics.service import MetricService
from tracker.domain.projects.project import Project
from tracker.domain.projects.service import ProjectDetail, ProjectService

from ..exchange import Call
from ..schemas.answers import DeletedOut, NoQuery
from ..schemas.experiments import ExperimentOut, NameQuery
from ..schemas.hypotheses import HypothesisOut, hypothesis_out
from ..schemas.lineage import GraphOut, NameCheckOut, graph_out, name_check_out
from ..schemas.metrics import ProjectMetricOut, project_metric_out
from ..schemas.projects import ProjectCreate, ProjectEdit, ProjectOut, StatsOut, project_out, stats_out
from .experiments import experiments_out

__all__ = ["Projects"]


class Projects:
    """``/api/projects`` and what hangs below one project."""

    def __init__(
        self,
        projects: ProjectService,
        experiments: ExperimentService,
        metrics: MetricService,
        hypotheses: HypothesisService,
    ) -> None:
        self._projects = projects
        self._experiments = experiments
        self._metrics = metrics
        self._hypotheses = hypotheses

    async def index(self, call: Call[None, NoQuery]) -> list[ProjectOut]:
        """All that the actor may see."""
        found = await self._projects.list(call.actor)
        return [project_out(detail) for detail in await self._projects.describe(found)]

    async def create(self, call: Call[ProjectCreate, NoQuery]) -> ProjectOut:
        """A new one, or the one that is there."""
        changes = call.body.changes()
        before = await self._projects.list(call.actor, name=call.body.name) if call.body.exist_ok else ()
        project = await self._projects.create(call.actor, **changes)
        if any(project.id == each.id for each in before):
            call.status = 200
        return project_out(await self._detail(call, project))

    async def show(self, call: Call[None, NoQuery]) -> ProjectOut:
        """One."""
        return project_out(await self._named(call))

    async def edit(self, call: Call[ProjectEdit, NoQuery]) -> ProjectOut:
        """One after changes."""
        project = await self._projects.edit(call.actor, _id(call), **call.body.changes())
        return project_out(await self._detail(call, project))

    async def delete(self, call: Call[None, NoQuery]) -> DeletedOut:
        """Removes one with everything in it."""
        await self._projects.delete(call.actor, _id(call))
        return {"success": True}

    async def experiments(self, call: Call[None, NoQuery]) -> list[ExperimentOut]:
        """Its experiments in their order."""
        found = await self._experiments.list(call.actor, _id(call))
        return await experiments_out(self._experiments, call.actor, found)

    async def graph(self, call: Call[None, NoQuery]) -> GraphOut:
        """What came from what in it."""
        return graph_out(await self._experiments.graph(call.actor, _id(call)))

    async def check_name(self, call: Call[None, NameQuery]) -> NameCheckOut:
        """What creating an experiment of this name would do."""
        return name_check_out(await self._experiments.check_name(call.actor, _id(call), call.query.name))

    async def hypotheses(self, call: Call[None, NoQuery]) -> list[HypothesisOut]:
        """Its hypotheses with their verdicts, oldest first."""
        return [hypothesis_out(each) for each in await self._hypotheses.list(call.actor, _id(call))]

    async def metrics(self, call: Call[None, NoQuery]) -> list[ProjectMetricOut]:
        """The value that counts for each experiment and tracked metric."""
        return [project_metric_out(row) for row in await self._metrics.table(call.actor, _id(call))]

    async def stats(self, call: Call[None, NoQuery]) -> StatsOut:
        """The numbers of its dashboard."""
        detail = await self._named(call)
        return stats_out(detail, await self._hypotheses.counts(call.actor, detail.project.id))

    async def _named(self, call: Call[None, NoQuery]) -> ProjectDetail:
        return await self._detail(call, await self._projects.get(call.actor, _id(call)))

    async def _detail(self, call: Call[Any, NoQuery], project: Project) -> ProjectDetail:
        (detail,) = await self._projects.describe([project])
        return detail


def _id(call: Call[Any, Any]) -> ProjectId:
    return ProjectId(call.path["project_id"])
