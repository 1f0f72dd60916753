"""Final values in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.metric_rows import metric_from
from tracker.adapters.sql.session import Session
from tracker.adapters.sql.summaries import SqlSummaryRepository
from tracker.adapters.sql.tables import experiments, metrics
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.ids import ExperimentId, MetricId, ProjectId
from tracker.domain.metrics.metric import Metric

__all__ = ["SqlMetricRepository"]

_KEY = (metrics.c.experiment_id, metrics.c.name, metrics.c.label, metrics.c.step)
_ORDER = (metrics.c.name, metrics.c.label, metrics.c.step)


class SqlMetricRepository:
    """Keeps the port :class:`tracker.ports.metrics.MetricRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._summaries = SqlSummaryRepository(session)
        insert = insert_into(metrics, session.dialect)
        # Without values of its own, so that it is compiled once for any number of rows.
        self._upsert = insert.on_conflict_do_update(
            index_elements=_KEY,
            set_={"value": insert.excluded.value, "created_at": insert.excluded.created_at},
        )

    async def put(self, metrics: Sequence[Metric]) -> tuple[Metric, ...]:
        """Keeps values, replacing those of the same key."""
        merged: dict[Any, Metric] = {}
        for metric in metrics:  # one statement may not touch a row twice
            first = merged.get(metric.key)
            merged[metric.key] = metric if first is None else metric.evolve(id=first.id)
        if not merged:
            return ()
        with inserting("metric", metrics[0].name):
            await self._session.run(self._upsert, [_columns(each) for each in merged.values()])
        kept = await self._summaries.count_in(merged.values())
        return tuple(_with_id(merged[metric.key], kept[metric.key]) for metric in metrics)

    async def withdraw(self, experiment_id: ExperimentId, step: int) -> tuple[Metric, ...]:
        """Removes values from a step on."""
        every = await self.of_experiment(experiment_id)
        gone = metrics.c.experiment_id == experiment_id, metrics.c.step >= step
        await self._session.run(sa.delete(metrics).where(*gone))
        await self._summaries.begin_anew(experiment_id, [each for each in every if each.step < step])
        return tuple(each for each in every if each.step >= step)

    async def of_experiment(self, experiment_id: ExperimentId) -> tuple[Metric, ...]:
        """An experiment's values."""
        statement = sa.select(metrics).where(metrics.c.experiment_id == experiment_id).order_by(*_ORDER)
        return tuple(map(metric_from, await self._session.rows(statement)))

    async def of_project(self, project_id: ProjectId) -> tuple[Metric, ...]:
        """A project's values, by the order of its experiments."""
        statement = (
            sa.select(metrics)
            .join(experiments, experiments.c.id == metrics.c.experiment_id)
            .where(experiments.c.project_id == project_id)
            .order_by(experiments.c.position, experiments.c.created_at, experiments.c.id, *_ORDER)
        )
        return tuple(map(metric_from, await self._session.rows(statement)))


def _columns(metric: Metric) -> dict[str, Any]:
    return {**metric.__dict__, "label": metric.label or ""}


def _with_id(metric: Metric, metric_id: MetricId) -> Metric:
    return metric if metric.id == metric_id else metric.evolve(id=metric_id)
