from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import Conflict
from tracker.domain.evaluation.comparisons.differences import Better, beside, row_scores
from tracker.domain.evaluation.results import evaluation_result
from tracker.domain.evaluation.scoring.intervals import IntervalKind, Mean
from tracker.domain.projects.project import Direction

Scores = Sequence[float | None]
DRAWS = 999


def a_result(
    samples: dict[str, dict[str, Scores]], *, chrf: float = 40.0, truth: Sequence[str] | None = None
) -> dict[str, Any]:
    rows = len(next(iter(next(iter(samples.values())).values())))
    return evaluation_result(
        samples,
        corpus={"chrf": {"chrf": Mean(chrf, None, IntervalKind.NONE, rows, 0)}},
        predictions=["p"] * rows,
        ground_truth=list(truth or ["t"] * rows),
        seconds=1,
        parameters={},
    )


NOISE = [place % 7 / 100 for place in range(40)]
WORSE = a_result({
    "rouge": {"rouge1": [0.3 + each for each in NOISE], "rouge2": NOISE},
    "exact_match": {"exact_match": [0.0] * 30 + [1.0] * 10},
    "token_length": {"pred_token_length": [9.0] * 40, "ref_token_length": [3.0] * 40},
})  # fmt: skip
IMPROVED = a_result({
    "rouge": {"rouge1": [0.5 + each for each in reversed(NOISE)], "rouge2": list(reversed(NOISE))},
    "exact_match": {"exact_match": [0.0] * 10 + [1.0] * 30},
    "token_length": {"pred_token_length": [5.0] * 40, "ref_token_length": [3.0] * 40},
}, chrf=52.5)  # fmt: skip


def test_each_metric_has_difference_interval_and_p_and_says_which_is_better() -> None:
    found = beside(WORSE, IMPROVED, draws=DRAWS)
    metrics = {each.compared.metric: each for each in found.metrics}
    assert found.rows == 40 and list(metrics) == ["rouge.rouge1", "rouge.rouge2", "exact_match"]
    rouge1 = metrics["rouge.rouge1"].compared
    assert rouge1.difference == pytest.approx(0.2) and rouge1.interval is not None
    assert 0 < rouge1.interval[0] < 0.2 < rouge1.interval[1] and rouge1.differs
    assert metrics["rouge.rouge1"].better is Better.SECOND
    assert metrics["rouge.rouge2"].better is Better.NEITHER
    exact = metrics["exact_match"].compared
    assert exact.mcnemar is not None and (exact.mcnemar.first_only, exact.mcnemar.second_only) == (0, 20)
    assert exact.p == pytest.approx(2 * 0.5**20 - 0.5**20) and rouge1.mcnemar is None
    # Holm: the smallest of three p counts three times.
    assert exact.adjusted == pytest.approx(3 * (exact.p or 0))


def test_the_other_way_round_the_first_is_better() -> None:
    there, back = beside(WORSE, IMPROVED, draws=DRAWS), beside(IMPROVED, WORSE, draws=DRAWS)
    for one, other in zip(there.metrics, back.metrics, strict=True):
        assert one.compared.difference == pytest.approx(-(other.compared.difference or 0))
        assert one.compared.differs == other.compared.differs
    assert [each.better for each in back.metrics] == [Better.FIRST, Better.NEITHER, Better.FIRST]


def test_what_no_row_tells_is_given_without_a_test() -> None:
    values = {each.name: each for each in beside(WORSE, IMPROVED, draws=DRAWS).values}
    assert values["chrf"] == ("chrf", 40.0, 52.5, 12.5)
    assert values["token_length.pred_token_length"].difference == -4.0
    assert set(values) == {"chrf", "token_length.pred_token_length", "token_length.ref_token_length"}


def test_a_value_that_only_one_has_has_no_difference() -> None:
    more = a_result({"exact_match": {"exact_match": [1.0] * 40}, "bleu": {"bleu": NOISE}})
    found = beside(more, WORSE, draws=DRAWS)
    assert [each.compared.metric for each in found.metrics] == ["exact_match"]
    assert {each.name: each[1:] for each in found.values}["bleu"] == (
        pytest.approx(sum(NOISE) / 40),
        None,
        None,
    )


def test_other_rows_are_not_compared() -> None:
    short = a_result({"exact_match": {"exact_match": [1.0] * 39}})
    other = a_result({"exact_match": {"exact_match": [1.0] * 40}}, truth=["u"] * 40)
    for document in (short, other):
        with pytest.raises(Conflict, match="same rows"):
            beside(WORSE, document)


def test_metrics_are_known_by_any_of_their_names() -> None:
    assert list(row_scores(WORSE)) == ["rouge.rouge1", "rouge.rouge2", "exact_match"]
    named = a_result({
        "meteor": {"meteor": NOISE}, "regex:^a.b": {"regex": [1.0] * 40}, "mine": {"tone": NOISE},
    })  # fmt: skip
    assert list(row_scores(named)) == ["meteor", "regex:^a.b.regex", "mine.tone"]
    assert {each.direction for each in beside(named, named, draws=99).metrics} == {Direction.MAXIMIZE}


@given(st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=12))
def test_a_workflow_beside_itself_is_no_better(scores: list[float | None]) -> None:
    document = a_result({"rouge": {"rouge1": scores}})
    (found,) = beside(document, document, draws=99).metrics
    assert found.better is Better.NEITHER and found.compared.left_out == 0
    assert found.compared.difference in (0.0, None)
