"""Small projects in plain values, and what is judged in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from tests.factories import a_hypothesis, a_project
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.facts import ExperimentRow, Facts, measure_of
from tracker.domain.hypotheses.hypothesis import Target
from tracker.domain.hypotheses.judging import judge
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Direction

__all__ = ["PROJECT", "World", "eid"]

PROJECT = a_project()


def eid(number: int) -> ExperimentId:
    return ExperimentId(UUID(int=number))


@dataclass(frozen=True)
class World:
    """A project whose experiments have the ids 1, 2, ... and a hypothesis about them."""

    rows: tuple[ExperimentRow, ...] = ()
    values: Mapping[tuple[ExperimentId, str, str | None], float] = field(default_factory=dict)
    linked: frozenset[ExperimentId] = frozenset()
    tails: Mapping[tuple[ExperimentId, str], float] = field(default_factory=dict)
    targets: tuple[Target, ...] = (Target(name="acc", direction=Direction.MAXIMIZE),)
    hypothesis: Mapping[str, Any] = field(default_factory=dict)

    def with_runs(
        self,
        values: Sequence[float | None],
        *,
        recipe: str,
        parent: int | None = None,
        linked: bool = False,
        status: Status = Status.COMPLETE,
        name: str = "acc",
    ) -> World:
        """Further experiments of one recipe, told apart by their seed only."""
        first = len(self.rows) + 1
        above = None if parent is None else eid(parent)
        rows = tuple(
            ExperimentRow(
                eid(first + i), f"{first + i}", status, above, {}, {"recipe": recipe, "seed": first + i}
            )
            for i in range(len(values))
        )
        told = {(row.id, name, None): v for row, v in zip(rows, values, strict=True) if v is not None}
        chosen = frozenset(row.id for row in rows) if linked else frozenset()
        return replace(
            self,
            rows=self.rows + rows,
            values={**self.values, **told},
            linked=self.linked | chosen,
        )

    def judged(self, **changes: Any) -> Evidence:
        world = replace(self, **changes)
        facts = Facts(world.rows, world.values, tails=world.tails)
        fields = {"baseline": eid(1), **world.hypothesis}
        hypothesis = a_hypothesis(PROJECT, targets=world.targets, **fields)
        measures = [measure_of(target, ()) for target in world.targets]
        return judge(hypothesis, measures, world.linked, facts)
