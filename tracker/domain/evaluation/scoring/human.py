"""How far a judge agrees with people who scored some of the same answers."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.scoring.agreement import Agreement, Weights, agreement
from tracker.domain.evaluation.scoring.intervals import SEED
from tracker.domain.evaluation.scoring.rubric import Criterion, Rubric

__all__ = ["HumanAgreement", "HumanScores", "human_agreement", "human_scores"]

_FIELD = "llm_as_judge.human_score"
_SHOWN = 20


class HumanScores(NamedTuple):
    """What people said of one criterion.

    Attributes:
        metric: the name by which it was asked for.
        criterion: of its rubric.
        column: of the dataset.
        scores: by row; ``None`` where nobody said anything.
    """

    metric: str
    criterion: Criterion
    column: str
    scores: tuple[float | None, ...]


class HumanAgreement(NamedTuple):
    """Cohen's kappa of the judge and people, both rounded to whole numbers.

    Attributes:
        plain: a score is the same or is not.
        weighted: by the square of the distance, as is usual for scales.
        why_none: why there is neither; empty where there are both.
    """

    plain: Agreement | None
    weighted: Agreement | None
    why_none: str = ""


def human_scores(
    human_score: str, rubrics: Mapping[str, Rubric], rows: Sequence[Row], names: Collection[str]
) -> tuple[HumanScores, ...]:
    """People's scores, all of which are read and checked before a judge costs anything.

    Args:
        human_score: as :class:`~tracker.domain.evaluation.jobs.config.Judge` has it.
        rubrics: by metric.
        rows: of the dataset.
        names: of its columns.

    Raises:
        Invalid: there is no such column, or a score in it is no number on the criterion's scale; names the
            row.
    """
    found: list[HumanScores] = []
    for metric, rubric in rubrics.items():
        for criterion in rubric.criteria:
            columns = [f"{human_score}_{criterion.name}"]
            columns += [human_score] if len(rubric.criteria) == 1 else []
            for column in columns:
                if column in names:
                    scores = tuple(_read(row, column, criterion) for row in rows)
                    found.append(HumanScores(metric, criterion, column, scores))
                    break
    if not found:
        wanted = ", ".join(
            f"{human_score}_{each.name}" for rubric in rubrics.values() for each in rubric.criteria
        )
        some = ", ".join(list(names)[:_SHOWN])
        raise Invalid.field(
            _FIELD, f"no column of the dataset has people's scores: there should be {wanted}; it has {some}"
        )
    return tuple(found)


def human_agreement(people: HumanScores, judged: Sequence[float | None], seed: int = SEED) -> HumanAgreement:
    """How far the judge agrees, on the rows that both scored."""
    low, high = people.criterion.low, people.criterion.high
    both = [_whole(score) for score in people.scores], [_whole(score) for score in judged]
    categories = [float(value) for value in range(low, high + 1)]
    try:
        plain = agreement(*both, categories=categories, seed=seed)
        weighted = agreement(*both, categories=categories, weights=Weights.QUADRATIC, seed=seed)
    except Invalid as error:  # nobody scored a row that the judge did, or the scale is too fine
        return HumanAgreement(None, None, error.detail)
    return HumanAgreement(plain, weighted)


def _whole(score: float | None) -> float | None:
    return None if score is None else float(math.floor(score + 0.5))


def _read(row: Row, column: str, criterion: Criterion) -> float | None:
    value: Any = row.extra.get(column)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        score = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        score = math.nan
    if not criterion.low <= score <= criterion.high:
        raise Invalid.field(
            _FIELD,
            f"row {row.number}, column {column}: must be a number from {criterion.low} to {criterion.high}, "
            f"the scale of {criterion.name}, or nothing",
        )
    return score
