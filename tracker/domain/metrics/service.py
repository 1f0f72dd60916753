"""Use cases of final values."""

from __future__ import annotations

from tracker.domain.experiments.service import visible_experiment
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import ExperimentId, MetricId, ProjectId
from tracker.domain.metrics.aggregation import ExperimentMetric, table
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.service import visible_project
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["MetricService"]


class MetricService:
    """Logs final values and tells which of them count."""

    def __init__(self, units: UnitsOfWork, clock: Clock, ids: IdGenerator) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids

    async def log(
        self,
        actor: Actor,
        experiment_id: ExperimentId,
        name: str,
        value: float,
        *,
        step: int = 0,
        label: str | None = None,
    ) -> Metric:
        """Keeps a value; the same experiment, name, label and step again replaces it.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
            Forbidden: they may not log to it.
            Invalid: a field breaks a rule, such as a value that is not finite.
        """
        metric = Metric(
            id=MetricId(self._ids.new()),
            experiment_id=experiment_id,
            name=name,
            value=value,
            step=step,
            label=label,
            created_at=self._clock.now(),
        )
        async with self._units.writing() as unit:
            await visible_experiment(unit, actor, experiment_id, Action.METRICS_CREATE)
            (kept,) = await unit.metrics.put([metric])
            await unit.commit()
        return kept

    async def of_experiment(self, actor: Actor, experiment_id: ExperimentId) -> tuple[Metric, ...]:
        """All values of an experiment by (name, label, step).

        Raises:
            NotFound: there is no such experiment that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_experiment(unit, actor, experiment_id, Action.METRICS_VIEW)
            return await unit.metrics.of_experiment(experiment_id)

    async def table(self, actor: Actor, project_id: ProjectId) -> tuple[ExperimentMetric, ...]:
        """The value that counts for each experiment and tracked metric that has one.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            project = await visible_project(unit, actor, project_id, Action.METRICS_VIEW)
            return table(project.metrics, await unit.metrics.of_project(project_id))
