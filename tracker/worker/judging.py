"""Asks a judge: each question is a row that is sent, kept and remembered by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from tracker.adapters.system.random_bits import RandomBits
from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.hashing import CacheKeys
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.jobs.config import Judge
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.retrying import RetryRules
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.scoring.questions import questions
from tracker.domain.evaluation.scoring.rubric import JUDGE_SYSTEM, Rubric
from tracker.ports.clock import Clock
from tracker.ports.evaluation.desk import Admission, Desk
from tracker.ports.evaluation.language_model import LanguageModel
from tracker.worker.inference import Inference
from tracker.worker.lease_keeper import LeaseKeeper
from tracker.worker.pace import Pace
from tracker.worker.sending import Asked, Sending

__all__ = ["QuestionRows", "judge_key", "judge_slots", "replies"]

_MOST_SLOTS = 256
_BITS = 2.0**64


class QuestionRows:
    """Questions as rows: a question's number, and its words as the example.

    Args:
        rubrics: by metric.
        rows: that are judged.
    """

    def __init__(self, rubrics: Mapping[str, Rubric], rows: Sequence[Row]) -> None:
        self._rubrics = rubrics
        self._rows = rows

    def rows(self) -> Iterator[Row]:
        """They, from the first; written out as they are asked for."""
        for question in questions(self._rubrics, self._rows):
            yield Row(question.number, question.prompt.user)


async def replies(
    desk: Desk,
    admission: Admission,
    lease: LeaseKeeper,
    *,
    judge: Judge,
    asked: QuestionRows,
    model: LanguageModel,
    rules: RetryRules,
    clock: Clock,
    chance: Callable[[], float] | None = None,
) -> dict[int, RowOutcome]:
    """What came of each question; those that have a reply since an earlier attempt are not sent again.

    Args:
        desk: keeps replies.
        admission: the work.
        lease: of the attempt.
        judge: how it is asked.
        asked: the questions.
        model: the judge.
        rules: how often a question is sent again.
        clock: tells when replies came.
        chance: draws from 0 to 1, for pauses.

    Raises:
        Conflict, DeskLost: the attempt has to end.
        Invalid: the judge refuses the key, or so many questions in a row that the rest makes no sense.
    """
    job, slots = admission.job, judge_slots(admission.job)
    shared = Asked(model, JUDGE_SYSTEM, judge.generation_config, None, job.attempt, slots)
    bits = RandomBits()
    sending = Sending(
        shared, lease, Pace(), rules=rules, clock=clock, chance=chance or (lambda: bits.next64() / _BITS)
    )
    work = Inference(desk, lease, asked, keys=CacheKeys(**judge.cached_by()), sending=sending, slots=slots)
    try:
        await work.send_all(clock, job.attempt)
    except Invalid as error:
        raise Invalid(f"llm_as_judge: the judge {judge.reference} cannot be asked: {error.detail}") from error
    return await lease.ask(lambda: _outcomes(desk))


def judge_slots(job: Job) -> int:
    """How many questions are asked at once."""
    return min(job.batch_size, _MOST_SLOTS)


def judge_key(judge: Judge, admission: Admission) -> None:
    """Lets pass a judge whose key is there, if it needs one.

    Raises:
        Invalid: it is not.
    """
    name = judge.secret_key_name
    if name is None and judge.model_base_url is None:
        raise Invalid.field(
            "llm_as_judge.secret_key_name",
            f"the judge {judge.model_name} is asked at OpenAI's own endpoint, which wants a key: store it as "
            "a secret and name that here, or give model_base_url",
        )
    if name is not None and name not in admission.secrets:
        raise Invalid.field("llm_as_judge.secret_key_name", f"there is no secret {name!r} any more")


async def _outcomes(desk: Desk) -> dict[int, RowOutcome]:
    return {outcome.number: outcome async for outcome in desk.outcomes()}
