"""The states of a job.

::

    from       to
    created    pending, failed, stopped
    pending    running, failed, stopped
    running    succeeded, failed, stopped
    failed     pending      (a retry)
    stopped    pending      (a retry)
    succeeded

``created``: kept here, the runner need not know. ``pending``: the runner has it and waits for a slot.
An interrupted job keeps its state while it waits for its next attempt; the event log says so.
"""

from __future__ import annotations

from enum import StrEnum

from tracker.domain.errors import InvalidTransition

__all__ = ["JobStatus", "check_move"]


class JobStatus(StrEnum):
    """Where a job is."""

    CREATED = "created"
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes by itself."""
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.STOPPED)


_MOVES: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.CREATED: frozenset({JobStatus.PENDING, JobStatus.FAILED, JobStatus.STOPPED}),
    JobStatus.PENDING: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.STOPPED}),
    JobStatus.RUNNING: frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.STOPPED}),
    JobStatus.SUCCEEDED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.PENDING}),
    JobStatus.STOPPED: frozenset({JobStatus.PENDING}),
}


def check_move(present: JobStatus, wanted: JobStatus) -> None:
    """Lets pass a move of the table above.

    Raises:
        InvalidTransition: there is no such move.
    """
    if wanted not in _MOVES[present]:
        allowed = ", ".join(sorted(_MOVES[present])) or "nothing else"
        raise InvalidTransition(
            f"status: a job that is {present} cannot become {wanted} (it can become {allowed})"
        )
