"""Whether a filter holds for an experiment, and where an order puts it: what databases must agree with."""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.ids import ExperimentId
from tracker.domain.metrics.summary import MetricSummary
from tracker.domain.search.attributes import Attributes, AttributeType
from tracker.domain.search.ordering import SORTED_CHARACTERS, SortValue
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
    Which,
)

__all__ = ["Document", "holds", "microseconds", "sort_value"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ORDERS = {
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.GREATER: operator.gt,
    Operator.AT_LEAST: operator.ge,
}

Kin = Mapping[Related, Collection[ExperimentId]]
"""Who stands in each relation that a filter names."""


@dataclass(frozen=True, slots=True)
class Document:
    """Everything that a filter may ask of one experiment.

    Attributes:
        metrics: by name and label.
        user: the e-mail address of who made it.
        now: how long a run has lasted that has not ended.
    """

    experiment: Experiment
    attributes: Attributes
    metrics: Mapping[tuple[str, str | None], MetricSummary]
    user: str | None
    now: datetime


_FIELDS = {
    Builtin.CREATED: "created_at",
    Builtin.STARTED: "started_at",
    Builtin.COMPLETED: "completed_at",
    Builtin.ENDED: "end_kind",
    Builtin.REASON: "end_reason",
}


def holds(test: Filter, document: Document, kin: Kin) -> bool:
    """Whether the experiment passes."""
    match test:
        case All(tests):
            return all(holds(each, document, kin) for each in tests)
        case Either(tests):
            return any(holds(each, document, kin) for each in tests)
        case Not(inner):
            return not holds(inner, document, kin)
        case Related():
            return document.experiment.id in kin[test]
        case Tagged():
            return _is_tagged(document.experiment.tags, test)
    return _fits(test, _value(test.operand, document))


def _fits(test: Compare | OneOf | Like | Missing, value: Value | None) -> bool:
    if isinstance(test, Missing):
        return (value is None) is not test.negated
    if value is None:
        return False
    match test:
        case Compare(_, how, wanted):
            return _compares(value, how, wanted)
        case OneOf(_, values, negated):
            return any(_equal(value, each) for each in values) is not negated
        case Like(_, pattern, negated):
            return isinstance(value, str) and pattern.fits(value) is not negated


def sort_value(operand: Operand, document: Document) -> SortValue | None:
    """By what an order puts it: numbers before bools before texts; ``None`` = after all that have one."""
    match _value(operand, document):
        case None:
            return None
        case bool() as value:
            return (1, float(value), "")
        case float() as value:
            # SQLite keeps one of the two zeros, so there is one: adding 0 makes it so.
            return None if math.isnan(value) else (0, value + 0.0, "")
        case datetime() as moment:
            return (0, float(microseconds(moment)), "")
        case text:
            return (2, 0.0, text[:SORTED_CHARACTERS])


def microseconds(moment: datetime) -> int:
    """Since 1970-01-01 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def _is_tagged(tags: Sequence[str], test: Tagged) -> bool:
    if test.pattern is not None:
        return any(map(test.pattern.fits, tags))
    return bool(tags) if test.texts is None else not set(tags).isdisjoint(test.texts)


def _value(operand: Operand, document: Document) -> Value | None:
    match operand:
        case Column(field):
            return _of_column(field, document)
        case Measure(name, label, which):
            summary = document.metrics.get((name, label))
            return None if summary is None else _of_summary(summary, which)
        case Attribute(source, path):
            return _of_attribute(source, path, document.attributes)


def _of_column(field: Builtin, document: Document) -> Value | None:
    run = document.experiment
    match field:
        case Builtin.ID | Builtin.PARENT:
            key = run.id if field is Builtin.ID else run.parent_id
            return None if key is None else str(key)
        case Builtin.ORDER:
            return float(run.position)
        case Builtin.USER:
            return document.user
        case Builtin.DURATION:
            if run.started_at is None:
                return None
            return ((run.completed_at or document.now) - run.started_at) // _MICROSECOND / 1e6
    found: Value | None = getattr(run, _FIELDS.get(field, field))
    return found.value if isinstance(found, StrEnum) else found


def _of_summary(summary: MetricSummary, which: Which) -> float:
    number: float = getattr(summary, which)
    return number


def _of_attribute(source: Source, path: str, attributes: Attributes) -> Value | None:
    found = attributes.get((source, path))
    if found is None:
        return None
    if found.type is AttributeType.BOOL:
        return bool(found.number)
    return found.text if found.number is None else found.number


def _kind(value: Value) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _equal(value: Value, wanted: Value) -> bool:
    if _kind(value) is not _kind(wanted):
        return False
    return value == wanted or (_is_nan(value) and _is_nan(wanted))


def _is_nan(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _compares(value: Value, how: Operator, wanted: Value) -> bool:
    if how in (Operator.EQUAL, Operator.UNEQUAL):
        return _equal(value, wanted) is (how is Operator.EQUAL)
    return _kind(value) is _kind(wanted) and bool(_ORDERS[how](value, wanted))
