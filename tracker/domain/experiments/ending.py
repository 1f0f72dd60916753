"""How a run came to its end, when it did not end well."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from tracker.domain.text import storable

__all__ = ["LONGEST_REASON", "EndKind", "EndReason", "shortened"]

LONGEST_REASON = 2000
"""Characters that a reason has at most."""

_CUT = " ... "


class EndKind(StrEnum):
    """What ended a run that failed."""

    EXCEPTION = "exception"
    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"
    PREEMPTED = "preempted"
    KILLED = "killed"
    OUT_OF_MEMORY = "out_of_memory"
    LOST = "lost"
    OTHER = "other"


EndReason = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_REASON), AfterValidator(storable)
]
"""In words, why a run failed."""


def shortened(text: str) -> str:
    """`text` as a reason can hold it: beginning and end of what is too long, without what no store takes."""
    kept = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip() or "no reason given"
    if len(kept) <= LONGEST_REASON:
        return kept
    half = (LONGEST_REASON - len(_CUT)) // 2
    return kept[:half] + _CUT + kept[-half:]
