"""Inference: every row of a dataset that has no answer is sent to a model.

A row is sent only while its attempt has the lease, and a slot sends its next one only when what came of the
last is kept: an attempt that is cut off has paid for no more rows in vain than it has slots. Rows are sent in
the dataset's order. Those that get no answer keep their error; the job succeeds when any row was answered.
When none was, it is refused for the commonest reason. A key that is refused ends it at once, and so do many
rows in succession that are lost for reasons that are not theirs: the rest would cost time and bring nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from tracker.adapters.language_models.hf import Loading
from tracker.adapters.language_models.opened import opened_model
from tracker.adapters.system.clock import SystemClock
from tracker.adapters.system.random_bits import RandomBits
from tracker.domain.errors import Invalid, TrackerError
from tracker.domain.evaluation.datasets.hashing import CacheKeys, input_hash
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.jobs.config import InferenceConfig, config_of
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.retrying import RetryRules
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.models import CatalogueEntry
from tracker.ports.clock import Clock
from tracker.ports.evaluation.desk import Admission, Desk
from tracker.ports.evaluation.language_model import LanguageModel
from tracker.worker.committing import GroupCommit
from tracker.worker.fetched import FetchedRows, Tables, fetched_rows
from tracker.worker.lease_keeper import LeaseKeeper
from tracker.worker.pace import Pace
from tracker.worker.result_files import ResultFiles
from tracker.worker.sending import Asked, Sending, Todo

__all__ = ["Inference", "infer", "parameters_of", "run"]

_MOST_SLOTS = 256
_BLOCK = 256
"""Rows that the cache is asked for at once, and that wait for a slot."""

_BITS = 2.0**64


async def run(desk: Desk, admission: Admission, lease: LeaseKeeper) -> None:
    """Does an inference, as :mod:`tracker.worker` says.

    Raises:
        Conflict, DeskLost: the attempt has to end.
        Invalid: the model cannot be reached or loaded, refuses the key, or answered no row.
    """
    config = _config(admission.job)
    key = None
    if config.secret_key_name is not None:
        key = admission.secrets.get(config.secret_key_name)
        if key is None:
            raise Invalid.field("secret_key_name", f"there is no secret {config.secret_key_name!r} any more")
    loading = Loading(
        task=config.task_definition,
        revision=config.revision,
        accelerator=config.accelerator,
        torch_dtype=config.torch_dtype,
        use_fast=config.use_fast,
        trust_remote_code=config.trust_remote_code,
    )
    model = opened_model(config.reference, key, at_once=_slots(admission.job), loading=loading)
    try:
        await infer(desk, admission, lease, model)
    finally:
        await model.close()


async def infer(
    desk: Desk,
    admission: Admission,
    lease: LeaseKeeper,
    model: LanguageModel,
    *,
    rules: RetryRules | None = None,
    clock: Clock | None = None,
    chance: Callable[[], float] | None = None,
    tables: Tables | None = None,
) -> None:
    """Does an inference with a model that is there.

    Args:
        desk: has the rows and takes what comes of them.
        admission: the work.
        lease: of the attempt.
        model: that is asked.
        rules: how often a row is sent again.
        clock: tells when answers came.
        chance: draws from 0 to 1, for pauses.
        tables: reads datasets that are no text.

    Raises:
        Conflict, DeskLost, Invalid: as of :func:`run`.
    """
    job, dataset = admission.job, admission.dataset
    config = _config(job)
    if config.store_to_dataset and config.output_field == dataset.columns.examples:
        raise Invalid.field("output_field", "is the column of the examples; take another")
    async with fetched_rows(desk, lease, dataset, job.max_samples, tables) as rows:
        if not rows.total:
            raise Invalid("dataset: it has no rows")
        await lease.begin(rows.total)
        slots = min(_slots(job), rows.total)
        asked = Asked(
            model, config.effective_prompt, config.generation_config, admission.model, job.attempt, slots
        )
        bits = RandomBits()
        sending = Sending(
            asked,
            lease,
            Pace(_per_minute(config, admission.model)),
            rules=rules or RetryRules(),
            clock=clock or SystemClock(),
            chance=chance or (lambda: bits.next64() / _BITS),
        )
        keys = CacheKeys(**config.cached_by())
        work = Inference(desk, lease, rows, keys=keys, sending=sending, slots=slots)
        await work.send_all(clock or SystemClock(), job.attempt)
        await _leave(desk, lease, rows, job, config)


class Rows(Protocol):
    """Rows that can be read, such as :class:`~tracker.worker.fetched.FetchedRows`."""

    def rows(self) -> Iterator[Row]:
        """They, from the first, by number."""
        ...


class Inference:
    """The rows of one attempt on their way through its slots.

    Args:
        desk: says what need not be sent.
        lease: of the attempt.
        rows: of the dataset.
        keys: by which answers are remembered.
        sending: sends one row.
        slots: rows that are sent at once.
    """

    def __init__(
        self,
        desk: Desk,
        lease: LeaseKeeper,
        rows: Rows,
        *,
        keys: CacheKeys,
        sending: Sending,
        slots: int,
    ) -> None:
        self._desk = desk
        self._lease = lease
        self._rows = rows
        self._keys = keys
        self._sending = sending
        self._slots = slots
        self._commit = GroupCommit(lease, slots)
        self._waiting: asyncio.Queue[Todo | None] = asyncio.Queue(_BLOCK)

    async def send_all(self, clock: Clock, attempt: int) -> None:
        """Returns when every row has an outcome that is kept.

        When it cannot go on, no more is sent; what is under way comes to its end and is kept.

        Raises:
            Conflict, DeskLost: the attempt has to end.
            Invalid: it makes no sense to send more.
        """
        finding = asyncio.create_task(self._find_rows(clock, attempt))
        watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._slots):
                    group.create_task(self._slot())
        finally:
            finding.cancel()
            watching.cancel()
            await asyncio.wait({finding, watching})
            await self._commit.settle()
        if self._sending.halted is not None:
            raise self._sending.halted
        finding.result()

    async def _slot(self) -> None:
        try:
            while (todo := await self._waiting.get()) is not None:
                outcome = await self._sending.outcome(todo)
                if outcome is None:
                    return
                await self._commit.keep((outcome,), {todo.number: todo.key} if outcome.is_answered else {})
        except TrackerError as error:
            self._sending.halt(error)

    async def _watch(self) -> None:
        """A pause before another try ends when the attempt has to."""
        await self._lease.until_over()
        self._sending.halt(self._lease.ended or Invalid("the attempt has to end"))

    async def _find_rows(self, clock: Clock, attempt: int) -> None:
        """Finds the rows that have to be sent, a few ahead of the slots."""
        try:
            answered = await self._lease.ask(self._desk.answered)
            block: list[Todo] = []
            for row in self._rows.rows():
                if row.number not in answered:
                    called = input_hash(row.example)
                    block.append(Todo(row.number, row.example, called.hex(), self._keys.key(called)))
                if len(block) >= _BLOCK or (row.number % _BLOCK == 0 and not block):
                    await self._offer(block, clock, attempt)
                    block = []
            await self._offer(block, clock, attempt)
        except TrackerError as error:
            self._sending.halt(error)
        finally:
            for _ in range(self._slots):
                await self._waiting.put(None)

    async def _offer(self, block: Sequence[Todo], clock: Clock, attempt: int) -> None:
        if not block:
            await asyncio.sleep(0)  # heartbeats go on while answered rows are passed over
            return
        keys = [todo.key for todo in block]
        known = await self._lease.ask(lambda: self._desk.remembered(keys))
        remembered = [
            _remembered(known[todo.key], todo, attempt, clock) for todo in block if todo.key in known
        ]
        if remembered:
            await self._commit.keep(remembered, {})
        for todo in block:
            if todo.key not in known:
                await self._waiting.put(todo)


def _remembered(known: RowOutcome, todo: Todo, attempt: int, clock: Clock) -> RowOutcome:
    """An earlier answer as the outcome of a row: it is not sent, and costs nothing."""
    return known.evolve(
        number=todo.number,
        input_hash=todo.input_hash,
        cost=0.0,
        seconds=0.0,
        tries=0,
        attempt=attempt,
        at=clock.now(),
    )


async def _leave(
    desk: Desk, lease: LeaseKeeper, rows: FetchedRows, job: Job, config: InferenceConfig
) -> None:
    """Leaves the dataset, and last the result: with it, the job is done."""
    with await lease.ask(lambda: _joined(desk, rows, config)) as files:
        if not files.tally.answered:
            raise Invalid(f"model: no row was answered; most often because {files.commonest_reason()}")
        if config.store_to_dataset:
            await lease.ask(lambda: desk.leave("dataset", files.dataset()))
        parameters = parameters_of(job, config)
        await lease.ask(lambda: desk.leave("result", files.result(model=config.model, parameters=parameters)))


async def _joined(desk: Desk, rows: FetchedRows, config: InferenceConfig) -> ResultFiles:
    """All rows with what is known of them; both come by number."""
    files = ResultFiles(rows.dataset.columns, config.output_field, with_dataset=config.store_to_dataset)
    try:
        left = rows.rows()
        async for outcome in desk.outcomes():
            for row in left:
                files.add(row, outcome if row.number == outcome.number else None)
                if row.number >= outcome.number:
                    break
            if outcome.number % _BLOCK == 0:
                await asyncio.sleep(0)
        for row in left:
            files.add(row, None)
    except BaseException:
        files.__exit__(None, None, None)
        raise
    return files


def parameters_of(job: Job, config: InferenceConfig) -> dict[str, Any]:
    """What the result says of how it was made."""
    return {
        **config.model_dump(mode="json"),
        "system_prompt": config.effective_prompt,
        "dataset": str(job.dataset_id),
        "max_samples": job.max_samples,
        "batch_size": job.batch_size,
    }


def _config(job: Job) -> InferenceConfig:
    config = config_of(job.kind, job.config)
    if not isinstance(config, InferenceConfig):
        raise Invalid(f"job: {job.kind} is no inference")
    return config


def _slots(job: Job) -> int:
    return min(job.batch_size, _MOST_SLOTS)


def _per_minute(config: InferenceConfig, model: CatalogueEntry | None) -> float | None:
    """The limit of the job, else what the catalogue says under ``requests_per_minute``."""
    if config.requests_per_minute is not None or model is None:
        return config.requests_per_minute
    found: object = model.defaults.get("requests_per_minute")
    if isinstance(found, bool) or not isinstance(found, int | float) or found <= 0:
        return None
    return float(found)
