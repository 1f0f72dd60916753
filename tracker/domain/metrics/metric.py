"""A final value of an experiment."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId, MetricId
from tracker.domain.text import Label, MetricName

__all__ = ["FiniteNumber", "Metric", "Step"]

FiniteNumber = Annotated[float, Field(allow_inf_nan=False, strict=False)]
Step = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Metric(Frozen):
    """One value under a name, step and label; the same key again replaces it.

    Attributes:
        label: keeps values apart that must not be compared (``val``, ``test``, ``best``).
    """

    id: MetricId
    experiment_id: ExperimentId
    name: MetricName
    value: FiniteNumber
    step: Step = 0
    label: Label | None = None
    created_at: AwareDatetime

    @property
    def key(self) -> tuple[ExperimentId, str, str | None, int]:
        """What makes two values the same one."""
        return (self.experiment_id, self.name, self.label, self.step)
