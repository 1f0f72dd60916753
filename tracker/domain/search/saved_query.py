"""A search that people of a project keep under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, StringConstraints

from tracker.domain.frozen import Frozen
from tracker.domain.ids import ProjectId, SavedQueryId, UserId
from tracker.domain.search.lexing import LONGEST
from tracker.domain.search.parsing import parse_filter, parse_order
from tracker.domain.text import Name, storable

__all__ = ["SavedQuery"]

QueryText = Annotated[str, StringConstraints(max_length=LONGEST), AfterValidator(storable)]


class SavedQuery(Frozen):
    """A filter and an order that parse.

    Attributes:
        name: no other query of the project has it.
        filter: empty = everything passes.
        order_by: empty = the newest first.
        author_id: who made it; ``None`` when nobody knows any more.
    """

    id: SavedQueryId
    project_id: ProjectId
    name: Name
    filter: QueryText = ""
    order_by: QueryText = ""
    author_id: UserId | None = None
    created_at: AwareDatetime
    version: int = 0

    def checked(self, *, now: datetime) -> Self:
        """The query, if it parses.

        Raises:
            QuerySyntax: its filter or order does not.
        """
        parse_filter(self.filter, now=now)
        parse_order(self.order_by)
        return self
