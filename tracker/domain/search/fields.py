"""What can be asked for in a project."""

from __future__ import annotations

from typing import NamedTuple

from tracker.domain.search.operands import spelled
from tracker.domain.search.query import Attribute, Measure, Source

__all__ = ["FieldSummary"]


class FieldSummary(NamedTuple):
    """One metric, parameter, feature leaf or tag.

    Attributes:
        source, path, label: which; only metrics have labels.
        types: the types of its values, sorted: bool, int, float, text, json; of a tag none.
        experiments: how many experiments have it.
        min, max: of its numbers, the finite and infinite ones of a metric; ``None`` without any.
    """

    source: Source
    path: str
    label: str | None
    types: tuple[str, ...]
    experiments: int
    min: float | None
    max: float | None

    @property
    def name(self) -> str:
        """How a filter names it; of a tag the tag itself."""
        if self.source is Source.TAGS:
            return self.path
        if self.source is Source.METRICS:
            return spelled(Measure(self.path, self.label))
        return spelled(Attribute(self.source, self.path))
