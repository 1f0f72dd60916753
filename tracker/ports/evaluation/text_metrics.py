"""Scores that packages of others compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tracker.domain.evaluation.scoring.intervals import Mean
from tracker.domain.evaluation.scoring.names import Chosen

__all__ = ["TextMetrics"]


class TextMetrics(Protocol):
    """ROUGE, BLEU and others, as far as what they need is installed."""

    @property
    def installed(self) -> frozenset[str]:
        """The extras that are there, by the names of ``MetricSpec.extra``."""
        ...

    def samples(
        self,
        metric: Chosen,
        predictions: Sequence[str | None],
        truths: Sequence[str | None],
        sources: Sequence[str],
    ) -> Mapping[str, list[float | None]]:
        """The series of a metric that has scores by row; rows without both texts have none.

        Args:
            metric: which.
            predictions: by row.
            truths: by row.
            sources: what the model was given, by row; some metrics of translations look at it.

        Raises:
            Unavailable: its extra is not installed.
        """
        ...

    def corpus(
        self, metric: Chosen, predictions: Sequence[str | None], truths: Sequence[str | None], seed: int
    ) -> Mapping[str, Mean]:
        """The value of a metric that is one of all rows, with its bootstrap interval.

        Raises:
            Unavailable: its extra is not installed.
        """
        ...
