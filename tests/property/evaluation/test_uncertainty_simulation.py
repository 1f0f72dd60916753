"""How often intervals and comparisons are wrong, counted where the truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tracker.domain.evaluation.scoring.agreement import agreement
from tracker.domain.evaluation.scoring.intervals import means
from tracker.domain.evaluation.scoring.paired import compare

pytestmark = pytest.mark.slow

WORLDS = 2000
DRAWS = 999
Draw = Callable[[np.random.Generator, int], np.ndarray]
POPULATIONS: dict[str, tuple[Draw, float]] = {
    "normal": (lambda draw, n: draw.normal(size=n), 0.0),
    "rouge": (lambda draw, n: draw.beta(2, 5, n), 2 / 7),
    "mostly right": (lambda draw, n: draw.beta(5, 2, n), 5 / 7),
    "right or wrong": (lambda draw, n: (draw.random(n) < 0.7) * 1.0, 0.7),
    "lengths": (lambda draw, n: draw.exponential(size=n), 1.0),
}
# The least coverage in per cent: skewed values of few rows are covered less often by any interval.
LEAST = {"normal": 93.5, "rouge": 93, "mostly right": 93, "right or wrong": 92.5, "lengths": 91}


@pytest.mark.parametrize("rows", [20, 50, 100])
@pytest.mark.parametrize("name", POPULATIONS)
def test_intervals_cover_the_truth(name: str, rows: int) -> None:
    population, truth = POPULATIONS[name]
    draw = np.random.default_rng(20260101)
    inside = 0
    for world in range(WORLDS):
        interval = means({"m": population(draw, rows).tolist()}, seed=world, draws=DRAWS)["m"].interval
        inside += interval is not None and interval[0] <= truth <= interval[1]
    assert LEAST[name] <= 100 * inside / WORLDS <= 98


@pytest.mark.parametrize("rows", [20, 100])
@pytest.mark.parametrize("binary", [False, True])
def test_equal_workflows_are_rarely_said_to_differ(rows: int, binary: bool) -> None:
    draw = np.random.default_rng(20260102)
    claims = 0
    for world in range(WORLDS):
        hard = draw.normal(size=rows)  # makes a row hard for both
        first, second = (hard + draw.normal(size=rows) for _ in range(2))
        if binary:
            first, second = (first > 0) * 1.0, (second > 0) * 1.0
        found = compare({"m": first.tolist()}, {"m": second.tolist()}, seed=world, draws=DRAWS)
        claims += found[0].differs
    assert 100 * claims / WORLDS <= 6


def test_over_several_metrics_any_false_claim_is_as_rare_as_over_one() -> None:
    draw = np.random.default_rng(20260103)
    claims = 0
    for world in range(WORLDS):
        first, second = ({f"m{i}": draw.normal(size=40).tolist() for i in range(5)} for _ in range(2))
        claims += any(one.differs for one in compare(first, second, seed=world, draws=DRAWS))
    assert 100 * claims / WORLDS <= 6


def test_a_difference_that_is_there_is_found() -> None:
    draw = np.random.default_rng(20260104)
    found = 0
    for world in range(WORLDS // 4):
        hard = draw.normal(size=50)
        first, second = hard + draw.normal(size=50) / 2, hard + 0.5 + draw.normal(size=50) / 2
        (one,) = compare({"m": first.tolist()}, {"m": second.tolist()}, seed=world, draws=DRAWS)
        found += one.differs and one.difference > 0
    # The paired t test has a power of 0.998 here; unpaired it would have 0.6.
    assert found / (WORLDS // 4) > 0.98


def test_intervals_of_kappa_cover_the_truth() -> None:
    draw = np.random.default_rng(20260105)
    inside, worlds = 0, WORLDS // 4
    for world in range(worlds):
        first = draw.integers(0, 3, size=100)
        second = np.where(draw.random(100) < 0.6, first, draw.integers(0, 3, size=100))
        interval = agreement(first.tolist(), second.tolist(), seed=world, draws=DRAWS).interval
        inside += interval is not None and interval[0] <= 0.6 <= interval[1]
    assert 92.5 <= 100 * inside / worlds <= 97.5
