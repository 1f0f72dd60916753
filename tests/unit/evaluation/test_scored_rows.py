from __future__ import annotations

import pytest

from tracker.domain.evaluation.results import evaluation_result, flat_means
from tracker.domain.evaluation.scoring.names import METRICS, chosen
from tracker.domain.evaluation.scoring.scored import is_own, own_samples

ALL = {"evaluation", "bertscore", "comet"}
PREDICTIONS = ["yes", "[1]", None, "no"]
TRUTHS = ["Yes!", "[1, 2]", "x", None]


def test_rows_without_an_answer_or_a_truth_have_no_score() -> None:
    metrics = chosen(["exact_match", "json_valid", "regex:^(yes|no)$", "token_length", "rouge"], ALL)
    assert own_samples(metrics, PREDICTIONS, TRUTHS) == {
        "exact_match": {"exact_match": [1.0, 0.0, None, None]},
        "json_valid": {"json_valid": [0.0, 1.0, None, 0.0]},
        "regex:^(yes|no)$": {"regex": [1.0, 0.0, None, 1.0]},
        "token_length": {
            "pred_token_length": [1.0, 3.0, None, 1.0],
            "ref_token_length": [2.0, 5.0, 1.0, None],
        },
    }


@pytest.mark.parametrize("name", [name for name, spec in METRICS.items() if not spec.takes_argument])
def test_every_metric_of_our_own_gives_the_series_that_it_promises(name: str) -> None:
    (metric,) = chosen([name], ALL)
    found = own_samples([metric], PREDICTIONS, TRUTHS)
    assert bool(found) == is_own(metric)
    if found:
        assert tuple(found[name]) == metric.spec.series


def test_who_asked_for_meteor_finds_it_under_that_name() -> None:
    samples = own_samples(chosen(["meteor"], []), ["a b"], ["a b"])
    assert list(samples["meteor"]) == ["meteor"]
    document = evaluation_result(samples, predictions=["a b"], ground_truth=["a b"], seconds=0, parameters={})
    assert flat_means(document) == {"meteor": pytest.approx(0.9375)}  # 1 - 0.5 * (1 / 2) ** 3
