"""Joins and ranks against what they say, word by word, in Python's own numbers."""

from __future__ import annotations

import math
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tries import tries
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.joining import against
from tracker.domain.scalars.ranks import Over, over_ranks, rank_of, ranks_by_name
from tracker.domain.scalars.series import Series

ONE = ExperimentId(UUID(int=1))
Point = tuple[int, int, float]

steps = st.integers(-3, 6) | st.sampled_from([-(2**63), 2**63 - 1])
values = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])
points = st.lists(st.tuples(steps, st.integers(0, 9), values), max_size=12)


def series(name: str, points: list[Point]) -> Series:
    """By (step, arrival), as stores answer."""
    ordered = sorted(points, key=lambda point: point[0])
    step, time, value = (list(column) for column in zip(*ordered, strict=True)) if ordered else ([], [], [])
    return Series(
        experiment_id=ONE,
        name=name,
        step=np.array(step, np.int64),
        time=np.array(time, np.int64),
        value=np.array(value, np.float64),
    )


def same(found: list[float], expected: list[float]) -> bool:
    return len(found) == len(expected) and all(
        (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
        for a, b in zip(found, expected, strict=True)
    )


@settings(max_examples=tries(300), deadline=None)
@given(points, points)
def test_a_point_stands_where_the_axis_is_at_its_step_or_was_last_before(
    mine: list[Point], axis: list[Point]
):
    expected, inexact, left_out = [], 0, 0
    for step, time, value in sorted(mine, key=lambda point: point[0]):
        known = [(at, place) for at, _, place in axis if at <= step and math.isfinite(place)]
        if not known:
            left_out += 1
            continue
        latest = max(at for at, _ in known)
        place = [place for at, place in known if at == latest][-1]
        inexact += latest != step
        expected.append((step, time, value, place))
    found = against(series("a", mine), series("x", axis))
    rows = list(
        zip(found.step.tolist(), found.time.tolist(), found.value.tolist(), found.x.tolist(), strict=True)
    )
    assert repr(rows) == repr(expected)
    assert (found.inexact, found.left_out, found.axis) == (inexact, left_out, "x")


@settings(max_examples=tries(100), deadline=None)
@given(st.lists(st.tuples(steps, st.integers(0, 9), st.floats(-1e6, 1e6)), unique_by=lambda point: point[0]))
def test_over_itself_every_point_stands_at_its_own_value(mine: list[Point]):
    found = against(series("a", mine), series("a", mine))
    assert found.x.tolist() == found.value.tolist()
    assert (found.inexact, found.left_out) == (0, 0)


@settings(max_examples=tries(300), deadline=None)
@given(st.lists(points, min_size=1, max_size=4), st.sampled_from(Over))
def test_ranks_count_where_they_have_a_step(ranks: list[list[Point]], how: Over):
    last = [{step: (time, value) for step, time, value in points} for points in ranks]
    times, expected = [], []
    for step in sorted({step for found in last for step in found}):
        there = [found[step] for found in last if step in found]
        times.append(max(time for time, _ in there))
        expected.append(_together([value for _, value in there], how))
    names = ["loss", *(f"loss@rank{rank}" for rank in range(1, len(ranks)))]
    found = over_ranks([series(name, points) for name, points in zip(names, ranks, strict=True)], how)
    assert found.step.tolist() == sorted({step for each in last for step in each})
    assert (found.time.tolist(), found.name) == (times, "loss")
    assert same(found.value.tolist(), expected)


def _together(values: list[float], how: Over) -> float:
    if any(map(math.isnan, values)) or (
        how in (Over.MEAN, Over.SUM) and math.inf in values and -math.inf in values
    ):
        return math.nan
    match how:
        case Over.MIN:
            return min(values)
        case Over.MAX:
            return max(values)
        case Over.SUM:
            return sum(values)
    return sum(value / len(values) for value in values)


@settings(max_examples=tries(100), deadline=None)
@given(points, st.sampled_from(Over), st.integers(1, 3))
def test_equal_ranks_are_each_of_them(mine: list[Point], how: Over, count: int):
    finite = [point for point in mine if math.isfinite(point[2])]
    found = over_ranks([series("a", finite)] * count, how)
    once = {step: value for step, _, value in finite}
    factor = count if how is Over.SUM else 1
    assert same(found.value.tolist(), [once[step] * factor for step in sorted(once)])


def test_the_mean_of_huge_values_does_not_overflow():
    huge = series("a", [(0, 0, 1.7e308)])
    assert over_ranks([huge, huge, huge], Over.MEAN).value.tolist() == pytest.approx([1.7e308])


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("loss", ("loss", 0)),
        ("loss@rank1", ("loss", 1)),
        ("a@rank2@rank13", ("a@rank2", 13)),
        ("loss@rank0", ("loss@rank0", 0)),
        ("loss@rank01", ("loss@rank01", 0)),
        ("loss@rank", ("loss@rank", 0)),
        ("@rank1", ("@rank1", 0)),
        ("loss@rank1 ", ("loss@rank1 ", 0)),
        ("loss@rank\u0661", ("loss@rank\u0661", 0)),
        ("a\nb@rank1", ("a\nb", 1)),
        ("loss@rank99999999", ("loss@rank99999999", 0)),
    ],
)
def test_a_name_tells_its_rank(name: str, parts: tuple[str, int]):
    assert rank_of(name) == parts


def test_ranks_stand_in_their_order():
    names = ["b@rank10", "b", "a@rank2", "b@rank9"]
    assert ranks_by_name(names) == {"b": ["b", "b@rank9", "b@rank10"], "a": ["a@rank2"]}
