"""One call of a logging function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

from tracker.domain.frozen import Frozen
from tracker.domain.numbers import Step
from tracker.domain.text import MetricKey, Tag, all_storable

__all__ = ["ScalarRecord"]


class ScalarRecord(Frozen):
    """Values of some scalars at one step.

    Attributes:
        step: where on the x-axis.
        values: by name; NaN and infinities are data.
        tags: put on this step of these scalars.
        time: when it was measured; ``None`` = when it arrives.
    """

    step: Step
    values: Annotated[Mapping[MetricKey, float], AfterValidator(all_storable)]
    tags: tuple[Tag, ...] = ()
    time: AwareDatetime | None = None
