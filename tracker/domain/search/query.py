"""What a filter says, as a small tree. Every test is true or false, never unknown.

A test of something that an experiment does not have is false, whatever the operator; ``not`` turns it
round. So ``acc != 0.5`` asks for an accuracy that is another one, ``not acc = 0.5`` also takes runs
without any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tracker.domain.ids import ExperimentId
from tracker.domain.search.patterns import Pattern

__all__ = [
    "All", "Attribute", "Builtin", "Column", "Compare", "Either", "Filter", "Like", "Measure", "Missing",
    "Not", "OneOf", "Operand", "Operator", "OrderKey", "Related", "Relation", "Source", "Tagged", "Value",
    "Which", "leaves", "operands",
]  # fmt: skip


class Builtin(StrEnum):
    """What every experiment has, or may have, by the name it has in a query."""

    ID = "id"
    NAME = "name"
    DESCRIPTION = "description"
    STATUS = "status"
    PROGRESS = "progress"
    ORDER = "order"
    CREATED = "created"
    STARTED = "started"
    COMPLETED = "completed"
    DURATION = "duration"
    USER = "user"
    PARENT = "parent"
    ENDED = "ended"
    REASON = "reason"


class Source(StrEnum):
    """Where the fields come from that not every project has."""

    METRICS = "metrics"
    PARAMS = "params"
    FEATURES = "features"
    TAGS = "tags"


class Which(StrEnum):
    """Which number of a metric: the one it is judged by, or one of its series."""

    VALUE = "value"
    LAST = "last"
    MIN = "min"
    MAX = "max"


class Operator(StrEnum):
    """How two values are compared."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="


class Relation(StrEnum):
    """How experiments are related to some."""

    CHILD = "parent"
    DESCENDANT = "descendant_of"
    ANCESTOR = "ancestor_of"


@dataclass(frozen=True, slots=True)
class Column:
    """One of the fields that every experiment has."""

    field: Builtin


@dataclass(frozen=True, slots=True)
class Attribute:
    """A parameter, or a leaf of the features.

    Attributes:
        source: params or features.
        path: dotted.
    """

    source: Source
    path: str


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a metric."""

    name: str
    label: str | None = None
    which: Which = Which.VALUE


Operand = Column | Attribute | Measure
Value = bool | float | str | datetime


@dataclass(frozen=True, slots=True)
class Compare:
    """The operand is there, and compares so with the value. Values of two types are never equal."""

    operand: Operand
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """The operand is there, and equals one of the values; or, negated, none of them."""

    operand: Operand
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Like:
    """The operand is a text that fits the pattern; or, negated, a text that does not."""

    operand: Operand
    pattern: Pattern
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """The operand is not there; or, negated, it is."""

    operand: Operand
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tag of the experiment is one of the texts, or fits the pattern; with neither, it has any tag."""

    texts: tuple[str, ...] | None = None
    pattern: Pattern | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """The experiment stands in this relation to another.

    Attributes:
        relation: through the primary parent alone for a child, through all edges else.
        references: what the filter calls the others: ids, numbers or names.
        column: where the filter does so, from 1.
        ids: who they are; ``None`` until somebody has looked them up.
    """

    relation: Relation
    references: tuple[str, ...]
    column: int
    ids: tuple[ExperimentId, ...] | None = None


@dataclass(frozen=True, slots=True)
class All:
    """All of the tests hold; of none, that is true."""

    tests: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the tests holds."""

    tests: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The test does not hold."""

    test: Filter


Filter = Compare | OneOf | Like | Missing | Tagged | Related | All | Either | Not


@dataclass(frozen=True, slots=True)
class OrderKey:
    """One of the things that a result is ordered by."""

    operand: Operand
    descending: bool = False


def leaves(test: Filter) -> Iterator[Compare | OneOf | Like | Missing | Tagged | Related]:
    """The tests that a filter consists of."""
    match test:
        case All(tests) | Either(tests):
            for each in tests:
                yield from leaves(each)
        case Not(inner):
            yield from leaves(inner)
        case _:
            yield test


def operands(test: Filter) -> Iterator[Operand]:
    """What a filter looks at, tags and relatives aside."""
    for leaf in leaves(test):
        if not isinstance(leaf, Tagged | Related):
            yield leaf.operand
