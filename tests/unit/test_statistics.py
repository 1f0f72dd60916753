"""The statistics, compared with SciPy and with what their laws say."""

from __future__ import annotations

import math
import warnings
from itertools import pairwise

import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.statistics.contrast import contrast, welch
from tracker.domain.statistics.holm import holm
from tracker.domain.statistics.spread import mad, median
from tracker.domain.statistics.student_t import cdf, critical, quantile, two_sided_p

FREEDOMS = [0.3, 1, 1.5, 2, 2.7, 3, 4, 7.93, 10, 30, 49.9, 50.1, 100, 1234.5, 1e4, 1e5]
T_VALUES = [1e-5, 0.001, 0.1, 0.5, 0.676, 0.7, 1, 1.5, 2, 2.776, 5, 12, 40, 1e3, 1e8]
ALPHAS = [1e-12, 1e-6, 0.001, 0.01, 0.0125, 0.025, 0.05, 0.1, 0.5, 0.9, 0.999]
moderate = st.floats(-1e6, 1e6)
samples = st.lists(st.integers(-(10**9), 10**9).map(lambda n: n / 1000), min_size=2, max_size=8)


@pytest.mark.parametrize("df", FREEDOMS)
@pytest.mark.parametrize("t", T_VALUES)
def test_p_is_that_of_scipy(t: float, df: float) -> None:
    wanted = 2 * float(scipy.stats.t.sf(t, df))
    assert two_sided_p(t, df) == two_sided_p(-t, df) == pytest.approx(wanted, rel=1e-10, abs=1e-300)
    assert cdf(t, df) == pytest.approx(float(scipy.stats.t.cdf(t, df)), rel=1e-10)
    assert cdf(-t, df) == pytest.approx(wanted / 2, rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("df", FREEDOMS)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_critical_values_are_those_of_scipy(alpha: float, df: float) -> None:
    assert critical(alpha, df) == pytest.approx(float(scipy.stats.t.isf(alpha / 2, df)), rel=1e-10)
    assert quantile(alpha, df) == pytest.approx(float(scipy.stats.t.ppf(alpha, df)), rel=1e-10)
    assert quantile(1 - alpha, df) == pytest.approx(-quantile(alpha, df), rel=1e-3)


def test_what_a_table_of_any_textbook_says() -> None:
    assert [round(critical(0.05, df), 3) for df in (1, 2, 4, 8, 30)] == [12.706, 4.303, 2.776, 2.306, 2.042]


@given(st.floats(0.5, 1e4), st.floats(1e-12, 1))
def test_the_critical_value_leaves_exactly_alpha_beyond_it(df: float, alpha: float) -> None:
    assert two_sided_p(critical(alpha, df), df) == pytest.approx(alpha, rel=1e-10, abs=1e-15)


def test_with_one_degree_of_freedom_it_is_the_distribution_of_cauchy() -> None:
    for t in (1e-9, 1e-5, 0.5, 3.0, 1e12):
        assert two_sided_p(t, 1) == pytest.approx(2 / math.pi * math.atan2(1, t), rel=1e-12)


def test_without_bound_of_the_freedom_it_is_the_normal_distribution() -> None:
    assert two_sided_p(1.96, math.inf) == pytest.approx(2 * float(scipy.stats.norm.sf(1.96)), rel=1e-13)
    assert critical(0.05, math.inf) == pytest.approx(1.959963984540054, rel=1e-12)


@pytest.mark.parametrize("t", [0.0, 1e-320, 1e200, 1.7e308, math.inf])
def test_the_ends_of_the_axis_are_probabilities(t: float) -> None:
    assert 0 <= two_sided_p(t, 3.5) <= 1
    assert (two_sided_p(t, 3.5) == 1) == (t < 1)


def test_a_critical_value_beyond_all_floats_is_infinity() -> None:
    assert critical(1e-300, 0.01) == math.inf
    assert critical(1.0, 5) == 0


@given(samples, samples)
def test_welch_is_that_of_scipy(first: list[float], second: list[float]) -> None:
    found = welch(first, second)
    assert found is not None
    if found.error == 0:
        assert len(set(first)) == len(set(second)) == 1
        return
    scale = max(map(abs, first + second))
    if min(_spread(values) or scale for values in (first, second)) < 1e-6 * scale:
        return  # SciPy cancels there
    with warnings.catch_warnings(action="ignore"):  # it says so of constants too
        told = scipy.stats.ttest_ind(first, second, equal_var=False)
    low, high = told.confidence_interval(0.95)
    assert found.freedom == pytest.approx(told.df, rel=1e-6)
    assert found.p == pytest.approx(told.pvalue, rel=1e-6, abs=1e-9)
    assert found.interval(0.05) == pytest.approx((low, high), rel=1e-6, abs=1e-9 * scale)


def _spread(values: list[float]) -> float:
    return max(values) - min(values)


def test_fewer_than_two_observations_tell_nothing_of_their_spread() -> None:
    assert welch([1.0], [1.0, 2.0]) is welch([1.0, 2.0], []) is contrast([]) is None


@given(moderate, moderate, st.integers(2, 9), st.integers(2, 9))
def test_without_any_variance_the_interval_is_a_point(a: float, b: float, n: int, m: int) -> None:
    found = welch([a] * n, [b] * m)
    assert found is not None
    assert found.value == pytest.approx(a - b, rel=1e-9, abs=1e-9)
    assert found.interval(0.05) == (found.value, found.value)
    assert found.p == (1.0 if found.value == 0 else 0.0)
    assert (found.value == 0) == (abs(a - b) <= 1e-9 * max(abs(a), abs(b)) or a == b) or abs(a - b) < 1e-4


@given(moderate, st.integers(2, 9), st.integers(2, 9))
def test_rounding_never_makes_equal_constants_differ(value: float, n: int, m: int) -> None:
    found = welch([value] * n, [value] * m)
    assert found is not None and (found.value, found.p) == (0.0, 1.0)


def test_equal_constants_of_several_pairs_do_not_differ_either() -> None:
    pairs = [(0.3, 5, 3), (0.7, 7, 2)]
    classes = [
        [(sign / n / len(pairs), value)] * n
        for value, *sizes in pairs
        for sign, n in zip((1, -1), sizes, strict=True)
    ]
    found = contrast(classes)
    assert found is not None and (found.value, found.p) == (0.0, 1.0)


@given(samples, samples, st.integers(-60, 60))
def test_units_do_not_matter(first: list[float], second: list[float], power: int) -> None:
    one = welch(first, second)
    factor = 2.0**power
    other = welch([factor * v for v in first], [factor * v for v in second])
    assert one is not None and other is not None
    assert (other.value, other.error) == (one.value * factor, one.error * factor)
    assert (other.p, other.freedom) == (one.p, one.freedom)


def test_values_near_the_end_of_the_floats_do_not_overflow_on_the_way() -> None:
    found = welch([1.5e308, 1.6e308, 1.7e308], [1e308, 1.1e308, 1.2e308])
    assert found is not None
    assert found.value == pytest.approx(5e307)
    assert found.p == pytest.approx(scipy.stats.ttest_ind([15, 16, 17], [10, 11, 12], equal_var=False).pvalue)
    apart = welch([1.7e308, 1.6e308], [-1.7e308, -1.6e308])
    assert apart is not None and apart.value == math.inf


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.5))
def test_holm_rejects_what_its_adjusted_p_says_and_never_more_than_in_order(
    p_values: list[float], alpha: float
) -> None:
    steps = holm(p_values, alpha)
    by_p = sorted(range(len(p_values)), key=p_values.__getitem__)
    for earlier, later in pairwise(by_p):
        assert steps[earlier].rejected or not steps[later].rejected
        assert steps[earlier].p <= steps[later].p
        assert steps[earlier].level <= steps[later].level
    for p, step in zip(p_values, steps, strict=True):
        assert step.rejected == (p <= step.level)
        if abs(step.p - alpha) > 1e-12:
            assert step.rejected == (step.p <= alpha)
        assert alpha / len(p_values) <= step.level <= alpha


def test_holm_s_procedure_by_hand() -> None:
    steps = holm([0.04, 0.01, 0.015], 0.05)
    assert [step.rejected for step in steps] == [True, True, True]
    assert [step.level for step in steps] == [0.05, 0.05 / 3, 0.025]
    assert [step.p for step in steps] == pytest.approx([0.04, 0.03, 0.03])
    stopped = holm([0.04, 0.001, 0.03], 0.05)
    assert [step.rejected for step in stopped] == [False, True, False]
    assert [step.level for step in stopped] == [0.025, 0.05 / 3, 0.025]
    assert [step.p for step in stopped] == pytest.approx([0.06, 0.003, 0.06])


def test_spread_by_hand_and_by_scipy() -> None:
    values = [1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]
    assert (median(values), median([1.0, 3.0]), median([5.0])) == (2.0, 2.0, 5.0)
    assert mad(values) == 1.4826
    assert mad([5.0]) == mad([3.0, 3.0, 3.0, 100.0]) == 0
    assert mad(values) == pytest.approx(
        float(scipy.stats.median_abs_deviation(values, scale="normal")), rel=1e-4
    )
    assert mad([1.7e308, -1.7e308]) == math.inf
