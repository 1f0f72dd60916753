"""What a judge is asked about the rows of a dataset, in an order that never changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.scoring.names import Chosen
from tracker.domain.evaluation.scoring.rubric import RUBRICS, JudgePrompt, Rubric, judge_prompts

__all__ = ["Question", "question_count", "questions", "rubrics_of"]


class Question(NamedTuple):
    """One question to a judge, which is sent, kept and remembered by itself.

    Attributes:
        number: from 1, over all rows and criteria that there is something to ask about.
        row: the row's place among the rows, from 0.
        metric: the name by which it was asked for.
        prompt: the question.
    """

    number: int
    row: int
    metric: str
    prompt: JudgePrompt


def rubrics_of(metrics: Iterable[Chosen], own: Rubric | None) -> dict[str, Rubric]:
    """What the judge goes by, for each metric that needs one.

    Args:
        metrics: that were chosen.
        own: the user's rubric, for the metric ``rubric``.

    Raises:
        Invalid: ``rubric`` was chosen and there is none.
    """
    found: dict[str, Rubric] = {}
    for metric in metrics:
        if not metric.spec.needs_judge:
            continue
        rubric = RUBRICS.get(metric.spec.name, own)
        if rubric is None:
            raise Invalid.field(
                "llm_as_judge.rubric", "the metric rubric needs one: a name, a task and criteria"
            )
        found[metric.asked] = rubric
    return found


def questions(rubrics: Mapping[str, Rubric], rows: Iterable[Row]) -> Iterator[Question]:
    """All there is to ask, row by row. Of a row without an answer nothing is asked, and of one without ground
    truth nothing that compares with it.

    Args:
        rubrics: by metric.
        rows: in the dataset's order.
    """
    number = 0
    for place, row in enumerate(rows):
        for metric, rubric in rubrics.items():
            if row.prediction is None or not _can_be_judged(rubric, row):
                continue
            prompts = judge_prompts(
                rubric, example=row.example, prediction=row.prediction, reference=row.ground_truth
            )
            for prompt in prompts:
                number += 1
                yield Question(number, place, metric, prompt)


def question_count(rubrics: Mapping[str, Rubric], rows: Iterable[Row]) -> int:
    """How many :func:`questions` there are."""
    return sum(
        len(rubric.criteria)
        for row in rows
        for rubric in rubrics.values()
        if row.prediction is not None and _can_be_judged(rubric, row)
    )


def _can_be_judged(rubric: Rubric, row: Row) -> bool:
    return row.ground_truth is not None or not rubric.shows_reference
