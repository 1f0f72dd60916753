"""What a judge replied, as scores, and as the record of what it was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tracker.domain.evaluation.datasets.hashing import input_hash
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.scoring.human import HumanScores, human_agreement
from tracker.domain.evaluation.scoring.intervals import SEED, IntervalKind, Mean
from tracker.domain.evaluation.scoring.judging import judged_row, parse_reply, summary
from tracker.domain.evaluation.scoring.questions import Question, questions
from tracker.domain.evaluation.scoring.rubric import Rubric
from tracker.domain.evaluation.scoring.scored import Samples

__all__ = ["AGREEMENT", "Judgements", "agreements"]

AGREEMENT = "human_agreement"
"""The name under which a result has Cohen's kappa of judge and people."""

_NOT_ASKED = "not done"
_OTHER_WORDS = "was asked in other words, by another version of tracker"


class Judgements:
    """All replies of one evaluation.

    Args:
        rubrics: by metric.
        rows: of the dataset, in its order.
        outcomes: by the numbers of questions.
    """

    def __init__(
        self, rubrics: Mapping[str, Rubric], rows: Sequence[Row], outcomes: Mapping[int, RowOutcome]
    ) -> None:
        self._rubrics = rubrics
        self._rows = rows
        self._outcomes = outcomes

    @property
    def answered(self) -> int:
        """How many questions have a reply, readable or not."""
        return sum(outcome.is_answered for outcome in self._outcomes.values())

    def commonest_error(self) -> str:
        """Why most of those have none that have none; empty where all have one."""
        errors = Counter(each.error for each in self._outcomes.values() if each.error is not None)
        return errors.most_common(1)[0][0] if errors else ""

    def samples(self) -> Samples:
        """The scores by row: of each metric a series a criterion, and ``overall``."""
        replies: dict[str, list[dict[str, list[str]]]] = {
            metric: [{} for _ in self._rows] for metric in self._rubrics
        }
        for question in self._questions():
            reply, _ = self._reply(question)
            if reply is not None:
                replies[question.metric][question.row].setdefault(question.prompt.criterion.name, []).append(
                    reply
                )
        return {
            metric: summary(rubric, [judged_row(rubric, row) for row in replies[metric]])
            for metric, rubric in self._rubrics.items()
        }

    def lines(self) -> Iterator[dict[str, Any]]:
        """The record: a question each, with its prompts, the raw reply, and what was read in it."""
        for question in self._questions():
            prompt = question.prompt
            yield {
                "row": self._rows[question.row].number,
                "metric": question.metric,
                "criterion": prompt.criterion.name,
                "system": prompt.system,
                "user": prompt.user,
                **self._read(question),
            }

    def artifacts(self, judge: str) -> dict[str, Any]:
        """What the result says beside the scores: raw replies by metric, row and criterion; counts.

        Args:
            judge: the model that was asked.
        """
        told: dict[str, list[dict[str, Any]]] = {metric: [{} for _ in self._rows] for metric in self._rubrics}
        unread: dict[str, Counter[str]] = {metric: Counter() for metric in self._rubrics}
        count = 0
        for question in self._questions():
            count += 1
            read = self._read(question)
            told[question.metric][question.row][question.prompt.criterion.name] = read
            if read["failure"] is not None:
                unread[question.metric][read["failure"]] += 1
        return {
            "judgements": told,
            "judge": {
                "model": judge,
                "questions": count,
                "answered": self.answered,
                "unreadable": {metric: dict(failures) for metric, failures in unread.items()},
                "input_tokens": self._tokens("input_tokens"),
                "output_tokens": self._tokens("output_tokens"),
                "remembered": sum(outcome.was_remembered for outcome in self._outcomes.values()),
            },
        }

    def _questions(self) -> Iterator[Question]:
        return questions(self._rubrics, self._rows)

    def _reply(self, question: Question) -> tuple[str | None, str | None]:
        """The raw reply, or why there is none."""
        outcome = self._outcomes.get(question.number)
        if outcome is None:
            return None, _NOT_ASKED
        if outcome.input_hash != input_hash(question.prompt.user).hex():
            return None, _OTHER_WORDS
        return outcome.prediction, outcome.error

    def _read(self, question: Question) -> dict[str, Any]:
        reply, error = self._reply(question)
        read = None if reply is None else parse_reply(reply, question.prompt.criterion)
        return {
            "reply": reply,
            "error": error,
            "score": None if read is None else read.score,
            "reason": "" if read is None else read.reason,
            "failure": None if read is None or read.failure is None else read.failure.value,
        }

    def _tokens(self, name: str) -> int | None:
        """What was counted; ``None`` when the endpoint counts nothing."""
        known = [count for each in self._outcomes.values() if (count := getattr(each, name)) is not None]
        return sum(known) if known else None


def agreements(
    people: Sequence[HumanScores], samples: Samples, seed: int = SEED
) -> tuple[dict[str, Mean], list[dict[str, Any]]]:
    """How far the judge agrees with people: Cohen's kappa by ``metric.criterion`` as values of the result,
    and all that is known of each.

    Args:
        people: what they said.
        samples: of the judge.
        seed: of the intervals.
    """
    values: dict[str, Mean] = {}
    details: list[dict[str, Any]] = []
    for one in people:
        name = f"{one.metric}.{one.criterion.name}"
        found = human_agreement(one, samples[one.metric][one.criterion.name], seed)
        plain, weighted = found.plain, found.weighted
        detail: dict[str, Any] = {"name": name, "column": one.column, "why_none": found.why_none}
        if plain is not None and weighted is not None:
            detail |= {"rows": plain.rows, "observed": plain.observed}
            for kind, kappa in (("kappa", plain), ("weighted_kappa", weighted)):
                detail |= {kind: kappa.kappa, f"{kind}_interval": kappa.interval and list(kappa.interval)}
            kind_of_interval = IntervalKind.NONE if plain.interval is None else IntervalKind.BOOTSTRAP
            missing = len(one.scores) - plain.rows
            values[name] = Mean(plain.kappa, plain.interval, kind_of_interval, plain.rows, missing)
        details.append(detail)
    return values, details
