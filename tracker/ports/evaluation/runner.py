"""What runs the workers of jobs."""

from __future__ import annotations

from typing import Protocol

from tracker.domain.evaluation.jobs.deciding import Report
from tracker.domain.evaluation.jobs.errand import Errand
from tracker.domain.ids import JobId

__all__ = ["JobRunner"]


class JobRunner(Protocol):
    """Runs one program, ``python -m tracker.worker``, for each attempt at a job, here or elsewhere.

    All methods are idempotent by job and attempt, and any process of the installation may call them:
    nothing that a runner has to know is in memory alone. No errand's handle is in an environment, a command
    line, a log, or an answer of a runner's own API.
    """

    async def start(self, errand: Errand) -> None:
        """Takes an attempt; it begins when a slot is free. One that was taken before is left as it is, one
        that was killed before it came is not begun.

        Raises:
            Unavailable: the runner does not answer; whether it has the attempt, `sight` tells.
        """
        ...

    async def sight(self, job_id: JobId, attempt: int) -> Report:
        """What is known of an attempt, within a few seconds; never raises. ``has_result`` is left to the
        caller."""
        ...

    async def kill(self, job_id: JobId, attempt: int) -> None:
        """Ends it with all processes it started, or has it never begin.

        Raises:
            Unavailable: the runner does not answer.
        """
        ...

    async def logs(self, job_id: JobId, attempt: int, *, most: int = 1_000_000) -> str:
        """The end of what its worker printed, at most so many characters; empty where nothing is known.

        Raises:
            Unavailable: the runner does not answer.
        """
        ...

    async def forget(self, job_id: JobId) -> None:
        """Lets go of what is kept of all attempts at a job, which have ended; twice is no error, and a runner
        that does not answer, or has an attempt that still runs, keeps it without one."""
        ...

    async def known(self) -> frozenset[JobId]:
        """Jobs of which it keeps anything for this installation alone; a runner that several share, and that
        lets go by itself, names none.

        Raises:
            Unavailable: the runner does not answer.
        """
        ...

    async def check(self) -> None:
        """Returns when the runner could take an attempt now.

        Raises:
            Unavailable: it does not answer.
        """
        ...

    async def close(self) -> None:
        """Lets go of connections; attempts go on. Safe to call twice."""
        ...
