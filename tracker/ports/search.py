"""Where experiments are searched."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from tracker.domain.ids import ProjectId
from tracker.domain.search.fields import FieldSummary
from tracker.domain.search.ordering import Place, Search

__all__ = ["SearchRepository"]


class SearchRepository(Protocol):
    """Looks at all experiments of some projects. What they hold is asked for elsewhere."""

    async def page(self, search: Search) -> tuple[Place, ...]:
        """The first experiments of the order for which the filter holds, at most ``search.limit``.

        A filter holds, and an order puts, as in :mod:`tracker.domain.search.evaluation`.
        """
        ...

    async def fields(self, project_ids: Collection[ProjectId]) -> tuple[FieldSummary, ...]:
        """The metrics, parameters, feature leaves and tags that some experiment of these projects has,
        by (source, path, label), those without a label first; text by code point."""
        ...
