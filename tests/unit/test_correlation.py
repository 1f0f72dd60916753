"""Rank correlation and the correlation ratio, beside SciPy and arithmetic."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.statistics.correlation import correlation_ratio, ranks, spearman

few = st.sampled_from([-1e300, -1.0, 0.0, 0.5, 1.0, 2.0, 1e300])
values = few | st.floats(-1e6, 1e6)
two = st.lists(st.tuples(values, values), min_size=2, max_size=40)


@given(st.lists(values, max_size=40))
def test_ranks_are_scipy_s(found: list[float]) -> None:
    assert ranks(found) == list(scipy.stats.rankdata(found))


@given(two)
def test_spearman_is_scipy_s(pairs: list[tuple[float, float]]) -> None:
    one, other = zip(*pairs, strict=True)
    own = spearman(one, other)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = float(scipy.stats.spearmanr(one, other).statistic)
    if math.isnan(theirs):
        assert own is None
    else:
        assert own == pytest.approx(theirs, abs=1e-12)


@given(two)
def test_growing_transforms_change_no_rank_correlation_and_falling_ones_turn_it(pairs: Any) -> None:
    one, other = zip(*pairs, strict=True)
    own = spearman(one, other)
    assert spearman(ranks(one), other) == own
    turned = spearman([-v for v in one], other)
    assert (turned, own) == (None, None) or turned == pytest.approx(-own, abs=1e-12)


def test_what_never_varies_goes_with_nothing() -> None:
    assert spearman([1.0, 1.0], [1.0, 2.0]) is None
    assert spearman([], []) is None
    assert correlation_ratio("ab", [1.0, 1.0]) is None
    assert correlation_ratio("a", [1.0]) is None


def test_eta_is_one_where_groups_say_all_and_nought_where_they_say_nothing() -> None:
    assert correlation_ratio("aabb", [1.0, 1.0, 2.0, 2.0]) == 1
    assert correlation_ratio("abab", [1.0, 1.0, 2.0, 2.0]) == 0
    assert correlation_ratio("aabb", [1e308, 1e308, -1e308, -1e308]) == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(-1e3, 1e3)), min_size=2, max_size=30))
def test_eta_squared_is_the_share_of_the_variance_between_groups(rows: list[tuple[str, float]]) -> None:
    groups, ys = zip(*rows, strict=True)
    mean = sum(ys) / len(ys)
    total = sum((y - mean) ** 2 for y in ys)
    own = correlation_ratio(groups, ys)
    if own is None or total < 1e-9:
        return
    between = 0.0
    for group in set(groups):
        members = [y for g, y in rows if g == group]
        between += len(members) * (sum(members) / len(members) - mean) ** 2
    assert own == pytest.approx(math.sqrt(between / total), abs=1e-6)


@given(st.lists(st.tuples(st.booleans(), st.floats(-1e3, 1e3)), min_size=4, max_size=30))
def test_of_two_groups_eta_is_pearson_s_coefficient(rows: list[tuple[bool, float]]) -> None:
    groups, ys = zip(*rows, strict=True)
    own = correlation_ratio(groups, ys)
    if own is None or len(set(groups)) < 2 or max(ys) - min(ys) < 1e-3:
        return
    theirs = scipy.stats.pearsonr([float(g) for g in groups], ys).statistic
    assert own == pytest.approx(abs(theirs), abs=1e-6)
