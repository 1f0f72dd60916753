from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOON
from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.hashing import input_hash
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.judgements import Judgements
from tracker.domain.evaluation.scoring.human import HumanScores, human_agreement, human_scores
from tracker.domain.evaluation.scoring.names import chosen
from tracker.domain.evaluation.scoring.questions import question_count, questions, rubrics_of
from tracker.domain.evaluation.scoring.rubric import RUBRICS, Criterion, Rubric

OWN = Rubric(name="mine", task="t", criteria=(Criterion(name="tone", question="q"),))
RUBRICS_USED = rubrics_of(chosen(["g_eval_translation", "rubric", "exact_match"], ()), OWN)
ROWS = [Row(1, "x", "t", "a"), Row(2, "y", None, "b"), Row(3, "z", "t"), Row(4, "w", "t", "")]


def an_outcome(number: int, text: str, **fields: Any) -> RowOutcome:
    made = {"number": number, "input_hash": input_hash(text).hex(), "at": NOON, **fields}
    return RowOutcome(**made)


def test_only_metrics_of_a_judge_have_rubrics_and_rubric_is_ones_own() -> None:
    assert {"g_eval_translation": RUBRICS["g_eval_translation"], "rubric": OWN} == RUBRICS_USED
    with pytest.raises(Invalid, match=r"llm_as_judge\.rubric"):
        rubrics_of(chosen(["rubric"], ()), None)


def test_questions_are_numbered_over_what_can_be_asked() -> None:
    found = [
        (each.number, each.row, each.metric, each.prompt.criterion.name)
        for each in questions(RUBRICS_USED, ROWS)
    ]
    pair = "g_eval_translation"
    assert found == [
        (1, 0, pair, "accuracy"), (2, 0, pair, "fluency"), (3, 0, "rubric", "tone"),
        (4, 1, "rubric", "tone"),
        (5, 3, pair, "accuracy"), (6, 3, pair, "fluency"), (7, 3, "rubric", "tone"),
    ]  # fmt: skip


texts = st.none() | st.text("ab", max_size=3)


@given(st.lists(st.tuples(texts, texts), max_size=6))
def test_there_are_as_many_questions_as_are_counted(cells: list[tuple[str | None, str | None]]) -> None:
    rows = [Row(place + 1, "x", truth, answer) for place, (truth, answer) in enumerate(cells)]
    numbers = [each.number for each in questions(RUBRICS_USED, rows)]
    assert numbers == list(range(1, question_count(RUBRICS_USED, rows) + 1))


def test_a_reply_to_other_words_is_no_reply() -> None:
    asked = list(questions({"rubric": OWN}, ROWS[:2]))
    outcomes = {
        1: an_outcome(1, asked[0].prompt.user, prediction='{"score": 4}', input_tokens=7),
        2: an_outcome(2, "other words", prediction='{"score": 4}'),
    }
    judged = Judgements({"rubric": OWN}, ROWS[:2], outcomes)
    assert judged.samples()["rubric"] == {"tone": [4.0, None], "overall": [0.75, None]}
    errors = [line["error"] for line in judged.lines()]
    assert errors[0] is None and "other words" in errors[1]
    told = judged.artifacts("judge")["judge"]
    assert (told["input_tokens"], told["output_tokens"]) == (7, None)


def test_why_most_questions_were_lost_is_known() -> None:
    outcomes = {n: an_outcome(n, "q", error="busy" if n < 3 else "gone") for n in range(1, 4)}
    judged = Judgements({"rubric": OWN}, ROWS[:2], outcomes)
    assert (judged.answered, judged.commonest_error()) == (0, "busy")
    assert Judgements({"rubric": OWN}, ROWS, {}).commonest_error() == ""
    assert [line["error"] for line in Judgements({"rubric": OWN}, ROWS[:1], {}).lines()] == ["not done"]


@pytest.mark.parametrize(
    ("value", "read"),
    [(None, None), ("", None), (" ", None), (3, 3.0), ("4", 4.0), (" 4.5 ", 4.5), (1, 1.0), (5.0, 5.0)],
)
def test_peoples_scores_are_numbers_or_nothing(value: object, read: float | None) -> None:
    rows = [Row(1, "x", None, "a", {"h": value})]
    assert human_scores("h", {"rubric": OWN}, rows, ["h"])[0].scores == (read,)


@pytest.mark.parametrize("value", ["good", True, 0, 6, "nan", "inf", [3], {}, 10**400])
def test_what_is_no_score_of_people_is_refused_with_its_row(value: object) -> None:
    rows = [Row(1, "x", None, "a", {"h": 3}), Row(2, "x", None, "a", {"h": value})]
    with pytest.raises(Invalid, match="row 2, column h: must be a number from 1 to 5"):
        human_scores("h", {"rubric": OWN}, rows, ["h"])


def test_agreement_that_cannot_be_told_says_why() -> None:
    fine = Criterion(name="fine", question="q", low=0, high=100)
    for criterion, people, told in (
        (OWN.criteria[0], (None, 3.0), "no row has both"),
        (fine, (1.0, 2.0), "101 categories"),
    ):
        found = human_agreement(HumanScores("m", criterion, "h", people), [1.0, None])
        assert found.plain is None and told in found.why_none


def test_scores_are_rounded_and_distance_counts_when_weighted() -> None:
    people = HumanScores("m", OWN.criteria[0], "h", (1.0, 2.0, 4.0, 5.0))
    found = human_agreement(people, [1.4, 2.5, 4.0, 4.6])
    assert found.plain is not None and found.weighted is not None
    assert found.plain.observed == 0.75  # 2.5 becomes 3
    # By hand: the only distance is 1; chance expects the mean square of all 16 distances.
    expected = sum((a - b) ** 2 for a in (1, 2, 4, 5) for b in (1, 3, 4, 5)) / 16
    assert found.weighted.kappa == pytest.approx(1 - (1 / 4) / expected)
