"""Intervals, comparisons and agreement, against SciPy, scikit-learn, and published numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.scoring.agreement import Weights, agreement, kappa
from tracker.domain.evaluation.scoring.intervals import IntervalKind, means, wilson
from tracker.domain.evaluation.scoring.mcnemar import is_binary, mcnemar
from tracker.domain.evaluation.scoring.paired import Compared, compare
from tracker.domain.evaluation.scoring.resampling import expanded_level, resampled_means, resampled_scores

scores = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
samples = st.lists(scores, min_size=8, max_size=20)
FEW = 999


def compared(first: list[Any], second: list[Any], **options: Any) -> Compared:
    (found,) = compare({"m": first}, {"m": second}, **options)
    return found


@given(samples, st.integers(0, 2**32))
def test_an_interval_lies_in_the_range_of_the_values_and_around_most_resamples(
    values: list[float], seed: int
) -> None:
    (found,) = resampled_means([values], seed, FEW)
    interval = found.interval(0.05)
    assert interval is not None and found.value == math.fsum(values) / len(values)
    assert min(values) <= interval[0] <= interval[1] <= max(values)
    inside = np.mean((found.scores >= interval[0]) & (found.scores <= interval[1]))
    assert inside >= 0.95 - 2 / FEW


@given(samples, st.sampled_from([0.05, 0.2]))
def test_an_interval_excludes_what_its_p_rejects(values: list[float], alpha: float) -> None:
    (found,) = resampled_means([values], 1, FEW)
    p, interval = found.p(0.0), found.interval(alpha)
    assert p is not None and interval is not None
    if p < alpha * 0.8:
        assert not interval[0] < 0 < interval[1]
    if p > alpha * 1.25:
        assert interval[0] <= 0 <= interval[1]


@given(samples, st.floats(0.1, 100), st.floats(-100, 100))
def test_scaled_and_shifted_values_scale_and_shift_the_interval(
    values: list[float], scale: float, shift: float
) -> None:
    moved = [scale * value + shift for value in values]
    (one,), (other,) = resampled_means([values], 3, FEW), resampled_means([moved], 3, FEW)
    size = 1e-9 * (1 + max(map(abs, moved)))
    assert np.allclose(scale * one.scores + shift, other.scores, rtol=1e-9, atol=size)


def test_the_same_seed_gives_the_same_interval_and_another_one_nearly_so() -> None:
    values = [float(x) for x in np.random.default_rng(5).normal(size=200)]
    first, again, other = (means({"m": values}, seed=seed)["m"].interval for seed in (1, 1, 2))
    assert first is not None and first == again and other is not None
    assert first != other and np.allclose(first, other, atol=0.01)


def test_the_stream_is_the_one_it_always_was() -> None:
    # Drawn by hand from PCG64(7).random_raw: the upper 32 bits times 4, shifted.
    raw = np.random.PCG64(7).random_raw(4 * 3)
    drawn = [int(x) * 4 >> 32 for x in raw >> np.uint64(32)]
    values = [1.0, 10.0, 100.0, 1000.0]
    wanted = sorted(sum(values[i] for i in drawn[start : start + 4]) / 4 for start in (0, 4, 8))
    (found,) = resampled_means([values], 7, 3)
    assert found.scores.tolist() == pytest.approx(wanted, rel=1e-12)
    assert drawn[:4] == [2, 3, 3, 0]


def test_resamples_have_the_mean_and_the_spread_that_they_must() -> None:
    values = [float(x) for x in np.random.default_rng(6).exponential(size=50)]
    (found,) = resampled_means([values], 0)
    assert found.scores.mean() == pytest.approx(found.value, abs=4 * np.std(values) / math.sqrt(50 * 9999))
    assert found.scores.std() == pytest.approx(np.std(values) / math.sqrt(50), rel=0.03)


@pytest.mark.parametrize("rows", [2, 5, 10, 30, 1000])
def test_the_expanded_level_is_that_of_hesterberg(rows: int) -> None:
    wanted = scipy.stats.norm.cdf(-math.sqrt(rows / (rows - 1)) * scipy.stats.t.ppf(0.975, rows - 1))
    assert expanded_level(0.05, rows) == pytest.approx(float(wanted), rel=1e-8)


@pytest.mark.parametrize(("rows", "has_one"), [(1, False), (2, False), (3, False), (4, True)])
def test_few_rows_have_no_interval_and_are_never_said_to_differ(rows: int, has_one: bool) -> None:
    values = [0.25, 0.5, 0.75, 0.875][:rows]
    assert (means({"m": values})["m"].interval is not None) == has_one
    found = compared([0.0] * rows, values)
    assert (found.interval is not None) == has_one and (found.p is not None) == (rows > 1)
    assert not found.differs or rows == 4


def test_rows_without_a_score_are_left_out_and_counted() -> None:
    found = means(
        {"a": [1.0, None, 3.0, math.nan], "b": [None] * 4, "c": [0.25] * 4, "d": [1.0, 0.0, 1.0, 1.0]}
    )
    assert (found["a"].value, found["a"].rows, found["a"].missing) == (2.0, 2, 2)
    assert found["b"] == (None, None, IntervalKind.NONE, 0, 4)
    assert (found["c"].value, found["c"].interval, found["c"].kind) == (0.25, None, IntervalKind.NONE)
    assert found["d"].value == 0.75 and found["d"].kind is IntervalKind.BOOTSTRAP
    assert list(found) == ["a", "b", "c", "d"]


def test_twenty_of_twenty_is_no_certainty() -> None:
    found = means({"exact": [1.0] * 20})["exact"]
    assert (found.kind, found.value) == (IntervalKind.WILSON, 1.0)
    assert found.interval == pytest.approx((0.8389, 1.0), abs=5e-5)
    assert means({"exact": [1.0]})["exact"].interval is None


@given(st.integers(1, 500), st.data())
def test_wilson_is_that_of_scipy(rows: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, rows))
    wanted = scipy.stats.binomtest(hits, rows).proportion_ci(method="wilson")
    assert wilson(hits, rows) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def discordant(b: int, c: int, same: int = 3) -> tuple[list[float], list[float]]:
    return [1.0] * b + [0.0] * c + [1.0] * same, [0.0] * b + [1.0] * c + [1.0] * same


def test_mcnemar_on_published_data() -> None:
    # Fagerland, Lydersen and Laake (2013), airway hyper-responsiveness: 1 and 7 of 21 pairs differ.
    found = mcnemar(*discordant(1, 7, 13))
    assert (found.first_only, found.second_only) == (1, 7)
    assert (round(found.exact, 4), round(found.mid, 4)) == (0.0703, 0.0391)


@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar_is_the_binomial_test_of_scipy(b: int, c: int) -> None:
    found = mcnemar(*discordant(b, c))
    if b + c:
        assert found.exact == pytest.approx(scipy.stats.binomtest(b, b + c).pvalue, rel=1e-9)
        mid = found.exact - scipy.stats.binom.pmf(min(b, c), b + c, 0.5) if b != c else 1.0
        assert found.mid == pytest.approx(mid, rel=1e-9)
    else:
        assert found == (0, 0, 1.0, 1.0)
    assert mcnemar(*discordant(c, b)).mid == found.mid


def test_only_zeros_and_ones_are_binary() -> None:
    assert is_binary([0.0, 1.0]) and not is_binary([0.0, 0.5])


def test_a_comparison_by_hand() -> None:
    found = compared([1.0, 2.0, 3.0, None, 9.0], [2.0, 4.0, 3.0, 7.0, None])
    assert (found.rows, found.left_out, found.first, found.second, found.difference) == (3, 2, 2.0, 3.0, 1.0)
    assert found.mcnemar is None and found.interval is None and found.p is not None


def test_binary_scores_are_judged_by_mcnemar() -> None:
    found = compared(*discordant(1, 7, 13))
    assert found.mcnemar is not None and found.p == found.mcnemar.mid == pytest.approx(0.0391, abs=5e-5)
    assert found.differs and found.difference == pytest.approx(6 / 21)


def test_more_metrics_ask_for_more() -> None:
    first, second = discordant(1, 7, 13)
    noise = [float(x) for x in np.random.default_rng(2).normal(size=21)]
    found = compare({"a": first, "b": noise}, {"a": second, "b": noise[::-1]})
    a, b = found
    assert a.adjusted == pytest.approx(2 * a.p) and not a.differs and a.level == 0.025
    assert not b.differs and b.adjusted is not None and b.adjusted >= (b.p or 0)


def test_what_is_the_same_does_not_differ_and_what_is_not_there_has_no_p() -> None:
    same = compared([0.5, 0.7, 0.9, 0.9], [0.5, 0.7, 0.9, 0.9])
    assert (same.p, same.interval, same.differs) == (1.0, (0.0, 0.0), False)
    for first, second in (([None], [1.0]), ([1.0], [0.0]), ([0.5], [0.7]), ([], [])):
        alone = compared(first, second)
        assert (alone.p, alone.adjusted, alone.interval, alone.differs) == (None, None, None, False)
    assert compare({"a": [1.0]}, {"b": [1.0]}) == []


@given(st.lists(st.tuples(scores, scores), min_size=8, max_size=12))
def test_exchanging_the_two_turns_the_difference_round(pairs: list[tuple[float, float]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    one, other = compared(first, second, draws=FEW), compared(second, first, draws=FEW)
    assert one.p == pytest.approx(other.p) and one.differs == other.differs
    assert one.interval is not None and other.interval is not None
    assert one.interval == pytest.approx((-other.interval[1], -other.interval[0]), abs=1e-6)


ratings = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=40)


@given(
    ratings,
    st.sampled_from([(Weights.NONE, None), (Weights.LINEAR, "linear"), (Weights.QUADRATIC, "quadratic")]),
)
def test_kappa_is_that_of_scikit_learn(
    pairs: list[tuple[int, int]], weights: tuple[Weights, str | None]
) -> None:
    from sklearn.metrics import cohen_kappa_score  # half a second, which no other test needs

    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = agreement(first, second, categories=[1, 2, 3, 4, 5], weights=weights[0], draws=9)
    if found.kappa is None:
        assert len({*first, *second}) == 1
    else:
        wanted = cohen_kappa_score(first, second, labels=[1, 2, 3, 4, 5], weights=weights[1])
        assert found.kappa == pytest.approx(float(wanted), abs=1e-12)
    assert found.observed == pytest.approx(np.mean([a == b for a, b in pairs]))


def test_kappa_on_published_data() -> None:
    # J. Fleiss, J. Cohen and B. Everitt, Psychol. Bull. 72 (1969), table 1 (in per cent): kappa 0.429.
    assert kappa([53, 5, 2, 11, 14, 5, 1, 6, 3]) == pytest.approx(0.429, abs=5e-4)


def test_the_interval_of_kappa_holds_it_and_has_none_where_there_is_none() -> None:
    draw = np.random.default_rng(4)
    first = draw.integers(1, 4, size=60).tolist()
    second = [a if draw.random() < 0.7 else int(draw.integers(1, 4)) for a in first]
    found = agreement(first, second)
    assert found.kappa is not None and found.interval is not None
    # SciPy has no kappa; its large-sample error (Fleiss et al. 1969) is about 0.085 here.
    assert found.interval[0] < found.kappa < found.interval[1]
    assert 0.2 < found.interval[1] - found.interval[0] < 0.5
    assert agreement(["a", None], ["a", "b"]).kappa is None


@pytest.mark.parametrize(
    ("first", "second", "categories", "told"),
    [
        ([None], [1], None, "no row has both"),
        ([1], [9], [1, 2], "9 is none of 1, 2"),
        ([1], ["a"], None, "use one of them"),
        (list(range(60)), list(range(60)), None, "60 categories"),
    ],
)
def test_labels_that_cannot_be_compared_are_refused(
    first: list[Any], second: list[Any], categories: list[Any] | None, told: str
) -> None:
    with pytest.raises(Invalid, match=told):
        agreement(first, second, categories=categories)


def test_a_score_of_all_rows_is_resampled_by_its_sums() -> None:
    rows = [(float(hit), 1.0) for hit in (1, 0, 1, 1, 0, 1)]
    ratio = resampled_scores(rows, lambda sums: sums[0] / sums[1], 3, FEW)
    (mean,) = resampled_means([[hit for hit, _ in rows]], 3, FEW)
    assert ratio is not None and ratio.value == pytest.approx(mean.value)
    assert np.allclose(ratio.scores, mean.scores)
    assert resampled_scores(rows, lambda sums: None, 3, FEW) is None
