"""A final value of an experiment."""

from __future__ import annotations

from pydantic import AwareDatetime

from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId, MetricId
from tracker.domain.numbers import FiniteNumber, Step
from tracker.domain.text import Label, MetricName

__all__ = ["Metric"]


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
