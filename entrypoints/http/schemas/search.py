"""Searches on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.search.fields import FieldSummary
from tracker.domain.search.found import FoundExperiment
from tracker.domain.search.lexing import LONGEST
from tracker.domain.search.query import Source
from tracker.domain.search.saved_query import SavedQuery

from .experiments import ExperimentOut, experiment_out
from .wire import KEPT, NO_NUL, CamelBody, Closed, Json, NameText, WireNumber, absent

__all__ = [
    "FieldOut", "FoundOut", "QueryCreate", "QueryEdit", "QueryOut", "SearchOut", "SearchQuery", "field_out",
    "found_out", "query_out",
]  # fmt: skip


def _text(form: str) -> Json:
    return {**NO_NUL, "format": form}


FilterText = Annotated[
    str, Field(strict=True, max_length=LONGEST, json_schema_extra=_text("search-filter")), KEPT
]
OrderText = Annotated[
    str, Field(strict=True, max_length=LONGEST, json_schema_extra=_text("search-order")), KEPT
]


class SearchQuery(Closed):
    """What is looked for."""

    projectId: Annotated[
        list[UUID], Field(max_length=1000, description="Repeatable; without it, all one may see")
    ] = Field(default=[])
    filter: Annotated[FilterText, Field(description="Such as `val.acc > 0.9 and params.lr < 0.01`")] = ""
    orderBy: Annotated[OrderText, Field(description="Such as `-val.acc,name`; the newest first")] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str, Field(json_schema_extra={"format": "search-cursor"})] = absent()


class FoundOut(ExperimentOut):
    """An experiment with its metrics, by `name` or `name[label]`."""

    metrics: Mapping[str, WireNumber]


class SearchOut(TypedDict):
    """A page of a result."""

    items: list[FoundOut]
    nextCursor: str | None


class FieldOut(TypedDict):
    """Something that can be asked for."""

    name: str
    source: Source
    path: str
    label: str | None
    types: list[str]
    count: int
    min: WireNumber | None
    max: WireNumber | None


class QueryEdit(CamelBody):
    """Changes to a saved query; what is left out stays."""

    name: NameText = absent()
    filter: FilterText = absent()
    order_by: OrderText = absent()


class QueryCreate(QueryEdit):
    """A search to be kept under a name."""

    name: NameText


class QueryOut(TypedDict):
    """A saved query."""

    id: UUID
    projectId: UUID
    name: str
    filter: str
    orderBy: str
    authorId: UUID | None
    createdAt: datetime


def found_out(found: FoundExperiment, parent: Experiment | None) -> FoundOut:
    """An experiment that was found, compared with its parent."""
    return {**experiment_out(found, parent), "metrics": found.metrics}


def field_out(field: FieldSummary) -> FieldOut:
    """A field as the API shows it."""
    return {
        "name": field.name,
        "source": field.source,
        "path": field.path,
        "label": field.label,
        "types": list(field.types),
        "count": field.experiments,
        "min": field.min,
        "max": field.max,
    }


def query_out(query: SavedQuery) -> QueryOut:
    """A saved query as the API shows it."""
    return {
        "id": query.id,
        "projectId": query.project_id,
        "name": query.name,
        "filter": query.filter,
        "orderBy": query.order_by,
        "authorId": query.author_id,
        "createdAt": query.created_at,
    }
