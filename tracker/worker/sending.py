"""One row on its way: sent, sent again, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from tracker.domain.errors import Invalid, TrackerError
from tracker.domain.evaluation.generation import GenerationConfig
from tracker.domain.evaluation.jobs.retrying import Failure, RetryRules, after_failure
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.models import CatalogueEntry
from tracker.ports.clock import Clock
from tracker.ports.evaluation.language_model import Answer, LanguageModel, Miss
from tracker.worker.lease_keeper import LeaseKeeper
from tracker.worker.pace import Pace

__all__ = ["Asked", "Sending", "Todo"]

_LONGEST_WHY = 2000


class Asked(NamedTuple):
    """What all rows share.

    Attributes:
        model: that is asked.
        prompt: that it is told before each example.
        generation: parameters.
        prices: what the catalogue knows of the model; ``None`` when nothing.
        attempt: at the job.
        slots: rows that are sent at once.
    """

    model: LanguageModel
    prompt: str
    generation: GenerationConfig
    prices: CatalogueEntry | None
    attempt: int
    slots: int


class Todo(NamedTuple):
    """A row to be sent: its number and example, what it is called by its input, and its cache key."""

    number: int
    example: str
    input_hash: str
    key: str


class Sending:
    """Sends rows for as long as nothing speaks against it.

    Args:
        asked: what all rows share.
        lease: of the attempt; each try waits for its turn.
        pace: how fast.
        rules: how often a row is sent again.
        clock: tells when answers came.
        chance: draws from 0 to 1.
    """

    def __init__(
        self,
        asked: Asked,
        lease: LeaseKeeper,
        pace: Pace,
        *,
        rules: RetryRules,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._asked = asked
        self._lease = lease
        self._pace = pace
        self._rules = rules
        self._clock = clock
        self._chance = chance
        self._lost = 0
        self._halt = asyncio.Event()
        self.halted: TrackerError | None = None

    def halt(self, why: TrackerError) -> None:
        """Nothing more is sent; the first reason counts. Answers that are under way may come."""
        if self.halted is None:
            self.halted = why
        self._halt.set()

    async def outcome(self, todo: Todo) -> RowOutcome | None:
        """What comes of a row in the end; ``None`` when sending was halted before its end."""
        loop = asyncio.get_running_loop()
        began, tries = 0.0, 0
        while await self._may_send():
            began, tries = began or loop.time(), tries + 1
            found = await self._asked.model.answer(self._asked.prompt, todo.example, self._asked.generation)
            if isinstance(found, Answer):
                outcome = self._answered(todo, found, loop.time() - began, tries)
                if isinstance(outcome, RowOutcome):
                    self._lost = 0
                    return outcome
                found = outcome
            verdict = after_failure(
                found.failure, tries, self._rules, jitter=self._chance(), asked=found.asked
            )
            if verdict.pause is None:
                self._note(found)
                why = f"{verdict.why}: {found.why}"[:_LONGEST_WHY]
                return self._made(todo, loop.time() - began, tries, error=_plain(why))
            await self._pause(verdict.pause, found)
        return None

    async def _may_send(self) -> bool:
        """Waits for the row's turn; whether it has come."""
        while self.halted is None:
            try:
                await self._lease.turn()
            except TrackerError as error:
                self.halt(error)
                return False
            delay = self._pace.delay(asyncio.get_running_loop().time())
            if delay <= 0:
                return self.halted is None
            await self._sleep(delay)
        return False

    async def _pause(self, pause: timedelta, found: Miss) -> None:
        if found.failure is Failure.RATE_LIMITED and found.asked:
            self._pace.leave_alone(found.asked)
        await self._sleep(pause.total_seconds())

    async def _sleep(self, seconds: float) -> None:
        """So long, or until sending is halted."""
        try:
            async with asyncio.timeout(seconds):
                await self._halt.wait()
        except TimeoutError:
            return

    def _answered(self, todo: Todo, answer: Answer, seconds: float, tries: int) -> RowOutcome | Miss:
        cost = None
        if self._asked.prices and answer.input_tokens is not None and answer.output_tokens is not None:
            cost = self._asked.prices.cost(answer.input_tokens, answer.output_tokens)
        try:
            return self._made(
                todo,
                seconds,
                tries,
                prediction=answer.text,
                reasoning=answer.reasoning,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                reasoning_tokens=answer.reasoning_tokens,
                cost=cost,
            )
        except Invalid as error:
            return Miss(Failure.MALFORMED, f"the answer cannot be kept: {error.detail}")

    def _made(self, todo: Todo, seconds: float, tries: int, **fields: object) -> RowOutcome:
        return RowOutcome(
            number=todo.number,
            input_hash=todo.input_hash,
            seconds=max(0.0, seconds),
            tries=tries,
            attempt=self._asked.attempt,
            at=self._clock.now(),
            **fields,  # type: ignore[arg-type]
        )

    def _note(self, found: Miss) -> None:
        """Halts where every other row would meet the same."""
        if found.failure.stops_job:
            self.halt(
                Invalid.field(
                    "secret_key_name", f"the endpoint refuses the key, or wants one: {_plain(found.why)}"
                )
            )
        self._lost = self._lost + 1 if found.failure.is_of_the_place else 0
        if self._rules.are_hopeless(self._lost, self._asked.slots):
            why = f"the last {self._lost} rows got no answer, at last because {_plain(found.why)}"
            self.halt(Invalid.field("model", why))


def _plain(text: str) -> str:
    """`text` without what cannot be kept."""
    return text.replace("\x00", "").encode(errors="replace").decode()
