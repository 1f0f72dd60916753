"""What a runner is given: one attempt at a job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field, StringConstraints

from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.frozen import Frozen
from tracker.domain.ids import JobId

__all__ = ["Errand", "new_token"]


_TOKEN_BYTES = 32


def new_token(random: Callable[[int], bytes]) -> str:
    """A text that nobody can guess, for a handle or a pass.

    Args:
        random: gives so many bytes from the operating system's generator for cryptography.
    """
    return random(_TOKEN_BYTES).hex()


class Errand(Frozen):
    """One attempt at a job, as its worker is told of it. Everything else the worker asks at the desk.

    Attributes:
        handle: shown at the desk once, for the work and its secrets; worth nothing afterwards.
        seconds: after so many of running, the worker ends itself, in case nobody else does.
        memory_bytes: that its processes may take together; ``None`` = no limit.
        gpus: that it needs; 0 = none.
    """

    job_id: JobId
    attempt: Annotated[int, Field(ge=1)]
    kind: JobKind
    handle: Annotated[str, StringConstraints(min_length=32, max_length=200), Field(repr=False)]
    seconds: Annotated[float, Field(gt=0, strict=False)] = 3600.0
    memory_bytes: Annotated[int, Field(gt=0)] | None = None
    gpus: Annotated[float, Field(ge=0, strict=False)] = 0.0
