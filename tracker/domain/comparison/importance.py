"""Which parameters go with a metric."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from tracker.domain.statistics.correlation import correlation_ratio, spearman

__all__ = [
    "FEWEST_RUNS", "Importance", "Kind", "Method", "ParamColumn", "ParamImportance", "columns", "ranked",
    "warnings_about",
]  # fmt: skip

FEWEST_RUNS = 10
"""Runs for each parameter that varies, below which a warning is due."""


class Method(StrEnum):
    """How importance is measured."""

    RANK = "rank"
    """Each parameter by itself: Spearman's rank correlation, or the correlation ratio of categories."""
    FOREST = "forest"
    """All parameters together: how much worse a random forest predicts when one is permuted."""


class Kind(StrEnum):
    """What a parameter's values are."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


class ParamColumn(NamedTuple):
    """A parameter of all runs.

    Attributes:
        values: one a run: numbers, or texts that tell categories apart; ``None`` where it is missing.
    """

    name: str
    kind: Kind
    values: tuple[float | str | None, ...]

    @property
    def distinct(self) -> int:
        """How many values there are."""
        return len({value for value in self.values if value is not None})

    @property
    def n(self) -> int:
        """How many runs have it."""
        return sum(value is not None for value in self.values)

    @property
    def note(self) -> str | None:
        """Why nothing can be said of it."""
        if self.distinct < 2:
            return "it never varies"
        if self.kind is Kind.CATEGORICAL and 2 * self.distinct > self.n:
            return "nearly every run has a value of its own"
        return None


class ParamImportance(NamedTuple):
    """How far a parameter goes with the metric.

    Attributes:
        importance: from 0 to 1 by rank; by forest the loss of R squared, which may exceed 1. ``None`` when
            nothing can be said.
        correlation: with its sign; of numbers, by rank.
        n, missing: runs that have it, and that lack it.
        distinct: how many values it takes.
        note: why nothing can be said.
    """

    name: str
    kind: Kind
    importance: float | None
    correlation: float | None
    n: int
    missing: int
    distinct: int
    note: str | None


class Importance(NamedTuple):
    """The parameters of a project by how far they go with a metric.

    Attributes:
        name, label: of the metric.
        runs: that have a finite value of it; the others are `excluded`.
        params: the most important first, those of which nothing can be said last.
        warnings: what to know before believing it.
    """

    name: str
    label: str | None
    method: Method
    runs: int
    excluded: int
    params: tuple[ParamImportance, ...]
    warnings: tuple[str, ...]


def columns(params: Sequence[Mapping[str, Any]]) -> tuple[ParamColumn, ...]:
    """The parameters of some runs, by name.

    One whose values are numbers is numeric, and ``null`` is missing there; else each value is a category,
    ``null`` too, and ``1``, ``1.0`` and ``true`` are three.
    """
    names = sorted({name for each in params for name in each})
    return tuple(_column(name, params) for name in names)


def _column(name: str, params: Sequence[Mapping[str, Any]]) -> ParamColumn:
    found = [each[name] for each in params if name in each]
    numbers = [value for value in found if value is not None]
    if numbers and all(isinstance(value, int | float) and not isinstance(value, bool) for value in numbers):
        values = (each.get(name) for each in params)
        return ParamColumn(name, Kind.NUMERIC, tuple(None if v is None else float(v) for v in values))
    texts = (json.dumps(each[name]) if name in each else None for each in params)
    return ParamColumn(name, Kind.CATEGORICAL, tuple(texts))


def ranked(
    found: Sequence[ParamColumn], target: Sequence[float], scores: Mapping[str, float] | None = None
) -> tuple[ParamImportance, ...]:
    """The parameters in the order of their importance.

    Args:
        found: the parameters.
        target: the metric of the same runs.
        scores: of those that vary, by another method; ``None`` = by rank.
    """
    rows = []
    for column in found:
        pairs = [(v, y) for v, y in zip(column.values, target, strict=True) if v is not None]
        own, ys = [v for v, _ in pairs], [y for _, y in pairs]
        correlation = importance = None
        if column.note is None:
            if column.kind is Kind.NUMERIC:
                correlation = spearman([float(v) for v in own], ys)
            by_rank = correlation_ratio(own, ys) if column.kind is Kind.CATEGORICAL else correlation
            importance = None if by_rank is None else abs(by_rank)
            if scores is not None:
                importance = scores.get(column.name)
        rows.append(
            ParamImportance(
                column.name, column.kind, importance, correlation, column.n,
                len(column.values) - column.n, column.distinct, column.note,
            )
        )  # fmt: skip
    rows.sort(key=lambda row: (row.importance is None, -(row.importance or 0.0), row.name))
    return tuple(rows)


def warnings_about(found: Sequence[ParamColumn], target: Sequence[float]) -> tuple[str, ...]:
    """What to know before believing an importance."""
    told = []
    varying = [column for column in found if column.note is None]
    if len(target) < FEWEST_RUNS * max(1, len(varying)):
        told.append(
            f"{len(target)} runs are few for {len(varying)} parameters that vary: below {FEWEST_RUNS} runs a "
            "parameter, chance makes any of them look important"
        )
    if target and min(target) == max(target):
        told.append("the metric has the same value in all runs, so nothing goes with it")
    for note in dict.fromkeys(column.note for column in found if column.note):
        names = ", ".join(column.name for column in found if column.note == note)
        told.append(f"nothing can be said of {names}: {note}")
    return tuple(told)
