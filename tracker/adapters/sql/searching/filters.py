"""From the tree of a filter to one condition of SQL. Whatever came from outside is a bound parameter."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.adapters.sql.search_tables import attributes, metric_summaries
from tracker.adapters.sql.searching.kinship import kin
from tracker.adapters.sql.searching.terms import Term, among, column_of
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.search.query import (
    All,
    Attribute,
    Builtin,
    Column,
    Compare,
    Either,
    Filter,
    Like,
    Measure,
    Missing,
    Not,
    OneOf,
    Operand,
    Operator,
    Related,
    Source,
    Tagged,
    Value,
)

__all__ = ["Conditions", "Known", "few"]

_NUMBERS = ("int", "float")
_TEXTS = ("text", "json")
_OPERATORS = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.GREATER: operator.gt,
    Operator.AT_LEAST: operator.ge,
}


Condition = Callable[[Any], Term]
"""Of the column of a metric or of a field that all have; of an attribute, of the table with its row."""


@dataclass(frozen=True)
class Known:
    """What was looked up before a statement is made.

    Attributes:
        fields: the numbers of each field in the projects that are searched.
        fitting: of each test with a pattern, the texts that fit.
        only: all others are known not to pass; ``None`` = nobody is.
    """

    projects: Sequence[ProjectId]
    fields: Mapping[tuple[Source, str, str], Sequence[int]]
    fitting: Mapping[Like | Tagged, Sequence[str]]
    dialect: str
    now: datetime
    only: Sequence[ExperimentId] | None = None

    def numbers(self, operand: Attribute | Measure) -> Sequence[int]:
        """The numbers of an operand's field; none where no experiment has it."""
        if isinstance(operand, Measure):
            return self.fields.get((Source.METRICS, operand.name, operand.label or ""), ())
        return self.fields.get((operand.source, operand.path, ""), ())


class Conditions:
    """Makes the conditions of one statement.

    Args:
        known: what was looked up.
        key: the column of the experiment's id.
        joined: a metric whose rows the statement goes through, and these rows.

    Attributes:
        needs_experiments: whether a condition speaks of the table of experiments.
    """

    def __init__(self, known: Known, key: Term, joined: tuple[Measure, sa.FromClause] | None = None) -> None:
        self._known = known
        self._key = key
        self._joined = joined
        self.needs_experiments = False

    def of(self, test: Filter) -> Term:
        """The condition of a test: true or false, never NULL."""
        match test:
            case All(tests):
                return sa.and_(sa.true(), *self._each(tests, sa.and_))
            case Either(tests):
                return sa.or_(sa.false(), *self._each(tests, sa.or_))
            case Not(inner):
                return sa.not_(self.of(inner))
            case Related():
                return self._key.in_(kin(test, self._known.projects))
            case Tagged():
                return self._tagged(test)
            case Missing(operand, negated):
                there = self.there(operand)
                return there if negated else sa.not_(there)
            case Compare() | OneOf() | Like():
                return self.there(test.operand, self._met(test))

    def _each(self, tests: Sequence[Filter], joined: Callable[..., Term]) -> Iterator[Term]:
        """The conditions of tests that are joined; those of one operand are met by its one row together."""
        alike: dict[Operand, list[Condition]] = {}
        for test in tests:
            if isinstance(test, Compare | OneOf | Like):
                alike.setdefault(test.operand, []).append(self._met(test))
            else:
                yield self.of(test)
        for operand, conditions in alike.items():
            yield self.there(operand, _joining(conditions, joined))

    def _met(self, test: Compare | OneOf | Like) -> Condition:
        """What the row, or the column, of the test's operand has to meet."""
        match test:
            case Compare(operand, how, value):
                return _comparing(operand, how, value)
            case OneOf(operand, values, negated):
                return _one_of([_comparing(operand, Operator.EQUAL, value) for value in values], negated)
            case Like(operand, _, negated):
                return _fitting(operand, self._known.fitting[test], negated, self._known.dialect)

    def there(self, operand: Operand, condition: Condition | None = None) -> Term:
        """Whether the experiment has the operand, and it meets the condition."""
        if isinstance(operand, Column):
            self.needs_experiments = True
            column = column_of(operand.field, self._known.dialect, self._known.now)
            conditions = () if condition is None else (condition(column),)
            return sa.and_(column.is_not(None), *conditions)
        if isinstance(operand, Measure):
            if self._joined is not None and self._joined[0] == operand:
                return sa.true() if condition is None else condition(self._joined[1].c[operand.which])
            measured = metric_summaries.alias()
            met = None if condition is None else condition(measured.c[operand.which])
            return self._exists(measured, self._known.numbers(operand), met)
        rows = attributes.alias()
        met = None if condition is None else condition(rows)
        return self._exists(rows, self._known.numbers(operand), met)

    def _tagged(self, test: Tagged) -> Term:
        texts = test.texts if test.pattern is None else self._known.fitting[test]
        fields = self._known.fields.items()
        tags = {path: found for (source, path, _), found in fields if source is Source.TAGS}
        chosen = tags if texts is None else [text for text in texts if text in tags]
        return self._exists(attributes.alias(), [number for text in chosen for number in tags[text]], None)

    def _exists(self, rows: sa.FromClause, numbers: Sequence[int], met: Term | None) -> Term:
        if not numbers:
            return sa.false()
        of_field = rows.c.field_id == numbers[0] if len(numbers) == 1 else rows.c.field_id.in_(numbers)
        conditions = (of_field,) if met is None else (of_field, met)
        return sa.exists().where(rows.c.experiment_id == self._key, *conditions)


