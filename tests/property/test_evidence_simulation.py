"""How often the verdict is wrong, counted over many projects in which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evidence_worlds import World
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.hypothesis import HypothesisStatus, Target

PROJECTS = 10_000
CLAIMS = (HypothesisStatus.SUPPORTED, HypothesisStatus.REFUTED)


def projects(effect: float, replicates: int = 5, metrics: int = 1) -> list[Evidence]:
    """Verdicts over projects of one group against its baseline, whose values have normal noise."""
    draw = np.random.default_rng(20260101)
    names = [f"m{i}" for i in range(metrics)]
    found = []
    for _ in range(PROJECTS):
        world = World(targets=tuple(Target(name=name) for name in names))
        world = world.with_runs([None] * replicates, recipe="baseline")
        world = world.with_runs([None] * replicates, recipe="changed", linked=True)
        noise = draw.normal(size=(metrics, 2 * replicates))
        noise[:, replicates:] += effect
        values = {
            (row.id, name, None): float(noise[m, i])
            for m, name in enumerate(names)
            for i, row in enumerate(world.rows)
        }
        found.append(world.judged(values=values))
    return found


def claimed(found: list[Evidence]) -> float:
    return sum(evidence.computed_status in CLAIMS for evidence in found) / len(found)


@pytest.mark.slow
def test_where_there_is_no_effect_few_claims_are_made_and_the_interval_covers_it() -> None:
    found = projects(effect=0)
    assert claimed(found) <= 0.055
    inside = [low <= 0 <= high for evidence in found for low, high in [evidence.targets[0].interval]]
    assert 0.94 <= sum(inside) / len(inside) <= 0.96


@pytest.mark.slow
def test_the_interval_covers_an_effect_that_is_there() -> None:
    found = projects(effect=2)
    inside = [low <= 2 <= high for evidence in found for low, high in [evidence.targets[0].interval]]
    assert 0.94 <= sum(inside) / len(inside) <= 0.96
    assert sum(evidence.computed_status is HypothesisStatus.SUPPORTED for evidence in found) > PROJECTS / 2
    assert sum(evidence.computed_status is HypothesisStatus.REFUTED for evidence in found) < PROJECTS / 1000


@pytest.mark.slow
def test_several_targets_together_make_no_more_claims_than_one() -> None:
    assert claimed(projects(effect=0, metrics=3)) <= 0.055
