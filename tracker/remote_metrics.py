"""The area of final values against a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tracker.areas import Id, uuid_of, word_of
from tracker.domain.comparison.importance import Importance, Method
from tracker.domain.comparison.matrix import Matrix
from tracker.domain.comparison.pareto import Front
from tracker.domain.metrics.aggregation import ExperimentMetric
from tracker.domain.metrics.metric import Metric
from tracker.remote_client import Client
from tracker.wire import metric_from, number_text, table_row_from
from tracker.wire_comparison import front_from, importance_from, matrix_from

__all__ = ["Metrics"]


class Metrics:
    """:class:`~tracker.areas.AsyncMetrics` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list(self, experiment_id: Id) -> tuple[Metric, ...]:
        """All of an experiment."""
        found = await self._client.get(f"{_experiment(experiment_id)}/metrics")
        return tuple(map(metric_from, found))

    async def log(
        self, experiment_id: Id, name: str, value: float, *, step: int = 0, label: str | None = None
    ) -> Metric:
        """Keeps one."""
        chosen = str(uuid_of(experiment_id, "experiment_id"))
        number = number_text(value)  # the server names the field when it is not finite
        body = {"experimentId": chosen, "name": name, "value": number, "step": step, "label": label}
        return metric_from(await self._client.post("/metrics", body))

    async def table(self, project_id: Id) -> tuple[ExperimentMetric, ...]:
        """Those that count."""
        path = f"/projects/{uuid_of(project_id, 'project_id')}/metrics"
        return tuple(map(table_row_from, await self._client.get(path)))

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
        query: dict[str, Any] = {"filter": filter, "orderBy": order_by, "limit": limit}
        if cursor is not None:
            query["cursor"] = cursor
        if baseline is not None:
            query["baseline"] = str(uuid_of(baseline, "baseline"))
        return matrix_from(await self._client.get(f"{_project(project_id)}/table", query))

    async def pareto(
        self, project_id: Id, metrics: Sequence[str], *, minimize: Sequence[str] = (), filter: str = ""
    ) -> Front:
        """What nothing beats."""
        query = {
            "metric": list(dict.fromkeys([*metrics, *minimize])),
            "minimize": list(minimize),
            "filter": filter,
        }
        return front_from(await self._client.get(f"{_project(project_id)}/pareto", query))

    async def importance(
        self, project_id: Id, metric: str, *, method: Method | str = "rank", filter: str = ""
    ) -> Importance:
        """Which parameters go with one."""
        query = {"metric": metric, "method": word_of(Method, method, "method").value, "filter": filter}
        return importance_from(await self._client.get(f"{_project(project_id)}/importance", query))


def _project(value: Id) -> str:
    return f"/projects/{uuid_of(value, 'project_id')}"


def _experiment(value: Id) -> str:
    return f"/experiments/{uuid_of(value, 'experiment_id')}"
