"""The columns of a listing: what a filter, an order or a person speaks of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import click

from tracker.domain.errors import QuerySyntax
from tracker.domain.experiments.features import dotted, leaves
from tracker.domain.projects.project import MetricDefinition, Project
from tracker.domain.search.found import FoundExperiment, metric_key
from tracker.domain.search.operands import spelled
from tracker.domain.search.parsing import parse_filter, parse_order
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
    Source,
    Which,
)

__all__ = [
    "FREE", "Field", "common_metrics", "definition_of", "displayed_metrics", "every_field", "named_fields",
    "named_measure", "spoken_fields",
]  # fmt: skip

FREE = ("number", "project", "tags")
"""Columns that are no operands of a filter."""

_MOST_GUESSED = 3


class Field(NamedTuple):
    """One column.

    Attributes:
        title: as people name it.
        operand: what a filter calls so; ``None`` for those of :data:`FREE`.
    """

    title: str
    operand: Operand | None = None

    @classmethod
    def of(cls, operand: Operand) -> Field:
        """The column of what a filter speaks of."""
        if isinstance(operand, Measure):
            key = metric_key(operand.name, operand.label)
            return cls(key if operand.which is Which.VALUE else f"{operand.which}({key})", operand)
        return cls(spelled(operand), operand)


def named_fields(text: str) -> list[Field]:
    """The columns of a list such as ``number,name,val.acc,params.lr``.

    Raises:
        click.BadParameter: one is no field; names it.
    """
    found = []
    for part in _split(text):
        name = part.strip()
        if name in FREE:
            found.append(Field(name))
        elif name == Builtin.PARENT:
            found.append(Field.of(Column(Builtin.PARENT)))
        else:
            try:
                keys = parse_order(name)
            except QuerySyntax as error:
                raise click.BadParameter(f"{name!r}: {error.why}", param_hint="--columns") from error
            if len(keys) != 1 or keys[0].descending:
                raise click.BadParameter(f"{name!r} is no field", param_hint="--columns")
            found.append(Field.of(keys[0].operand))
    return list(dict.fromkeys(found))


def named_measure(text: str) -> Measure:
    """The metric that a person names, such as ``val.acc`` or ``acc[val]``.

    Raises:
        click.BadParameter: it is none.
    """
    fields = named_fields(text)
    operand = fields[0].operand if len(fields) == 1 else None
    if isinstance(operand, Measure) and operand.which is Which.VALUE:
        return operand
    raise click.BadParameter(f"{text!r} is no metric", param_hint="--metric")


def spoken_fields(filter: str, order_by: str) -> list[Field]:
    """What a filter and an order that parse speak of, each once."""
    # Times that count from now have parsed already: from which now they count does not matter here.
    tree = parse_filter(filter, now=datetime.now(UTC))
    operands = [*_operands(tree), *(key.operand for key in parse_order(order_by))]
    return list(dict.fromkeys(map(Field.of, operands)))


def displayed_metrics(project: Project) -> list[Measure]:
    """The metrics that the project's tables show: those its people chose, else those it tracks."""
    tracked = {metric_key(each.name, each.label): each for each in project.metrics}
    chosen = project.settings.display_metrics or tuple(tracked)
    return [
        Measure(tracked[key].name, tracked[key].label) if key in tracked else Measure(key) for key in chosen
    ]


def common_metrics(rows: Iterable[FoundExperiment]) -> list[Measure]:
    """The metrics that most of the experiments have: for a project that says nothing of its own."""
    counts = Counter(key for row in rows for key in row.metrics)
    ranked = sorted(counts, key=lambda key: (-counts[key], key))
    return [_measure(key) for key in ranked[:_MOST_GUESSED]]


def every_field(rows: Sequence[FoundExperiment]) -> list[Field]:
    """All parameters, metrics and feature leaves that some of the experiments have."""
    params = sorted({key for row in rows for key in row.params})
    features = sorted({dotted(path) for row in rows for path, _ in leaves(row.features)})
    metrics = sorted({key for row in rows for key in row.metrics})
    return [
        *(Field.of(_measure(key)) for key in metrics),
        *(Field.of(Attribute(Source.PARAMS, key)) for key in params),
        *(Field.of(Attribute(Source.FEATURES, path)) for path in features),
    ]


def definition_of(project: Project, operand: Operand | None) -> MetricDefinition | None:
    """What the project says of a metric, if the operand is the value of one that it tracks."""
    if not isinstance(operand, Measure) or operand.which is not Which.VALUE:
        return None
    wanted = (operand.name, operand.label)
    return next((each for each in project.metrics if (each.name, each.label) == wanted), None)


def _measure(key: str) -> Measure:
    name, bracket, label = key.rpartition("[")
    return Measure(name, label[:-1]) if bracket and name and label.endswith("]") else Measure(key)


def _operands(tree: Filter) -> Iterator[Operand]:
    match tree:
        case All(tests) | Either(tests):
            for test in tests:
                yield from _operands(test)
        case Not(inner):
            yield from _operands(inner)
        case Compare() | OneOf() | Like() | Missing():
            yield tree.operand


def _split(text: str) -> Iterator[str]:
    """The parts between commas; those in backticks, quotes and brackets part nothing."""
    part, closing = "", ""
    for character in text:
        if character == "," and not closing:
            yield part
            part = ""
            continue
        part += character
        if closing:
            closing = "" if character == closing else closing
        else:
            closing = {"`": "`", '"': '"', "'": "'"}.get(character, "")
    yield part
