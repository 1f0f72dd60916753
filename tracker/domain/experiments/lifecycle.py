"""The states of an experiment and the moves between them.

::

    from       to
    planned    running, complete, failed
    running    complete, failed
    complete   running, failed
    failed     running, complete

A run that ended may be resumed (back to running) or judged anew (complete <-> failed). Nothing
that has started becomes planned again.
"""

from __future__ import annotations

from enum import StrEnum

from tracker.domain.errors import InvalidTransition

__all__ = ["Status", "check_transition"]


class Status(StrEnum):
    """Where an experiment is in its life."""

    PLANNED = "planned"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        """Whether no more values are expected."""
        return self in (Status.COMPLETE, Status.FAILED)


_MOVES = {
    Status.PLANNED: {Status.RUNNING, Status.COMPLETE, Status.FAILED},
    Status.RUNNING: {Status.COMPLETE, Status.FAILED},
    Status.COMPLETE: {Status.RUNNING, Status.FAILED},
    Status.FAILED: {Status.RUNNING, Status.COMPLETE},
}


def check_transition(present: Status, wanted: Status) -> None:
    """Lets pass a move that the life cycle knows; staying is always allowed.

    Raises:
        InvalidTransition: it does not lead from `present` to `wanted`.
    """
    if wanted != present and wanted not in _MOVES[present]:
        allowed = ", ".join(sorted(_MOVES[present]))
        raise InvalidTransition(
            f"status: an experiment that is {present} cannot become {wanted} (it can become {allowed})"
        )
