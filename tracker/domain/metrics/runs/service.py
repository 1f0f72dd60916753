"""Use cases of whole runs: experiments that come with their final values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.errors import Invalid
from tracker.domain.experiments.drafts.service import Draft, Warn, ignored, located
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import ExperimentId, MetricId, ProjectId
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.service import visible_project
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import WritingUnit

__all__ = ["RunService"]


class RunService:
    """Creates runs that happened elsewhere, many at once."""

    def __init__(self, experiments: ExperimentService, clock: Clock, ids: IdGenerator) -> None:
        self._experiments = experiments
        self._clock = clock
        self._ids = ids

    async def create_many(
        self, actor: Actor, project_id: ProjectId, drafts: Sequence[Draft], *, warn: Warn = ignored
    ) -> tuple[Experiment, ...]:
        """New experiments of the project with their final values, all or none.

        Args:
            actor: who adds them.
            project_id: to which project.
            drafts: as in :meth:`ExperimentService.create_many`, each with ``metrics`` if it has any:
                ``name``, ``value`` and perhaps ``step`` and ``label`` of each value.
            warn: told what is odd about each.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not add experiments to it, or not log values though there are some.
            Invalid: as there, or a value breaks a rule.
        """
        values = [draft.get("metrics") or () for draft in drafts]
        fields = [{name: value for name, value in draft.items() if name != "metrics"} for draft in drafts]

        async def log(unit: WritingUnit, experiments: Sequence[Experiment]) -> None:
            if any(values):
                await visible_project(unit, actor, project_id, Action.METRICS_CREATE)
                await unit.metrics.put(self._metrics(experiments, values))

        return await self._experiments.create_many(actor, project_id, fields, warn=warn, also=log)

    def _metrics(
        self, experiments: Sequence[Experiment], values: Sequence[Sequence[Mapping[str, Any]]]
    ) -> list[Metric]:
        now = self._clock.now()
        metrics = []
        for index, (experiment, logged) in enumerate(zip(experiments, values, strict=True)):
            for place, value in enumerate(logged):
                with located("experiments", index), located("metrics", place):
                    metrics.append(self._metric(experiment.id, value, created_at=now))
        return metrics

    def _metric(self, experiment_id: ExperimentId, value: Mapping[str, Any], **more: Any) -> Metric:
        for field in value.keys() - {"name", "value", "step", "label"}:
            raise Invalid.field(field, "is not a field of a final value")
        return Metric(id=MetricId(self._ids.new()), experiment_id=experiment_id, **value, **more)
