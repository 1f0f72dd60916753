"""Evaluation: the answers of a dataset are scored, by measures and by a judge.

Everything that can be refused is refused before a judge costs anything. Measures are computed anew by each
attempt, which is cheap; replies of a judge are kept one by one as they come, so that a retry asks for the
rest only, and a question that was answered in another evaluation of the project is not asked again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tracker.adapters.language_models.opened import opened_model
from tracker.adapters.system.clock import SystemClock
from tracker.adapters.text_metrics import PackagedTextMetrics
from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.jobs.config import EvaluatorConfig, Judge, config_of
from tracker.domain.evaluation.jobs.files import JUDGEMENTS, RESULT
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.retrying import RetryRules
from tracker.domain.evaluation.judgements import AGREEMENT, Judgements, agreements
from tracker.domain.evaluation.models import ModelReference
from tracker.domain.evaluation.results import Document, evaluation_result
from tracker.domain.evaluation.scoring.human import HumanScores, human_scores
from tracker.domain.evaluation.scoring.intervals import SEED, Mean
from tracker.domain.evaluation.scoring.names import Chosen, chosen, obstacle
from tracker.domain.evaluation.scoring.questions import question_count, rubrics_of
from tracker.domain.evaluation.scoring.rubric import Rubric
from tracker.domain.evaluation.scoring.scored import Samples, is_own, own_samples
from tracker.domain.evaluation.secrets import PlainSecret
from tracker.ports.clock import Clock
from tracker.ports.evaluation.desk import Admission, Desk
from tracker.ports.evaluation.language_model import LanguageModel
from tracker.ports.evaluation.text_metrics import TextMetrics
from tracker.worker.fetched import Tables, fetched_rows
from tracker.worker.judging import QuestionRows, judge_key, judge_slots, replies
from tracker.worker.lease_keeper import LeaseKeeper

__all__ = ["Tools", "evaluate", "run"]

_PIECE = 2**20
_LINES = 100


class Tools(NamedTuple):
    """What an evaluation works with.

    Attributes:
        metrics: that packages compute.
        rules: how often a judge is asked again.
        clock: tells when replies came.
        tables: reads datasets that are no text; ``None`` reads Parquet.
        opened: reaches a model.
        chance: draws from 0 to 1, for pauses; ``None`` draws by itself.
    """

    metrics: TextMetrics
    rules: RetryRules = RetryRules()
    clock: Clock = SystemClock()
    tables: Tables | None = None
    opened: Callable[[ModelReference, PlainSecret | None, int], LanguageModel] = (
        lambda reference, key, at_once: opened_model(reference, key, at_once=at_once)
    )
    chance: Callable[[], float] | None = None


class _Measured(NamedTuple):
    """What was computed: scores by row, and values of all rows."""

    samples: Samples
    corpus: dict[str, Mapping[str, Mean]]


class _Plan(NamedTuple):
    """What is to be done, after all of it was checked."""

    job: Job
    config: EvaluatorConfig
    metrics: tuple[Chosen, ...]
    rows: Sequence[Row]
    rubrics: Mapping[str, Rubric]
    people: tuple[HumanScores, ...]

    @property
    def predictions(self) -> list[str | None]:
        return [row.prediction for row in self.rows]

    @property
    def truths(self) -> list[str | None]:
        return [row.ground_truth for row in self.rows]


async def run(desk: Desk, admission: Admission, lease: LeaseKeeper) -> None:
    """Does an evaluation, as :mod:`tracker.worker` says.

    Raises:
        Conflict, DeskLost: the attempt has to end.
        Invalid: what was asked for cannot be computed, or the judge cannot be asked.
        Unavailable: what computes a metric is not there.
    """
    await evaluate(desk, admission, lease, Tools(PackagedTextMetrics()))


async def evaluate(desk: Desk, admission: Admission, lease: LeaseKeeper, tools: Tools) -> None:
    """Does an evaluation with these tools. Raises what :func:`run` raises."""
    config = _config(admission.job)
    picked = chosen(config.metrics, tools.metrics.installed)
    rubrics = rubrics_of(picked, config.llm_as_judge.rubric if config.llm_as_judge else None)
    if rubrics and config.llm_as_judge is not None:
        judge_key(config.llm_as_judge, admission)
    loop = asyncio.get_running_loop()
    dataset, most = admission.dataset, admission.job.max_samples
    async with fetched_rows(desk, lease, dataset, most, tools.tables) as fetched:
        rows = await asyncio.to_thread(list, fetched.rows())
    people = _checked(config, picked, rubrics, rows, dataset.names)
    plan = _Plan(admission.job, config, picked, rows, rubrics, people)
    await lease.begin(question_count(rubrics, rows) if rubrics else None)
    began = loop.time()
    measured = await asyncio.to_thread(_measured, plan, tools.metrics)
    judged = await _judged(desk, admission, lease, plan, tools)
    document = await asyncio.to_thread(_result, plan, measured, judged, loop.time() - began)
    if judged is not None:
        await lease.ask(lambda: desk.leave(JUDGEMENTS, _lines(judged.lines())))
    content = await asyncio.to_thread(_encoded, document)
    await lease.ask(lambda: desk.leave(RESULT, _pieces(content)))


def _config(job: Job) -> EvaluatorConfig:
    config = config_of(job.kind, job.config)
    if not isinstance(config, EvaluatorConfig):
        raise Invalid(f"job: {job.kind} is no evaluation")
    return config


def _checked(
    config: EvaluatorConfig,
    picked: tuple[Chosen, ...],
    rubrics: Mapping[str, Rubric],
    rows: Sequence[Row],
    names: Sequence[str],
) -> tuple[HumanScores, ...]:
    """Lets pass what can be computed; people's scores, if there are to be any."""
    if all(row.prediction is None for row in rows):
        raise Invalid(
            "dataset: no row has a prediction to evaluate; take a dataset that a model has answered"
        )
    judge = config.llm_as_judge
    truths = sum(row.ground_truth is not None and row.prediction is not None for row in rows)
    why = obstacle(picked, rows_with_truth=truths, has_judge=judge is not None)
    if why is not None:
        raise Invalid.field("metrics", why)
    if not rubrics or judge is None or judge.human_score is None:
        return ()
    return human_scores(judge.human_score, rubrics, rows, names)


