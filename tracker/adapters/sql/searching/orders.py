"""From an order and a place in it to the statements that give a page.

The first key splits a result in two: those that have a value for it, which an index may give in their
order, and behind them those that have none.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.adapters.sql.search_tables import attributes, metric_summaries
from tracker.adapters.sql.searching.filters import Conditions, Known
from tracker.adapters.sql.searching.terms import Term, column_of, is_nullable
from tracker.adapters.sql.tables import experiments
from tracker.domain.ids import ExperimentId
from tracker.domain.search.evaluation import microseconds
from tracker.domain.search.operands import TEXTS, TIMES
from tracker.domain.search.ordering import SORTED_CHARACTERS, Place, Search, SortValue
from tracker.domain.search.query import Attribute, Builtin, Column, Measure, OrderKey

__all__ = ["Statement", "statements"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Sorted:
    """A key of an order within a statement.

    Attributes:
        terms: what is sorted by, one after the other; all NULL where the experiment has no value.
    """

    def __init__(self, key: OrderKey, known: Known, rows: sa.FromClause | None) -> None:
        self._operand, self.descending = key.operand, key.descending
        match key.operand:
            case Column(field):
                column = column_of(field, known.dialect, known.now)
                self.terms: tuple[Term, ...] = (_beginning(column) if field in TEXTS else column,)
            case Measure(_, _, which):
                self.terms = (_of(rows).c[which],)
            case Attribute():
                of = _of(rows).c
                rank = sa.case((of.type == "bool", 1), (of.text.is_not(None), 2), (of.type.is_not(None), 0))
                self.terms = (rank, of.number, _beginning(of.text))

    def ordering(self, *, is_present: bool) -> list[Term]:
        """The terms of ORDER BY."""
        ordered: list[Term] = [term.desc() if self.descending else term.asc() for term in self.terms]
        return ordered if is_present else [self.terms[0].is_(None), *ordered]

    def behind(self, value: SortValue | None) -> Term:
        """What stands behind a value."""
        if value is None:
            return sa.false()
        wanted = self._as_kept(value)
        further = self._beyond(self.terms[0], wanted[0])
        for term, part in zip(self.terms[1:], wanted[1:], strict=True):
            if part is not None:  # of a number and a text, the one that its type has
                further = sa.or_(further, sa.and_(self.terms[0] == wanted[0], self._beyond(term, part)))
        return sa.or_(self.terms[0].is_(None), further)

    def level(self, value: SortValue | None) -> Term:
        """What has the same value."""
        if value is None:
            return self.terms[0].is_(None)
        pairs = zip(self.terms, self._as_kept(value), strict=True)
        return sa.and_(*(term == wanted for term, wanted in pairs if wanted is not None))

    def bound(self, value: SortValue) -> Term:
        """What is level with a value or behind it, in a form that an index can use."""
        is_within = operator.le if self.descending else operator.ge
        within: Term = is_within(self.terms[0], self._as_kept(value)[0])
        return within

    def value(self, found: Sequence[Any]) -> SortValue | None:
        """The value out of the terms of a row."""
        first = found[0]
        if first is None:
            return None
        if isinstance(self._operand, Attribute):
            return (int(first), (found[1] or 0.0) + 0.0, found[2] or "")
        if isinstance(first, datetime):
            return (0, float(microseconds(first)), "")
        return (2, 0.0, str(first)) if isinstance(first, str | UUID) else (0, first + 0.0, "")

    def _beyond(self, term: Term, wanted: Any) -> Term:
        beyond: Term = operator.lt(term, wanted) if self.descending else operator.gt(term, wanted)
        return beyond

    def _as_kept(self, value: SortValue) -> tuple[Any, ...]:
        rank, number, text = value
        if isinstance(self._operand, Attribute):
            return (rank, None, text) if rank == 2 else (rank, number, None)
        if isinstance(self._operand, Measure):
            return (number,)
        field = self._operand.field
        if field in TIMES:
            return (_EPOCH + timedelta(microseconds=int(number)),)
        if field is Builtin.ID:
            return (UUID(text),)
        return (text,) if field in TEXTS else (number,)


class Statement:
    """One part of a result: those that have a value for the first key, or those that have none.

    Args:
        search: what is looked for.
        known: what was looked up for it.
        is_present: which part.
    """

    def __init__(self, search: Search, known: Known, *, is_present: bool) -> None:
        self._search, self._known, self._is_present = search, known, is_present
        first = search.order[0]
        self._rows = [_table(key) for key in search.order]
        if not is_present:
            self._rows[0] = None
        leads = self._rows[0]
        self._key: Term = experiments.c.id if leads is None else leads.c.experiment_id
        joined = (first.operand, leads) if isinstance(first.operand, Measure) and leads is not None else None
        self._conditions = Conditions(known, self._key, joined)
        self._keys = [
            None if index == 0 and not is_present else _Sorted(key, known, rows)
            for index, (key, rows) in enumerate(zip(search.order, self._rows, strict=True))
        ]

    def select(self, limit: int) -> sa.Select[Any]:
        """The statement, for at most so many rows."""
        where = [*self._in_part(), self._conditions.of(self._search.where)]
        if self._known.only is not None:
            where.append(self._key.in_(self._known.only))
        if self._search.after is not None:
            where += self._behind(self._search.after)
        terms = [term for key in self._keys if key is not None for term in key.terms]
        labelled = [term.label(f"term_{index}") for index, term in enumerate(terms)]
        ordered = [
            part
            for index, key in enumerate(self._keys)
            if key is not None
            for part in key.ordering(is_present=index == 0)
        ]
        last = self._key.desc() if self._search.order[-1].descending else self._key.asc()
        return (
            sa.select(self._key.label("id"), *labelled)
            .select_from(self._source())
            .where(*where)
            .order_by(*ordered, last)
            .limit(limit)
        )

    def place(self, row: Sequence[Any]) -> Place:
        """The place that a row of the statement tells."""
        key, *found = row
        values: list[SortValue | None] = []
        for sorted_by in self._keys:
            width = 0 if sorted_by is None else len(sorted_by.terms)
            values.append(None if sorted_by is None else sorted_by.value(found[:width]))
            found = found[width:]
        return Place(tuple(values), ExperimentId(key))

    def _in_part(self) -> list[Term]:
        """The experiments of the projects that have, or lack, the first key."""
        operand, leads = self._search.order[0].operand, self._rows[0]
        if leads is not None and not isinstance(operand, Column):
            numbers = self._known.numbers(operand)  # of fields of these projects, so they name these, too
            of_field = leads.c.field_id == numbers[0] if len(numbers) == 1 else leads.c.field_id.in_(numbers)
            has_value = leads.c[operand.which].is_not(None) if isinstance(operand, Measure) else sa.true()
            return [of_field, has_value]
        self._conditions.needs_experiments = True
        part = [experiments.c.project_id.in_(self._known.projects)]
        if isinstance(operand, Column):
            column = column_of(operand.field, self._known.dialect, self._known.now)
            return [*part, column.is_not(None) if self._is_present else column.is_(None)]
        having = _has_number if isinstance(operand, Measure) else None
        return [*part, sa.not_(self._conditions.there(operand, having))]

    def _source(self) -> sa.FromClause:
        leads = self._rows[0]
        speaks = self._conditions.needs_experiments or any(
            isinstance(key.operand, Column) for key in self._search.order[1:]
        )
        source: sa.FromClause = experiments if leads is None else leads
        if leads is not None and speaks:
            source = source.join(experiments, experiments.c.id == leads.c.experiment_id)
        for key, rows in zip(self._search.order[1:], self._rows[1:], strict=True):
            if rows is not None and not isinstance(key.operand, Column):
                numbers = self._known.numbers(key.operand)
                of_it = sa.and_(rows.c.experiment_id == self._key, rows.c.field_id.in_(numbers))
                source = source.outerjoin(rows, of_it)
        return source

    def _behind(self, place: Place) -> list[Term]:
        """What stands behind a place: level with it in some keys, behind it in the next."""
        pairs = [(key, value) for key, value in zip(self._keys, place.values, strict=True) if key is not None]
        is_later = operator.lt if self._search.order[-1].descending else operator.gt
        behind: Term = is_later(self._key, place.id)
        for key, value in reversed(pairs):
            behind = sa.or_(key.behind(value), sa.and_(key.level(value), behind))
        first, value = pairs[0] if pairs else (None, None)
        if self._is_present and first is not None and value is not None:
            return [first.bound(value), behind]
        return [behind]


def statements(search: Search, known: Known) -> list[Statement]:
    """The parts of a result in their order, as far as they can have anything that is wanted."""
    operand = search.order[0].operand
    parts = []
    is_past_present = search.after is not None and search.after.values[0] is None
    if not is_past_present and (isinstance(operand, Column) or known.numbers(operand)):
        parts.append(Statement(search, known, is_present=True))
    if not isinstance(operand, Column) or is_nullable(operand.field):
        after = search.after if is_past_present else None
        parts.append(Statement(replace(search, after=after), known, is_present=False))
    return parts


def _table(key: OrderKey) -> sa.FromClause | None:
    if isinstance(key.operand, Column):
        return None
    return metric_summaries.alias() if isinstance(key.operand, Measure) else attributes.alias()


def _of(rows: sa.FromClause | None) -> sa.FromClause:
    assert rows is not None  # metrics and attributes have their own
    return rows


def _beginning(text: Term) -> Term:
    return sa.func.substr(text, 1, SORTED_CHARACTERS, type_=text.type)


def _has_number(column: Any) -> Term:
    found: Term = column.is_not(None)
    return found
