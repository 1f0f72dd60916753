"""What a judge replied, as scores. A reply that cannot be read is a failure with a reason, never a score."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from tracker.domain.evaluation.scoring.rubric import Criterion, Rubric

__all__ = ["Judgement", "ReplyFailure", "RowJudgement", "judged_row", "parse_reply", "summary"]

_LONGEST_REPLY = 100_000
_THOUGHTS = "</think>"
_SAID = re.compile(
    r"(?:score|rating)[^\w-]{0,5}(?:is\s*|of\s*)?(-?\d{1,9}(?:\.\d{1,9})?)(?:\s*(?:/|out of)\s*(\d{1,9}))?",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"[^\w-]{0,3}(-?\d{1,9}(?:\.\d{1,9})?)(?:\s*(?:/|out of)\s*(\d{1,9}))?\W{0,3}", re.IGNORECASE
)


class ReplyFailure(StrEnum):
    """Why a reply is no score."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    NO_SCORE = "no_score"
    SEVERAL_SCORES = "several_scores"
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    OTHER_SCALE = "other_scale"


class Judgement(NamedTuple):
    """One reply.

    Attributes:
        raw: as it came.
        score: on the criterion's scale; ``None`` of a failure.
        reason: in the judge's words.
        failure: why there is no score.
    """

    raw: str
    score: float | None
    reason: str = ""
    failure: ReplyFailure | None = None


def parse_reply(raw: str, criterion: Criterion) -> Judgement:
    """The score of a reply.

    A JSON object with ``score`` counts wherever it stands, fenced or among words; without one, a text that
    names one score (``Score: 4``, ``4/5``, ``4``) does. What a reasoning model thought before its answer does
    not count. Two different scores are none.
    """
    if len(raw) > _LONGEST_REPLY:
        return Judgement(raw, None, failure=ReplyFailure.TOO_LONG)
    text = raw.rpartition(_THOUGHTS)[2].strip()
    if not text:
        return Judgement(raw, None, failure=ReplyFailure.EMPTY)
    objects = [found for found in _objects(text) if "score" in found]
    if objects:
        values = {_number(found["score"], criterion) for found in objects}
        reason = objects[-1].get("reason", "")
        return _checked(raw, values, reason if isinstance(reason, str) else "", criterion)
    alone = _ALONE.fullmatch(text)
    said = [alone] if alone else list(_SAID.finditer(text))
    values = {_of(match[1], match[2], criterion) for match in said}
    return _checked(raw, values, "" if alone else text, criterion)


def _checked(raw: str, values: set[float | ReplyFailure], reason: str, criterion: Criterion) -> Judgement:
    if not values:
        return Judgement(raw, None, reason, ReplyFailure.NO_SCORE)
    if len(values) > 1:
        return Judgement(raw, None, reason, ReplyFailure.SEVERAL_SCORES)
    (value,) = values
    if isinstance(value, ReplyFailure):
        return Judgement(raw, None, reason, value)
    if not criterion.low <= value <= criterion.high:
        return Judgement(raw, None, reason, ReplyFailure.OUT_OF_RANGE)
    return Judgement(raw, value, reason)


def _number(value: Any, criterion: Criterion) -> float | ReplyFailure:
    match value:
        case bool() | None:
            return ReplyFailure.NOT_A_NUMBER
        case int() | float():
            return float(value) if math.isfinite(value) else ReplyFailure.NOT_A_NUMBER
        case str() if match := _ALONE.fullmatch(value.strip()):
            return _of(match[1], match[2], criterion)
    return ReplyFailure.NOT_A_NUMBER


def _of(number: str, scale: str | None, criterion: Criterion) -> float | ReplyFailure:
    """``4/5`` is a 4 where 5 is best; ``80/100`` is of another scale, and is not guessed at."""
    if scale is not None and int(scale) != criterion.high:
        return ReplyFailure.OTHER_SCALE
    return float(number)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in `text`, from left to right, none inside another."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield found
        start = text.find("{", end)


class RowJudgement(NamedTuple):
    """What the judge says of one row.

    Attributes:
        scores: by criterion; ``None`` where no reply could be read.
        overall: mean of the scores' places on their scales, 0 to 1; ``None`` when one is missing.
        failures: how often what went wrong.
    """

    scores: Mapping[str, float | None]
    overall: float | None
    failures: Mapping[ReplyFailure, int]


def judged_row(rubric: Rubric, replies: Mapping[str, Sequence[str]]) -> RowJudgement:
    """The replies about one row, as scores.

    Args:
        rubric: which criteria there are.
        replies: raw, by criterion; of several the mean of those that can be read counts.
    """
    scores: dict[str, float | None] = {}
    failures: Counter[ReplyFailure] = Counter()
    for criterion in rubric.criteria:
        read = [parse_reply(raw, criterion) for raw in replies.get(criterion.name, ())]
        good = [one.score for one in read if one.score is not None]
        failures.update(one.failure for one in read if one.failure is not None)
        scores[criterion.name] = math.fsum(good) / len(good) if good else None
    shares = [
        criterion.share(score)
        for criterion in rubric.criteria
        if (score := scores[criterion.name]) is not None
    ]
    whole = len(shares) == len(rubric.criteria)
    overall = math.fsum(shares) / len(shares) if whole else None
    return RowJudgement(MappingProxyType(scores), overall, MappingProxyType(failures))


def summary(rubric: Rubric, rows: Sequence[RowJudgement]) -> dict[str, list[float | None]]:
    """The scores of all rows as series: one a criterion, and ``overall``.

    Their means and intervals are those of any metric: what could not be read is missing, not 0.
    """
    series = {criterion.name: [row.scores[criterion.name] for row in rows] for criterion in rubric.criteria}
    return series | {"overall": [row.overall for row in rows]}
