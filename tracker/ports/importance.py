"""What tells how much a prediction needs each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracker.domain.comparison.importance import ParamColumn

__all__ = ["ImportanceModel"]


class ImportanceModel(Protocol):
    """A model that learns a metric from parameters."""

    async def importances(self, columns: Sequence[ParamColumn], target: Sequence[float]) -> tuple[float, ...]:
        """How much R squared of predictions for runs that the model did not learn from is lost when the
        values of a parameter are permuted; not below 0, the same for the same input.

        Args:
            columns: parameters, at least one.
            target: the finite value of each run, at least six.

        Raises:
            Invalid: what it takes is not installed; names the extra.
        """
        ...
