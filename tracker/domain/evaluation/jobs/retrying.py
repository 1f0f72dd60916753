"""Whether and when a row is sent to its model again."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import Field

from tracker.domain.frozen import Frozen

__all__ = ["Failure", "RetryRules", "Verdict", "after_failure", "failure_of_status"]


class Failure(StrEnum):
    """Why a model gave no answer."""

    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    MALFORMED = "malformed"
    """It answered, and was paid, but the answer cannot be read."""
    REFUSED = "refused"
    """It will not take this row, whatever is done."""
    KEY_REFUSED = "key_refused"
    """It will take no row from us."""

    @property
    def stops_job(self) -> bool:
        """Whether every other row would meet it as well."""
        return self is Failure.KEY_REFUSED

    @property
    def is_of_the_place(self) -> bool:
        """Whether it says more of the endpoint than of the row."""
        return self is not Failure.REFUSED


class RetryRules(Frozen):
    """How often a row is sent again, and after what pause.

    Attributes:
        tries: of one row, the first included.
        paid_tries: of a row whose answers cost money and cannot be read.
        first: pause after the first failure, in seconds; each further one doubles it.
        longest: pause.
        longest_asked: a pause that the server asks for is kept up to so much, in seconds.
        hopeless: when so many rows in succession, and twice as many as are sent at once, got no answer for
            reasons that are not theirs, the other rows are not tried.
    """

    tries: Annotated[int, Field(ge=1, le=100)] = 6
    paid_tries: Annotated[int, Field(ge=1, le=100)] = 2
    first: Annotated[float, Field(gt=0, le=3600)] = 0.5
    longest: Annotated[float, Field(gt=0, le=3600)] = 30.0
    longest_asked: Annotated[float, Field(ge=0, le=3600)] = 120.0
    hopeless: Annotated[int, Field(ge=1)] = 10

    def are_hopeless(self, lost: int, slots: int) -> bool:
        """Whether to leave the other rows alone, after `lost` rows in succession without an answer.

        Args:
            lost: of failures that are :attr:`Failure.is_of_the_place`.
            slots: rows that are sent at once: all of them meet the same minute of trouble.
        """
        return lost >= max(self.hopeless, 2 * slots)


class Verdict(NamedTuple):
    """What becomes of a row.

    Attributes:
        pause: before it is sent again; ``None`` = never again.
        stops_job: whether the job should fail now, and leave its other rows alone.
        why: in words.
    """

    pause: timedelta | None
    stops_job: bool
    why: str


def failure_of_status(status: int) -> Failure | None:
    """What an HTTP status says; ``None`` for one that is no failure."""
    if status < 400:
        return None
    if status in (401, 403):
        return Failure.KEY_REFUSED
    if status in (408, 504):
        return Failure.TIMEOUT
    if status in (425, 429):
        return Failure.RATE_LIMITED
    return Failure.SERVER if status >= 500 else Failure.REFUSED


def after_failure(
    failure: Failure, tries: int, rules: RetryRules, *, jitter: float, asked: float | None = None
) -> Verdict:
    """What becomes of a row that has failed.

    The pause is drawn between half and all of ``first * 2 ** (tries - 1)``, at most `longest`: callers that
    failed together do not come back together, and none comes back at once. A pause that the server asks
    for is never cut short, within reason.

    Args:
        failure: the last one.
        tries: how often it was sent.
        rules: how often, how long.
        jitter: drawn from 0 to 1.
        asked: seconds, of the server's ``Retry-After``.
    """
    if failure in (Failure.REFUSED, Failure.KEY_REFUSED):
        return Verdict(None, failure.stops_job, f"{failure.value}: trying again would not help")
    most = min(rules.tries, rules.paid_tries) if failure is Failure.MALFORMED else rules.tries
    if tries >= most:
        return Verdict(None, False, f"{failure.value} after {tries} tries")
    whole = min(rules.longest, rules.first * 2.0 ** min(max(0, tries - 1), 60))
    pause = whole * (0.5 + 0.5 * min(max(jitter, 0.0), 1.0))
    if asked is not None and asked > 0:
        if asked > rules.longest_asked:
            return Verdict(None, False, f"{failure.value}: the server asks for a pause of {asked:g} s")
        pause = max(pause, asked)
    return Verdict(timedelta(seconds=pause), False, f"{failure.value}: try {tries + 1} of {most}")
