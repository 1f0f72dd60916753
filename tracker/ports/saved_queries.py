"""Where saved queries are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from tracker.domain.ids import ProjectId, SavedQueryId
from tracker.domain.search.saved_query import SavedQuery

__all__ = ["SavedQueryRepository"]


class SavedQueryRepository(Protocol):
    """Saved queries. Changes show to others once the unit of work is committed."""

    async def get(self, query_id: SavedQueryId) -> SavedQuery:
        """The query; in a writing unit nobody else can change it until the unit ends.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def get_many(self, query_ids: Collection[SavedQueryId]) -> Mapping[SavedQueryId, SavedQuery]:
        """Those of them that exist, by id."""
        ...

    async def list(self, project_id: ProjectId) -> tuple[SavedQuery, ...]:
        """A project's, by name; text by code point."""
        ...

    async def add(self, query: SavedQuery) -> None:
        """Keeps a new query.

        Raises:
            AlreadyExists: the id, or the name within its project, is taken.
            NotFound: its project or author does not exist.
        """
        ...

    async def save(self, query: SavedQuery) -> SavedQuery:
        """Keeps a changed query, and gives it back with its version counted up.

        Raises:
            NotFound: it was deleted.
            AlreadyExists: another query of the project has its name.
            StaleVersion: it was saved by somebody else since it was loaded.
        """
        ...

    async def delete(self, query_id: SavedQueryId) -> None:
        """Removes the query.

        Raises:
            NotFound: there is none with this id.
        """
        ...
