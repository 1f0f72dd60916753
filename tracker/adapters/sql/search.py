"""Searching in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.search_tables import attributes, metric_summaries, search_fields
from tracker.adapters.sql.searching.fields import chunks
from tracker.adapters.sql.searching.filters import Known, few
from tracker.adapters.sql.searching.orders import statements
from tracker.adapters.sql.searching.terms import column_of
from tracker.adapters.sql.session import Session
from tracker.adapters.sql.tables import experiments
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.search.fields import FieldSummary
from tracker.domain.search.ordering import Place, Search
from tracker.domain.search.query import (
    All,
    Attribute,
    Column,
    Filter,
    Like,
    Measure,
    Operand,
    Source,
    Tagged,
    leaves,
    operands,
)

__all__ = ["SqlSearchRepository"]

_FEW = 500

_Fields = dict[tuple[Source, str, str], list[int]]


class SqlSearchRepository:
    """Keeps the port :class:`tracker.ports.search.SearchRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def page(self, search: Search) -> tuple[Place, ...]:
        """The first of the order."""
        tests = list(leaves(search.where))
        fields = await self._fields_of(search, tests)
        known = Known(search.projects, fields, {}, self._session.dialect, search.now)
        texts: dict[Operand | None, Sequence[str]] = {}
        fitting: dict[Like | Tagged, Sequence[str]] = {}
        for test in tests:
            if isinstance(test, Like | Tagged) and test.pattern is not None:
                operand = test.operand if isinstance(test, Like) else None
                if operand not in texts:
                    texts[operand] = await self._texts(operand, known)
                fitting[test] = [text for text in texts[operand] if test.pattern.fits(text)]
        known = Known(search.projects, fields, fitting, self._session.dialect, search.now)
        known = replace(known, only=await self._narrowed(search.where, known))
        found: list[Place] = []
        for part in statements(search, known):
            if len(found) < search.limit:
                rows = await self._session.rows(part.select(search.limit - len(found)))
                found.extend(map(part.place, rows))
        return tuple(found)

    async def fields(self, project_ids: Collection[ProjectId]) -> tuple[FieldSummary, ...]:
        """What there is to ask for."""
        merged: dict[tuple[Source, str, str], FieldSummary] = {}
        for statement in (_attribute_fields(project_ids), _metric_fields(project_ids)):
            for row in await self._session.rows(statement):
                kind, path, label, type_, count, low, high = tuple(row)
                key = Source(kind), path, label
                types = (type_,) if type_ != "tag" else ()
                one = FieldSummary(key[0], path, label or None, types, count, low, high)
                merged[key] = _together(merged[key], one) if key in merged else one
        return tuple(merged[key] for key in sorted(merged))

    async def _narrowed(self, where: Filter, known: Known) -> Sequence[ExperimentId] | None:
        """Those that pass one of the tests that all have to pass, if it is a test that few pass.

        An order's index would else be gone through to its end for them. PostgreSQL knows from its
        statistics how many pass; SQLite has none.
        """
        if self._session.dialect != "sqlite":
            return None
        for test in where.tests if isinstance(where, All) else [where]:
            statement = few(test, known, _FEW + 1)
            if statement is not None:
                rows = await self._session.rows(statement)
                if len(rows) <= _FEW:
                    return [row.experiment_id for row in rows]
        return None

    async def _fields_of(self, search: Search, tests: Sequence[Filter]) -> _Fields:
        asked = [*operands(search.where), *(key.operand for key in search.order)]
        paths = {operand.path for operand in asked if isinstance(operand, Attribute)}
        paths |= {operand.name for operand in asked if isinstance(operand, Measure)}
        tags = [test for test in tests if isinstance(test, Tagged)]
        paths |= {text for test in tags for text in test.texts or ()}
        wanted: list[sa.ColumnElement[bool]] = [
            search_fields.c.path.in_(some) for some in chunks(sorted(paths))
        ]
        if any(test.texts is None for test in tags):
            wanted.append(search_fields.c.kind == Source.TAGS.value)
        found: _Fields = {}
        for condition in wanted:
            within = search_fields.c.project_id.in_(search.projects)
            for row in await self._session.rows(sa.select(search_fields).where(within, condition)):
                if row.kind == Source.METRICS and row.project_id not in search.measured:
                    continue
                numbers = found.setdefault((Source(row.kind), row.path, row.label), [])
                numbers.extend([row.id] if row.id not in numbers else [])
        return found

    async def _texts(self, operand: Operand | None, known: Known) -> Sequence[str]:
        """The texts that an operand has, or ``None`` = the tags, each once.

        Patterns are held against them here, so that they give one answer on every database.
        """
        if operand is None:
            return [path for source, path, _ in known.fields if source is Source.TAGS]
        return [row[0] for row in await self._session.rows(_texts_of(operand, known))]


def _texts_of(operand: Operand, known: Known) -> sa.Select[Any]:
    if isinstance(operand, Column):
        column = column_of(operand.field, known.dialect, known.now)
        statement = sa.select(column).where(experiments.c.project_id.in_(known.projects))
    else:
        assert isinstance(operand, Attribute)  # a metric is no text
        column = attributes.c.text
        statement = sa.select(column).where(attributes.c.field_id.in_(known.numbers(operand)))
    return statement.where(column.is_not(None)).distinct()


def _attribute_fields(project_ids: Collection[ProjectId]) -> sa.Select[Any]:
    key = search_fields.c.kind, search_fields.c.path, search_fields.c.label, attributes.c.type
    number = sa.case((attributes.c.type != "bool", attributes.c.number))
    return (
        sa.select(*key, sa.func.count(), sa.func.min(number), sa.func.max(number))
        .join(attributes)
        .where(search_fields.c.project_id.in_(project_ids))
        .group_by(*key)
    )


def _metric_fields(project_ids: Collection[ProjectId]) -> sa.Select[Any]:
    key = search_fields.c.kind, search_fields.c.path, search_fields.c.label
    value = metric_summaries.c.value
    return (
        sa.select(*key, sa.literal("float"), sa.func.count(), sa.func.min(value), sa.func.max(value))
        .join(metric_summaries)
        .where(search_fields.c.project_id.in_(project_ids))
        .group_by(*key)
    )


def _together(one: FieldSummary, other: FieldSummary) -> FieldSummary:
    """A field whose values have several types."""
    lows = [low for low in (one.min, other.min) if low is not None]
    highs = [high for high in (one.max, other.max) if high is not None]
    return one._replace(
        types=tuple(sorted({*one.types, *other.types})),
        experiments=one.experiments + other.experiments,
        min=min(lows, default=None),
        max=max(highs, default=None),
    )