def _measured(plan: _Plan, metrics: TextMetrics) -> _Measured:
    """What needs nobody to be asked."""
    samples = own_samples(plan.metrics, plan.predictions, plan.truths)
    corpus: dict[str, Mapping[str, Mean]] = {}
    sources = [row.example for row in plan.rows]
    for metric in plan.metrics:
        if is_own(metric) or metric.spec.needs_judge:
            continue
        if metric.spec.of_corpus:
            corpus[metric.asked] = metrics.corpus(metric, plan.predictions, plan.truths, SEED)
        else:
            found = metrics.samples(metric, plan.predictions, plan.truths, sources)
            samples[metric.asked] = dict(found)
    return _Measured(samples, corpus)


async def _judged(
    desk: Desk, admission: Admission, lease: LeaseKeeper, plan: _Plan, tools: Tools
) -> Judgements | None:
    judge = plan.config.llm_as_judge
    if judge is None or not plan.rubrics:
        return None
    model = tools.opened(judge.reference, _key(judge, admission), judge_slots(admission.job))
    try:
        outcomes = await replies(
            desk, admission, lease, judge=judge, asked=QuestionRows(plan.rubrics, plan.rows), model=model,
            rules=tools.rules, clock=tools.clock, chance=tools.chance,
        )  # fmt: skip
    finally:
        await model.close()
    judged = Judgements(plan.rubrics, plan.rows, outcomes)
    if outcomes and not judged.answered:
        raise Invalid(
            f"llm_as_judge: no question was answered; most often because {judged.commonest_error()}"
        )
    return judged


def _key(judge: Judge, admission: Admission) -> PlainSecret | None:
    return None if judge.secret_key_name is None else admission.secrets[judge.secret_key_name]


def _result(plan: _Plan, measured: _Measured, judged: Judgements | None, seconds: float) -> Document:
    more: dict[str, Any] = {}
    samples, values = measured.samples, dict(measured.corpus)
    judge = plan.config.llm_as_judge
    if judged is not None and judge is not None:
        scores = judged.samples()
        samples = samples | scores
        more = judged.artifacts(str(judge.reference))
        if plan.people:
            kappas, more[AGREEMENT] = agreements(plan.people, scores)
            values[AGREEMENT] = kappas
    document = evaluation_result(
        {metric.asked: samples[metric.asked] for metric in plan.metrics if metric.asked in samples},
        corpus=values,
        predictions=plan.predictions,
        ground_truth=plan.truths,
        seconds=seconds,
        parameters=_parameters(plan),
    )
    document["artifacts"] |= more
    return document


def _parameters(plan: _Plan) -> dict[str, Any]:
    """What the result says of how it was made."""
    job = plan.job
    return {
        **plan.config.model_dump(mode="json"),
        "variants": {one.asked: one.variant for one in plan.metrics if one.variant is not None},
        "seed": SEED,
        "dataset": str(job.dataset_id),
        "max_samples": job.max_samples,
        "batch_size": job.batch_size,
    }


def _encoded(document: Document) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]


async def _lines(lines: Iterable[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """JSON Lines, some at a time; heartbeats go on between them."""
    some: list[bytes] = []
    for line in lines:
        some.append(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        if len(some) == _LINES:
            yield b"".join(some)
            some = []
            await asyncio.sleep(0)
    yield b"".join(some)
