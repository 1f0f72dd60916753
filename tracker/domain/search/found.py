"""What a search gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.metrics.summary import MetricSummary

__all__ = ["FoundExperiment", "SearchPage", "metric_key"]


class FoundExperiment(Experiment):
    """An experiment with its metrics.

    Attributes:
        metrics: what it is judged by, by ``name`` or ``name[label]``; NaN and infinities are values.
    """

    metrics: Mapping[str, float]

    @classmethod
    def of(cls, experiment: Experiment, summaries: Iterable[MetricSummary]) -> Self:
        """The experiment and what sums its metrics up."""
        metrics = {metric_key(each.name, each.label): each.value for each in summaries}
        return cls(**experiment.__dict__, metrics=metrics)


def metric_key(name: str, label: str | None) -> str:
    """How a metric is called where a text must do."""
    return name if label is None else f"{name}[{label}]"


class SearchPage(tuple[FoundExperiment, ...]):
    """The experiments of one page, in their order.

    Attributes:
        next_cursor: asks for the page behind it; ``None`` = there is none.
    """

    next_cursor: str | None

    def __new__(cls, items: Iterable[FoundExperiment], next_cursor: str | None) -> Self:
        """A page of these."""
        page = super().__new__(cls, items)
        page.next_cursor = next_cursor
        return page
