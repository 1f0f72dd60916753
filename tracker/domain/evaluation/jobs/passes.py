"""By which a worker shows that it is the one that was sent."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Self

from pydantic import AwareDatetime, Field

from tracker.domain.artifacts.digest import Digest
from tracker.domain.errors import Unauthenticated
from tracker.domain.frozen import Frozen
from tracker.domain.ids import JobId, UserId

__all__ = ["LATE", "JobPass", "digest_of"]

LATE = timedelta(days=1)
"""So long after its time an attempt may still bring rows that it had under way: its machine was asleep."""


def digest_of(token: str) -> str:
    """What is kept of a handle or a pass: hex SHA-256. Both are random, so that nobody can guess from it."""
    return sha256(f"tracker-pass-1\n{token}".encode()).hexdigest()


class JobPass(Frozen):
    """The pass of one attempt.

    Attributes:
        handle_digest: of the handle that its runner was given.
        pass_digest: of the bearer token that the worker got for it; ``None`` until then.
        admitted_at: when the handle was used.
        sent_by: in whose name the job runs, and whose secrets it may use.
    """

    job_id: JobId
    attempt: Annotated[int, Field(ge=1)]
    handle_digest: Annotated[Digest, Field(repr=False)]
    pass_digest: Annotated[Digest | None, Field(repr=False)] = None
    admitted_at: AwareDatetime | None = None
    sent_by: UserId

    def admit(self, handle: str, token: str, *, at: AwareDatetime) -> Self:
        """After its handle was shown; from now on `token` is shown.

        Raises:
            Unauthenticated: the handle is another, or was used.
        """
        if self.admitted_at is not None or not compare_digest(self.handle_digest, digest_of(handle)):
            raise Unauthenticated("the handle of this attempt is not right, or was used")
        return self.evolve(pass_digest=digest_of(token), admitted_at=at)

    def check(self, token: str) -> None:
        """Lets pass who has its token.

        Raises:
            Unauthenticated: it is another, or none was given out.
        """
        if self.pass_digest is None or not compare_digest(self.pass_digest, digest_of(token)):
            raise Unauthenticated("the pass of this attempt is not right")

    def check_late(self, timeout: timedelta, *, at: AwareDatetime) -> None:
        """Lets pass rows that the attempt can have had under way.

        Args:
            timeout: of its job, after which a worker ends itself.
            at: when they come.

        Raises:
            Unauthenticated: its time has been over for longer than :data:`LATE`.
        """
        if self.admitted_at is None or at >= self.admitted_at + timeout + LATE:
            raise Unauthenticated("the pass of this attempt has run out")
