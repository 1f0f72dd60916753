"""The area of final values in process."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.areas import Id, uuid_of, word_of
from tracker.domain.comparison.importance import Importance, Method
from tracker.domain.comparison.importances.service import ImportanceService
from tracker.domain.comparison.matrix import Matrix
from tracker.domain.comparison.pareto import Front
from tracker.domain.comparison.service import ComparisonService
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.metrics.aggregation import ExperimentMetric
from tracker.domain.metrics.metric import Metric
from tracker.domain.metrics.service import MetricService

__all__ = ["Metrics"]


class Metrics:
    """:class:`~tracker.areas.AsyncMetrics` in process."""

    def __init__(
        self,
        actor: Actor,
        service: MetricService,
        comparisons: ComparisonService,
        importances: ImportanceService,
    ) -> None:
        self._actor = actor
        self._service = service
        self._comparisons = comparisons
        self._importances = importances

    async def list(self, experiment_id: Id) -> tuple[Metric, ...]:
        """All of an experiment."""
        return await self._service.of_experiment(self._actor, _experiment(experiment_id))

    async def log(
        self, experiment_id: Id, name: str, value: float, *, step: int = 0, label: str | None = None
    ) -> Metric:
        """Keeps one."""
        chosen = _experiment(experiment_id)
        return await self._service.log(self._actor, chosen, name, value, step=step, label=label)

    async def table(self, project_id: Id) -> tuple[ExperimentMetric, ...]:
        """Those that count."""
        return await self._service.table(self._actor, _project(project_id))

    async def matrix(
        self,
        project_id: Id,
        filter: str = "",
        order_by: str = "",
        limit: int = 100,
        *,
        cursor: str | None = None,
        baseline: Id | None = None,
    ) -> Matrix:
        """A page of a project's."""
        base = None if baseline is None else ExperimentId(uuid_of(baseline, "baseline"))
        return await self._comparisons.matrix(
            self._actor, _project(project_id),
            filter=filter, order_by=order_by, limit=limit, cursor=cursor, baseline=base,
        )  # fmt: skip

    async def pareto(
        self, project_id: Id, metrics: Sequence[str], *, minimize: Sequence[str] = (), filter: str = ""
    ) -> Front:
        """What nothing beats."""
        chosen = _project(project_id)
        return await self._comparisons.front(self._actor, chosen, metrics, minimize=minimize, filter=filter)

    async def importance(
        self, project_id: Id, metric: str, *, method: Method | str = "rank", filter: str = ""
    ) -> Importance:
        """Which parameters go with one."""
        how = word_of(Method, method, "method")
        return await self._importances.importance(
            self._actor, _project(project_id), metric, method=how, filter=filter
        )


def _project(value: Id) -> ProjectId:
    return ProjectId(uuid_of(value, "project_id"))


def _experiment(value: Id) -> ExperimentId:
    return ExperimentId(uuid_of(value, "experiment_id"))
