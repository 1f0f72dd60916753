"""Between the JSON of searches and the domain's values, as a client sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from tracker.domain.ids import ProjectId, SavedQueryId, UserId
from tracker.domain.search.fields import FieldSummary
from tracker.domain.search.found import FoundExperiment, SearchPage
from tracker.domain.search.query import Source
from tracker.domain.search.saved_query import SavedQuery
from tracker.wire import experiment_from

__all__ = ["field_from", "page_from", "query_from"]

Json = Mapping[str, Any]


def page_from(found: Json) -> SearchPage:
    """A page of a result."""
    return SearchPage(map(_found_from, found["items"]), found["nextCursor"])


def _found_from(found: Json) -> FoundExperiment:
    metrics = {key: float(value) for key, value in found["metrics"].items()}
    return FoundExperiment(**experiment_from(found).__dict__, metrics=metrics)


def field_from(found: Json) -> FieldSummary:
    """Something that can be asked for."""
    low, high = (None if found[end] is None else float(found[end]) for end in ("min", "max"))
    return FieldSummary(
        Source(found["source"]),
        found["path"],
        found["label"],
        tuple(found["types"]),
        found["count"],
        low,
        high,
    )


def query_from(found: Json) -> SavedQuery:
    """A saved query; its version is not told and stays 0."""
    author_id = found["authorId"]
    return SavedQuery(
        id=SavedQueryId(UUID(found["id"])),
        project_id=ProjectId(UUID(found["projectId"])),
        name=found["name"],
        filter=found["filter"],
        order_by=found["orderBy"],
        author_id=None if author_id is None else UserId(UUID(author_id)),
        created_at=datetime.fromisoformat(found["createdAt"]),
    )
