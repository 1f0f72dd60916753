from __future__ import annotations

import json

import pytest

from tests.factories import NOON
from tracker.domain.errors import Conflict
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.results import compiled, evaluation_result, flat_means, inference_result
from tracker.domain.evaluation.scoring.intervals import IntervalKind, Mean

ROWS = [Row(1, "a", "A"), Row(2, "b"), Row(3, "c", "C"), Row(4, "d", "D")]


def an_answer(number: int, **fields: object) -> RowOutcome:
    return RowOutcome(**{"number": number, "input_hash": "0" * 64, "at": NOON, **fields})  # type: ignore[arg-type]


OUTCOMES = {
    1: an_answer(1, prediction="A", input_tokens=10, output_tokens=5, reasoning_tokens=2, cost=0.5),
    2: an_answer(2, prediction="x", reasoning="hm", tries=0, input_tokens=20, output_tokens=1),
    3: an_answer(3, error="429 after 6 tries", tries=6),
}
INFERENCE = inference_result(
    ROWS, OUTCOMES, model="small", seconds=2.5, parameters={"model": "small", "n": 4}
)


def evaluated(predictions: list[str | None]) -> dict[str, object]:
    samples = {
        "rouge": {"rouge1": [1.0, 0.25, None, None], "rouge2": [0.0] * 4},
        "bleu": {"bleu": [0.5, 0.25, 0.75, 0.125]},
    }
    corpus = {"chrf": {"chrf": Mean(41.5, (30.0, 50.0), IntervalKind.BOOTSTRAP, 4, 0)}}
    return evaluation_result(
        samples,
        corpus=corpus,
        predictions=predictions,
        ground_truth=["A", None, "C", "D"],
        seconds=0.5,
        parameters={"n": 3, "metrics": ["rouge"]},
    )


def test_answers_stand_in_the_order_of_the_rows_and_gaps_say_why() -> None:
    artifacts = INFERENCE["artifacts"]
    assert artifacts["predictions"] == ["A", "x", None, None]
    assert artifacts["errors"] == [None, None, "429 after 6 tries", "not done"]
    assert artifacts["reasoning"] == [None, "hm", None, None]
    assert artifacts["ground_truth"] == ["A", None, "C", "D"]
    assert artifacts["examples"] == ["a", "b", "c", "d"]
    assert (artifacts["model"], artifacts["inference_time"], artifacts["cost"]) == ("small", 2.5, 0.5)
    assert (
        inference_result(ROWS[1:2], {}, model="m", seconds=0, parameters={})["artifacts"]["ground_truth"]
        is None
    )


def test_tokens_are_averaged_over_the_rows_that_have_them() -> None:
    assert INFERENCE["metrics"] == {
        "avg_prompt_tokens": 15.0,
        "avg_total_tokens": 18.0,
        "avg_completion_tokens": 3.0,
        "avg_reasoning_tokens": 2.0,
        "avg_answer_tokens": 2.0,
    }


def test_a_series_has_its_mean_and_interval_beside_it() -> None:
    rouge = evaluated([None])["metrics"]["rouge"]  # type: ignore[index]
    assert rouge["rouge1"] == [1.0, 0.25, None, None]
    assert (rouge["rouge1_mean"], rouge["rouge1_rows"], rouge["rouge1_interval"]) == (0.625, 2, None)
    bleu = evaluated([None])["metrics"]["bleu"]  # type: ignore[index]
    assert bleu["bleu_mean"] == 0.40625 and bleu["bleu_interval"][0] < 0.40625 < bleu["bleu_interval"][1]


def test_both_documents_make_one() -> None:
    whole = compiled(INFERENCE, evaluated(["A", "x", None, None]))
    assert set(whole["metrics"]) == {*INFERENCE["metrics"], "rouge", "bleu", "chrf"}
    assert whole["parameters"] == {"model": "small", "n": 4, "evaluation_n": 3, "metrics": ["rouge"]}
    assert whole["artifacts"]["evaluation_time"] == 0.5 and whole["artifacts"]["inference_time"] == 2.5
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    with pytest.raises(Conflict, match="predictions differ"):
        compiled(INFERENCE, evaluated(["B", "x", None, None]))


def test_means_have_plain_names_and_what_is_missing_is_left_out() -> None:
    whole = compiled(INFERENCE, evaluated(["A", "x", None, None]))
    assert {name: value for name, value in flat_means(whole).items() if not name.startswith("avg_")} == {
        "rouge.rouge1": 0.625,
        "rouge.rouge2": 0.0,
        "bleu": 0.40625,
        "chrf": 41.5,
    }
    empty = evaluation_result(
        {"m": {"m": [None]}}, predictions=[None], ground_truth=[None], seconds=0, parameters={}
    )
    assert flat_means(empty) == {}
