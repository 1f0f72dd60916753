"""Why a job or a workflow is in its state."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from tracker.domain.frozen import Frozen
from tracker.domain.text import storable

__all__ = ["Cause", "Event", "Log", "logged", "reason"]

MOST_EVENTS = 1000
_LONGEST_REASON = 4000


class Cause(StrEnum):
    """What led to an event."""

    CREATED = "created"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    BEGAN = "began"
    ADOPTED = "adopted"
    INTERRUPTED = "interrupted"
    RETRIED = "retried"
    STOP_ASKED = "stop_asked"
    FINISHED = "finished"
    STOPPED = "stopped"
    WORKER_FAILED = "worker_failed"
    NO_RESULT = "no_result"
    NO_SLOT = "no_slot"
    TIMED_OUT = "timed_out"
    RUNNER_UNREACHABLE = "runner_unreachable"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    OBSTACLE = "obstacle"
    STEP_BEGAN = "step_began"
    STEP_FAILED = "step_failed"
    STEP_STOPPED = "step_stopped"
    STEP_LOST = "step_lost"


def reason(text: str) -> str:
    """`text` as an event can keep it: a reason may quote what a stranger's server said."""
    clean = text.replace("\x00", "�").encode(errors="replace").decode().strip()
    return clean[:_LONGEST_REASON] or "no reason was given"


class Event(Frozen):
    """One thing that happened.

    Attributes:
        at: when.
        status: in which it left the thing.
        cause: its stable kind.
        why: in words.
        attempt: of a job, which; 0 = before the first.
    """

    at: AwareDatetime
    status: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    cause: Cause
    why: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_REASON), AfterValidator(storable)]
    attempt: Annotated[int, Field(ge=0)] = 0


Log = Annotated[tuple[Event, ...], Field(min_length=1, max_length=MOST_EVENTS)]
"""Oldest first; the first says who created the thing, the last why it is as it is."""


def logged(log: tuple[Event, ...], *events: Event) -> tuple[Event, ...]:
    """`log` with `events`; of too many, those after the first are forgotten."""
    longer = (*log, *events)
    return longer if len(longer) <= MOST_EVENTS else (longer[0], *longer[-(MOST_EVENTS - 1) :])
