"""Thinning against a brute-force reading of its contract."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.brute_force import assert_sampled
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


@given(series(), st.one_of(st.none(), st.integers(1, 40)), st.sampled_from(Axis))
def test_thinning_keeps_what_the_contract_of_samples_says(columns, max_points, axis) -> None:
    step, time, value = columns
    thinned = thin(step, time, value, max_points, axis)
    points = list(zip(step.tolist(), time.tolist(), (one.tobytes() for one in value), strict=True))
    assert max_points is None or len(thinned.value) <= max_points
    assert_sampled(thinned, points, max_points, axis)


@given(series(), st.integers(4, 40), st.sampled_from(Axis))
def test_buckets_of_a_whole_series_are_of_equal_width(columns, max_points, axis) -> None:
    step, time, value = columns
    edges = thin(step, time, value, max_points, axis).edges.tolist()
    if len(value) <= max_points:
        assert edges == []
        return
    along = (step if axis is Axis.STEP else time).tolist()
    width = (max(along) - min(along)) // (max_points // 4) + 1
    first: dict[int, int] = {}
    for place in sorted(along):
        first.setdefault((place - min(along)) // width, place)
    assert edges == list(first.values())


@given(series(), st.sampled_from(Axis))
def test_series_that_fits_comes_back_whole(columns, axis) -> None:
    step, time, value = columns
    for max_points in (None, max(len(value), 1)):
        thinned = thin(step, time, value, max_points, axis)
        assert thinned.value.tobytes() == value.tobytes()
        along = step if axis is Axis.STEP else time
        places = set(along[~np.isfinite(value)].tolist())
        assert thinned.gaps.tolist() == [float(place) for place in sorted(places)]
