"""Saved queries in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tracker.adapters.memory.hypotheses import forget_links
from tracker.adapters.memory.state import Current
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.ids import ProjectId, SavedQueryId
from tracker.domain.search.saved_query import SavedQuery

__all__ = ["MemorySavedQueryRepository"]


class MemorySavedQueryRepository:
    """Keeps the port :class:`tracker.ports.saved_queries.SavedQueryRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def get(self, query_id: SavedQueryId) -> SavedQuery:
        """The query."""
        try:
            return self._current.state.saved_queries[query_id]
        except KeyError as error:
            raise NotFound.of("query", query_id) from error

    async def get_many(self, query_ids: Collection[SavedQueryId]) -> Mapping[SavedQueryId, SavedQuery]:
        """Those that exist."""
        kept = self._current.state.saved_queries
        return {key: kept[key] for key in query_ids if key in kept}

    async def list(self, project_id: ProjectId) -> tuple[SavedQuery, ...]:
        """A project's, by name."""
        kept = self._current.state.saved_queries.values()
        return tuple(sorted((q for q in kept if q.project_id == project_id), key=lambda query: query.name))

    async def add(self, query: SavedQuery) -> None:
        """Keeps a new one."""
        state = self._current.state
        if query.project_id not in state.projects or (
            query.author_id is not None and query.author_id not in state.users
        ):
            raise NotFound(f"query {query.name}: what it belongs to was not found")
        if query.id in state.saved_queries:
            raise AlreadyExists(f"query {query.name} is there already")
        self._require_free_name(query)
        state.saved_queries[query.id] = query

    async def save(self, query: SavedQuery) -> SavedQuery:
        """Keeps a changed one."""
        present = await self.get(query.id)
        if present.version != query.version:
            raise StaleVersion.of("query", query.id)
        self._require_free_name(query)
        saved = query.evolve(version=query.version + 1)
        self._current.state.saved_queries[query.id] = saved
        return saved

    async def delete(self, query_id: SavedQueryId) -> None:
        """Removes one."""
        await self.get(query_id)
        del self._current.state.saved_queries[query_id]
        forget_links(self._current.state, queries=[query_id])

    def _require_free_name(self, query: SavedQuery) -> None:
        for other in self._current.state.saved_queries.values():
            if other.id != query.id and (other.project_id, other.name) == (query.project_id, query.name):
                raise AlreadyExists(f"query {query.name} is there already")
