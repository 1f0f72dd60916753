"""Pages with the number of all, in one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.session import Row, Session

__all__ = ["page_of"]

_FARTHEST = 2**62  # what drivers take for a number


async def page_of(
    session: Session,
    columns: Sequence[sa.Column[Any]],
    which: Sequence[sa.ColumnElement[bool]],
    *,
    skip: int,
    limit: int,
) -> tuple[int, Sequence[Row]]:
    """How many rows of a table there are, and these columns of some of them, newest first.

    The rows of a page are found in an index alone; only theirs are read as a whole. The total comes with
    them, and also where the page is empty.
    """
    table = columns[0].table
    order = (table.c.created_at.desc(), table.c.id.desc())
    total = sa.select(sa.func.count().label("total")).select_from(table).where(*which).subquery()
    keys: sa.Select[Any] = sa.select(table.c.id).where(*which).order_by(*order)
    page = keys.limit(limit).offset(min(skip, _FARTHEST)).subquery()
    found = total.outerjoin(page, sa.true()).outerjoin(table, table.c.id == page.c.id)
    rows = await session.rows(sa.select(*columns, total.c.total).select_from(found).order_by(*order))
    return rows[0].total, [row for row in rows if row.id is not None]
