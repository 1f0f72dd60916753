"""Leases: who works on a job, and until when that is believed without a sign of life."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Conflict
from tracker.domain.frozen import Frozen
from tracker.domain.text import storable

__all__ = ["Holder", "Lease", "Rules"]

Holder = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(storable)]


class Rules(Frozen):
    """How long what is waited for. The lengths add up to an answer within ten seconds of a death.

    Attributes:
        lease: a sign of life is believed for so long.
        heartbeat: signs of life are given so often.
        margin: before the end of its lease, a worker begins nothing more: clocks differ.
        patience: with a runner that does not answer, before its job fails.
        grace: for a job that was told to stop, before it counts as stopped unconfirmed.
        poll: a runner is asked again after so long.
        queue: for a slot.
        first_pause: before the second attempt; each further one that got nowhere doubles it.
        longest_pause: between attempts.
        fruitless: so many attempts in a row may finish no row.
        attempts: there may be so many in all, until somebody asks for a retry.
    """

    lease: timedelta = timedelta(seconds=9)
    heartbeat: timedelta = timedelta(seconds=3)
    margin: timedelta = timedelta(seconds=1)
    patience: timedelta = timedelta(seconds=6)
    grace: timedelta = timedelta(seconds=10)
    poll: timedelta = timedelta(seconds=1)
    queue: timedelta = timedelta(days=1)
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(seconds=60)
    fruitless: Annotated[int, Field(ge=1, le=100)] = 3
    attempts: Annotated[int, Field(ge=1, le=1000)] = 100

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        lengths = (self.patience, self.grace, self.poll, self.queue, self.first_pause, self.longest_pause)
        if min(lengths) <= timedelta(0):
            raise PydanticCustomError("lease_rules", "every length of time is above 0")
        if not timedelta(0) <= self.margin < self.heartbeat < self.lease - self.margin:
            raise PydanticCustomError(
                "lease_rules", "a lease is longer than a heartbeat and a margin, a heartbeat than a margin"
            )
        return self

    def pause(self, fruitless: int) -> timedelta:
        """How long to wait before the next attempt after so many in a row that got nowhere."""
        return min(self.longest_pause, self.first_pause * (1 << min(max(0, fruitless - 1), 20)))


class Lease(Frozen):
    """A claim on one attempt.

    The attempt's number is the fencing token: it only grows, and whatever a worker writes carries it.

    Attributes:
        holder: the process that watches the attempt; another may take that over while it goes on.
        until: without another sign of life, others may go on from here.
        attempt: which, from 1.
    """

    holder: Holder
    until: AwareDatetime
    attempt: Annotated[int, Field(ge=1)]

    def is_live(self, now: datetime) -> bool:
        """Whether nobody else may take the job."""
        return now < self.until

    def check(self, attempt: int) -> None:
        """Lets pass the attempt whose lease this is, whoever watches it.

        Raises:
            Conflict: another has taken the job; this one has to stop working.
        """
        if attempt != self.attempt:
            raise Conflict(
                f"lease: attempt {attempt} has lost the job to attempt {self.attempt} of {self.holder}"
            )

    def renewed(self, now: datetime, rules: Rules) -> Self:
        """After a sign of life. One that comes late is good, so long as nobody has taken the job."""
        return self.evolve(until=max(self.until, now + rules.lease))

    def may_begin_row(self, now: datetime, rules: Rules) -> bool:
        """Whether its attempt may send one more row to a model.

        Whoever was asleep for longer than its lease finds here that others may have gone on, before it
        pays for another row.
        """
        return now < self.until - rules.margin
