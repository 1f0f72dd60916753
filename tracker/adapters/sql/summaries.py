"""Summaries of metrics in SQL: derived from final values whenever these change, and from what series tell."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.metric_rows import definition_from
from tracker.adapters.sql.search_tables import metric_summaries, search_fields
from tracker.adapters.sql.searching.fields import FieldKey, chunks, numbered
from tracker.adapters.sql.session import Row, Session
from tracker.adapters.sql.tables import experiments, metrics, projects
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.ids import ExperimentId, MetricId, ProjectId
from tracker.domain.metrics.aggregation import Final
from tracker.domain.metrics.metric import Metric
from tracker.domain.metrics.summary import MetricSummary, SeriesMark, summarize
from tracker.domain.projects.project import MetricDefinition
from tracker.domain.search.query import Source

__all__ = ["SqlSummaryRepository"]

_NUMBERS = ("value", "last", "min", "max")
_FINALS = sa.select(
    metrics.c.id, metrics.c.experiment_id, metrics.c.name, metrics.c.label, metrics.c.step, metrics.c.value
)
MetricKey = tuple[ExperimentId, str, str | None, int]
_Group = tuple[ExperimentId, str, str]


class SqlSummaryRepository:
    """Keeps the port :class:`tracker.ports.summaries.SummaryRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of_experiments(self, experiment_ids: Collection[ExperimentId]) -> tuple[MetricSummary, ...]:
        """Those of some experiments."""
        found: list[MetricSummary] = []
        for some in chunks(sorted(experiment_ids)):
            found.extend(await self._select(metric_summaries.c.experiment_id.in_(some)))
        return tuple(found)

    async def of_project(self, project_id: ProjectId) -> tuple[MetricSummary, ...]:
        """Those of a project."""
        return tuple(await self._select(search_fields.c.project_id == project_id))

    async def projects_with_series(self) -> frozenset[ProjectId]:
        """Those of which some was told."""
        told = (
            sa.select(search_fields.c.id)
            .join(metric_summaries)
            .where(search_fields.c.project_id == projects.c.id, metric_summaries.c.points > 0)
        )
        rows = await self._session.rows(sa.select(projects.c.id).where(told.exists()))
        return frozenset(row.id for row in rows)

    async def keep_series(self, marks: Sequence[SeriesMark]) -> None:
        """Takes note of series."""
        ids = {mark.experiment_id for mark in marks}
        await self._hold_projects(ids)
        homes = await self._homes(ids)
        known = [mark for mark in marks if mark.experiment_id in homes]
        keys = {(homes[mark.experiment_id], Source.METRICS, mark.name, "") for mark in known}
        numbers = await numbered(self._session, keys)
        rows = [
            {
                "experiment_id": mark.experiment_id,
                "field_id": numbers[homes[mark.experiment_id], Source.METRICS, mark.name, ""],
                **{name: _kept(getattr(mark, name)) for name in ("last", "min", "max")},
                "value": _kept(mark.last),
                "finals": 0,
                "points": mark.points,
            }
            for mark in known
        ]
        if not rows:
            return
        insert = insert_into(metric_summaries, self._session.dialect)
        own, new = metric_summaries.c, insert.excluded
        taken = {name: new[name] for name in ("last", "min", "max", "points")}
        value = sa.case((own.finals == 0, new.value), else_=own.value)
        await self._session.run(
            insert.on_conflict_do_update(
                index_elements=[own.experiment_id, own.field_id], set_={**taken, "value": value}
            ),
            rows,
        )

    async def count_in(self, changed: Collection[Metric]) -> Mapping[MetricKey, MetricId]:
        """Derives the summaries of these final values, which are kept already, anew.

        Returns:
            The ids under which they are kept, and perhaps those of others.
        """
        groups = {(metric.experiment_id, metric.name, metric.label or "") for metric in changed}
        homes = await self._homes({experiment_id for experiment_id, *_ in groups})
        definitions = await self._definitions(set(homes.values()))
        if homes.keys() <= self._session.valueless:  # then there are no others to be read
            self._session.valueless.difference_update(homes)
            await self._write(_grouped(changed), homes, definitions)
            return {metric.key: metric.id for metric in changed}
        self._session.valueless.difference_update(homes)
        rows = await self._finals(groups, sorted(homes))
        finals = _grouped(rows)
        await self._write({group: finals[group] for group in groups}, homes, definitions)
        return {(row.experiment_id, row.name, row.label or None, row.step): row.id for row in rows}

    async def begin_anew(self, experiment_id: ExperimentId, finals: Collection[Metric]) -> None:
        """Forgets the summaries of an experiment but for those of these, all its final values."""
        own = metric_summaries.c.experiment_id == experiment_id
        await self._session.run(sa.delete(metric_summaries).where(own))
        if finals:
            await self.count_in(finals)

    async def _finals(self, groups: Collection[_Group], ids: Sequence[ExperimentId]) -> Sequence[Row]:
        """The final values of these experiments under the names of these groups."""
        names = sorted({name for _, name, _ in groups})
        return [
            row
            for some in chunks(ids)
            for part in chunks(names)
            for row in await self._session.rows(
                _FINALS.where(metrics.c.experiment_id.in_(some), metrics.c.name.in_(part))
            )
        ]

    async def judge_anew(self, project_id: ProjectId, changed: Collection[tuple[str, str | None]]) -> None:
        """Derives the summaries of these metrics of a project anew, whose definitions have changed."""
        if not changed:
            return
        definitions = await self._definitions({project_id})
        of_project = _FINALS.join(experiments, experiments.c.id == metrics.c.experiment_id).where(
            experiments.c.project_id == project_id
        )
        names = sorted({name for name, _ in changed})
        rows = [
            row
            for some in chunks(names)
            for row in await self._session.rows(of_project.where(metrics.c.name.in_(some)))
        ]
        await self._write(_grouped(rows), {row.experiment_id: project_id for row in rows}, definitions)

    async def _write(
        self,
        groups: Mapping[_Group, Sequence[Final]],
        homes: dict[ExperimentId, ProjectId],
        definitions: dict[FieldKey, MetricDefinition],
    ) -> None:
        keys = {group: (homes[group[0]], Source.METRICS, *group[1:]) for group in groups}
        numbers = await numbered(self._session, set(keys.values()))
        rows = []
        for group, values in groups.items():
            key = keys[group]
            key_of = group[0], group[1], group[2] or None
            found = summarize(key_of, definitions.get(key), values, None)
            rows.append({
                "experiment_id": group[0], "field_id": numbers[key],
                **{name: getattr(found, name) for name in (*_NUMBERS, "finals", "points")},
            })  # fmt: skip
        if not rows:
            return
        insert = insert_into(metric_summaries, self._session.dialect)
        own, new = metric_summaries.c, insert.excluded
        of_finals = {n: sa.case((own.points == 0, new[n]), else_=own[n]) for n in ("last", "min", "max")}
        await self._session.run(
            insert.on_conflict_do_update(
                index_elements=[own.experiment_id, own.field_id],
                set_={"value": new.value, "finals": new.finals, **of_finals},
            ),
            rows,
        )

    async def _hold_projects(self, experiment_ids: Collection[ExperimentId]) -> None:
        """Waits for those who change the projects of these experiments.

        They hold the project first and its experiments after. New fields need the project too: who held
        the experiments already would wait for them, and they for it.
        """
        if self._session.dialect == "sqlite":
            return
        for some in chunks(sorted(experiment_ids)):
            of_these = sa.select(experiments.c.project_id).where(experiments.c.id.in_(some))
            statement = sa.select(projects.c.id).where(projects.c.id.in_(of_these)).order_by(projects.c.id)
            await self._session.rows(statement.with_for_update(read=True, key_share=True))

    async def _homes(self, experiment_ids: Collection[ExperimentId]) -> dict[ExperimentId, ProjectId]:
        """The projects of those that exist, which stay until the unit ends."""
        homes: dict[ExperimentId, ProjectId] = {}
        for some in chunks(sorted(experiment_ids)):
            statement = sa.select(experiments.c.id, experiments.c.project_id)
            statement = statement.where(experiments.c.id.in_(some))
            if self._session.dialect != "sqlite":
                statement = statement.with_for_update(read=True, key_share=True)
            homes.update({row.id: row.project_id for row in await self._session.rows(statement)})
        return homes

    async def _definitions(self, project_ids: Collection[ProjectId]) -> dict[FieldKey, MetricDefinition]:
        statement = sa.select(projects.c.id, projects.c.metrics).where(projects.c.id.in_(project_ids))
        found: dict[FieldKey, MetricDefinition] = {}
        for row in await self._session.rows(statement):
            for each in row.metrics:
                made = definition_from(each)
                found[row.id, Source.METRICS, made.name, made.label or ""] = made
        return found

    async def _select(self, condition: sa.ColumnElement[bool]) -> list[MetricSummary]:
        own = metric_summaries.c
        statement = (
            sa.select(
                own.experiment_id, search_fields.c.path, search_fields.c.label,
                *(own[name] for name in (*_NUMBERS, "finals", "points")),
            )
            .join(search_fields)
            .where(condition)
            .order_by(own.experiment_id, search_fields.c.path, search_fields.c.label)
        )  # fmt: skip
        return [_summary(row) for row in await self._session.rows(statement)]


def _grouped(finals: Iterable[Any]) -> dict[_Group, list[Any]]:
    """Final values, or rows of them, by experiment, name and label."""
    found: dict[_Group, list[Any]] = defaultdict(list)
    for each in finals:
        found[each.experiment_id, each.name, each.label or ""].append(each)
    return found


def _summary(row: Row) -> MetricSummary:
    key, path, label, value, last, low, high, finals, points = tuple(row)
    numbers = _read(value), _read(last), _read(low), _read(high)
    return MetricSummary(key, path, label or None, *numbers, finals, points)


def _kept(number: float) -> float | None:
    return None if math.isnan(number) else number


def _read(number: float | None) -> float:
    return math.nan if number is None else number
