"""What is known of a project when its hypotheses are judged."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.hypothesis import Target
from tracker.domain.ids import ExperimentId
from tracker.domain.json_tree import thaw
from tracker.domain.projects.project import Direction, MetricDefinition
from tracker.domain.statistics.spread import mad

__all__ = ["ExperimentRow", "Facts", "Measure", "ValueKey", "measure_of"]

ValueKey = tuple[ExperimentId, str, str | None]
"""An experiment, the name of a metric, and its label."""

FEWEST_FOR_A_SPREAD = 4


class ExperimentRow(NamedTuple):
    """As much of an experiment as evidence needs; there may be very many, so it is a row."""

    id: ExperimentId
    name: str
    status: Status
    parent_id: ExperimentId | None
    features: Mapping[str, Any]
    params: Mapping[str, Any]


class Measure(NamedTuple):
    """A target once the project has said what the target left open.

    Attributes:
        sign: 1 where more is better, -1 where less is.
    """

    name: str
    label: str | None
    direction: Direction
    weight: float

    @property
    def sign(self) -> int:
        """Turns a difference into an improvement."""
        return 1 if self.direction is Direction.MAXIMIZE else -1


def measure_of(target: Target, definitions: Iterable[MetricDefinition]) -> Measure:
    """What `target` means in a project with these metrics."""
    named = [each for each in definitions if each.name == target.name]
    tracked = next((each for each in named if each.label == target.label), None)
    if tracked is None and target.label is None and len(named) == 1:
        (tracked,) = named
    known = Direction.MAXIMIZE if tracked is None else tracked.direction
    label = target.label if tracked is None else tracked.label
    return Measure(target.name, label, target.direction or known, target.weight)


class Facts:
    """What a project's hypotheses are judged by; the same for all of them.

    Args:
        experiments: all of the project.
        values: the value of each experiment, metric and label that counts.
        replicate_keys: dotted names of parameters and features in which replicates may differ.
        tails: how much the end of a series scatters, by experiment and name.
        unread: whether there may be series that could not be read.
    """

    def __init__(
        self,
        experiments: Iterable[ExperimentRow],
        values: Mapping[ValueKey, float],
        *,
        replicate_keys: Collection[str] = ("seed",),
        tails: Mapping[tuple[ExperimentId, str], float] | None = None,
        unread: bool = False,
    ) -> None:
        self.experiments = {row.id: row for row in sorted(experiments, key=lambda row: row.id)}
        self.unread = unread
        self._values = values
        self._tails = tails or {}
        self._replicates: dict[str, tuple[ExperimentId, ...]] = {}
        self._recipes: dict[ExperimentId, str] = {}
        self._spreads: dict[tuple[str, str | None], float] = {}
        self._roots: dict[ExperimentId, ExperimentId] = {}
        members: dict[str, list[ExperimentId]] = {}
        for row in self.experiments.values():
            recipe = self._recipes[row.id] = _recipe(row, replicate_keys)
            members.setdefault(recipe, []).append(row.id)
        self._replicates = {recipe: tuple(ids) for recipe, ids in members.items()}

    def value(self, experiment_id: ExperimentId, measure: Measure) -> float | None:
        """The finite value of an experiment, if it has one."""
        value = self._values.get((experiment_id, measure.name, measure.label))
        return value if value is not None and math.isfinite(value) else None

    def tail(self, experiment_id: ExperimentId, measure: Measure) -> float:
        """How much the end of the scalar of the metric's name scatters; 0 when there is none."""
        return self._tails.get((experiment_id, measure.name), 0.0)

    def replicates(self, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
        """The experiment and all that differ from it in replicate keys only, by id."""
        return self._replicates[self._recipes[experiment_id]]

    def are_replicates(self, one: ExperimentId, other: ExperimentId) -> bool:
        """Whether they differ in replicate keys only."""
        return self._recipes[one] == self._recipes[other]

    def spread(self, measure: Measure) -> float | None:
        """1.4826 x the median absolute deviation over the project's complete experiments; ``None`` when
        fewer than four have a value, or it is 0."""
        key = (measure.name, measure.label)
        if key not in self._spreads:
            values = [value for _, value in self.complete(measure)]
            enough = len(values) >= FEWEST_FOR_A_SPREAD
            self._spreads[key] = min(mad(values), sys.float_info.max) if enough else 0.0
        return self._spreads[key] or None

    def complete(self, measure: Measure) -> Iterator[tuple[ExperimentId, float]]:
        """The project's complete experiments that have a value, by id."""
        for row in self.experiments.values():
            value = self.value(row.id, measure)
            if row.status is Status.COMPLETE and value is not None:
                yield row.id, value

    def ancestors(self, experiment_id: ExperimentId) -> Iterator[ExperimentId]:
        """What stands above an experiment on the primary line, nearest first."""
        seen = {experiment_id}
        above = self.experiments[experiment_id].parent_id
        while above in self.experiments and above not in seen:
            seen.add(above)
            yield above
            above = self.experiments[above].parent_id

    def root(self, experiment_id: ExperimentId) -> ExperimentId:
        """The end of the primary line."""
        line = [experiment_id]
        for above in self.ancestors(experiment_id):
            if above in self._roots:
                line.append(self._roots[above])
                break
            line.append(above)
        self._roots.update(dict.fromkeys(line, line[-1]))
        return line[-1]


def _recipe(row: ExperimentRow, replicate_keys: Collection[str]) -> str:
    """A text that replicates share. JSON, in which 1, 1.0 and true are three different values."""
    parts = [_without(thaw(tree), replicate_keys) for tree in (row.features, row.params)]
    return json.dumps(parts, sort_keys=True, separators=(",", ":"))


def _without(tree: dict[str, Any], keys: Collection[str], prefix: str = "") -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in tree.items():
        path = prefix + key
        if path not in keys:
            inner = isinstance(value, dict) and value
            kept[key] = _without(value, keys, f"{path}.") if inner else value
    return kept


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean: exactly the value where all are equal, and without overflow."""
    if min(values) == max(values):
        return values[0]
    return math.fsum(value / len(values) for value in values)
