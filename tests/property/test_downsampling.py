"""Thinning against a brute-force reading of its contract."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tracker.domain.scalars.downsampling import thin
from tracker.domain.scalars.series import Axis

INT64S = st.integers(-(2**63), 2**63 - 1)
NEAR = st.integers(-20, 20)


@st.composite
def series(draw: st.DrawFn):
    """Step, time and value by (step, arrival)."""
    size = draw(st.integers(0, 60))
    whole = draw(st.sampled_from([INT64S, NEAR]))
    step = np.sort(draw(arrays.arrays(np.int64, size, elements=whole)), kind="stable")
    time = draw(arrays.arrays(np.int64, size, elements=whole))
    value = draw(arrays.arrays(np.float64, size, elements=st.floats(width=64)))
    return step, time, value


def buckets(along: list[int], count: int) -> dict[int, list[int]]:
    """Positions in each bucket, along the axis, in Python's unbounded whole numbers."""
    low, high = min(along), max(along)
    width = (high - low) // count + 1
    rows = sorted(range(len(along)), key=lambda row: along[row])
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault((along[row] - low) // width, []).append(row)
    return found


@given(series(), st.integers(1, 40), st.sampled_from(Axis))
def test_thinning_keeps_first_lowest_highest_and_last_of_every_bucket(columns, max_points, axis) -> None:
    step, time, value = columns
    thinned = thin(step, time, value, max_points, axis)
    assert len(thinned.value) <= max_points
    assert thinned.total == len(value)
    if len(value) <= max_points or max_points < 4:
        return
    along = (step if axis is Axis.STEP else time).tolist()
    wanted: set[int] = set()
    holes = 0
    for rows in buckets(along, max_points // 4).values():
        numbers = [row for row in rows if math.isfinite(value[row])]
        holes += len(numbers) < len(rows)
        wanted |= {rows[0], rows[-1]}
        if numbers:
            wanted |= {min(numbers, key=value.__getitem__), max(numbers, key=value.__getitem__)}
    rows = sorted(wanted)
    assert thinned.step.tolist() == step[rows].tolist()
    assert thinned.time.tolist() == time[rows].tolist()
    assert thinned.value.tobytes() == value[rows].tobytes()
    assert len(thinned.gaps) == holes


@given(series(), st.integers(1, 3), st.sampled_from(Axis))
def test_fewer_than_four_points_are_the_extremes_first(columns, max_points, axis) -> None:
    step, time, value = columns
    thinned = thin(step, time, value, max_points, axis)
    rows = list(range(len(value)))
    if len(value) > max_points:
        along = (step if axis is Axis.STEP else time).tolist()
        rows.sort(key=lambda row: along[row])
        numbers = [row for row in rows if math.isfinite(value[row])]
        extremes = [choose(numbers, key=value.__getitem__) for choose in (max, min) if numbers]
        by_rank = list(dict.fromkeys([*extremes, rows[-1], rows[0]]))
        rows = sorted(by_rank[:max_points])
        assert len(thinned.gaps) == (len(numbers) < len(value))
    assert thinned.step.tolist() == step[rows].tolist()
    assert thinned.time.tolist() == time[rows].tolist()
    assert thinned.value.tobytes() == value[rows].tobytes()
    assert thinned.total == len(value)


@given(series(), st.sampled_from(Axis))
def test_series_that_fits_comes_back_whole(columns, axis) -> None:
    step, time, value = columns
    for max_points in (None, max(len(value), 1)):
        thinned = thin(step, time, value, max_points, axis)
        assert thinned.value.tobytes() == value.tobytes()
        along = step if axis is Axis.STEP else time
        places = {float(place) for place in along[~np.isfinite(value)]}
        assert thinned.gaps.tolist() == sorted(places)