def few(test: Filter, known: Known, limit: int) -> sa.Select[Any] | None:
    """Some of those that pass a test which an index may answer; ``None`` for other tests."""
    if not isinstance(test, Compare) or isinstance(test.operand, Column) or test.operator is Operator.UNEQUAL:
        return None
    rows = (metric_summaries if isinstance(test.operand, Measure) else attributes).alias()
    of = rows.c[test.operand.which] if isinstance(test.operand, Measure) else rows
    met = _comparing(test.operand, test.operator, test.value)(of)
    of_field = rows.c.field_id.in_(known.numbers(test.operand))
    return sa.select(rows.c.experiment_id).where(of_field, met).limit(limit)


def _comparing(operand: Operand, how: Operator, value: Value) -> Condition:
    if isinstance(operand, Attribute):
        return lambda rows: _attribute_compares(rows, how, value)
    if isinstance(operand, Measure):
        return lambda column: _number_compares(column, how, float(value))  # type: ignore[arg-type]
    wanted = UUID(str(value)) if operand.field is Builtin.ID else value
    return lambda column: _OPERATORS[how](column, wanted)


def _number_compares(column: Term, how: Operator, value: float) -> Term:
    """NaN, which is kept as NULL, equals itself, and is neither below nor above anything."""
    if math.isnan(value):
        nan = {Operator.EQUAL: column.is_(None), Operator.UNEQUAL: column.is_not(None)}
        return nan.get(how, sa.false())
    if how is Operator.UNEQUAL:
        return sa.or_(column.is_(None), column != value)
    return sa.and_(column.is_not(None), _OPERATORS[how](column, value))


def _attribute_compares(rows: Any, how: Operator, value: Value) -> Term:
    """Values of two types are unequal, and neither is below the other."""
    if how is Operator.UNEQUAL:
        return sa.not_(_attribute_compares(rows, Operator.EQUAL, value))
    if isinstance(value, bool):
        return sa.and_(rows.c.type == "bool", rows.c.number == float(value))
    if isinstance(value, float):
        return sa.and_(rows.c.type.in_(_NUMBERS), _OPERATORS[how](rows.c.number, value))
    return sa.and_(rows.c.type.in_(_TEXTS), _OPERATORS[how](rows.c.text, value))


def _joining(conditions: Sequence[Condition], joined: Callable[..., Term]) -> Condition:
    return lambda of: joined(*(condition(of) for condition in conditions))


def _one_of(conditions: Sequence[Condition], negated: bool) -> Condition:
    def condition(of: Any) -> Term:
        any_of_them = sa.or_(sa.false(), *(each(of) for each in conditions))
        return sa.not_(any_of_them) if negated else any_of_them

    return condition


def _fitting(operand: Operand, texts: Sequence[str], negated: bool, dialect: str) -> Condition:
    def condition(of: Any) -> Term:
        column = of.c.text if isinstance(operand, Attribute) else of
        fits = among(column, texts, dialect)
        return sa.and_(column.is_not(None), sa.not_(fits) if negated else fits)

    return condition
