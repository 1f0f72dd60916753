"""Searches, what can be asked for, and saved queries."""

from __future__ import annotations

from typing import Any

from tracker.domain.experiments.service import ExperimentService
from tracker.domain.ids import ProjectId, SavedQueryId
from tracker.domain.search.service import SearchService

from ..exchange import Call
from ..schemas.answers import DeletedOut, NoQuery
from ..schemas.search import (
    FieldOut,
    QueryCreate,
    QueryEdit,
    QueryOut,
    SearchOut,
    SearchQuery,
    field_out,
    found_out,
    query_out,
)

__all__ = ["Searches"]


class Searches:
    """``/api/experiments/search``, ``/api/queries``, and what a project has of them."""

    def __init__(self, search: SearchService, experiments: ExperimentService) -> None:
        self._search = search
        self._experiments = experiments

    async def search(self, call: Call[None, SearchQuery]) -> SearchOut:
        """A page of what was looked for."""
        asked = call.query
        page = await self._search.search(
            call.actor,
            [ProjectId(each) for each in asked.projectId] or None,
            filter=asked.filter,
            order_by=asked.orderBy,
            limit=asked.limit,
            cursor=asked.cursor,
        )
        parents = await self._experiments.parents(call.actor, page)
        items = [found_out(each, parents.get(each.parent_id) if each.parent_id else None) for each in page]
        return {"items": items, "nextCursor": page.next_cursor}

    async def fields(self, call: Call[None, NoQuery]) -> list[FieldOut]:
        """What can be asked for in a project."""
        return [field_out(each) for each in await self._search.fields(call.actor, _project(call))]

    async def queries(self, call: Call[None, NoQuery]) -> list[QueryOut]:
        """A project's."""
        return [query_out(each) for each in await self._search.queries(call.actor, _project(call))]

    async def save(self, call: Call[QueryCreate, NoQuery]) -> QueryOut:
        """A new one."""
        given = call.body.given()
        return query_out(await self._search.save_query(call.actor, _project(call), **given))

    async def edit(self, call: Call[QueryEdit, NoQuery]) -> QueryOut:
        """One after changes."""
        return query_out(await self._search.edit_query(call.actor, _query(call), **call.body.given()))

    async def delete(self, call: Call[None, NoQuery]) -> DeletedOut:
        """Removes one."""
        await self._search.delete_query(call.actor, _query(call))
        return {"success": True}


def _project(call: Call[Any, NoQuery]) -> ProjectId:
    return ProjectId(call.path["project_id"])


def _query(call: Call[Any, NoQuery]) -> SavedQueryId:
    return SavedQueryId(call.path["query_id"])
