"""The numbers by which rows of values name their field."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.search_tables import search_fields
from tracker.adapters.sql.session import Session
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.ids import ProjectId
from tracker.domain.search.query import Source

__all__ = ["FieldKey", "FieldNumbers", "chunks", "numbered"]

FieldKey = tuple[ProjectId, Source, str, str]
"""Project, source, path and label; no label is an empty one."""

FieldNumbers = Mapping[FieldKey, int]

_VALUES_A_STATEMENT = 400
_COLUMNS = (search_fields.c.project_id, search_fields.c.kind, search_fields.c.path, search_fields.c.label)


def chunks(items: Iterable[Any], size: int = _VALUES_A_STATEMENT) -> Iterator[Sequence[Any]]:
    """The items, some at a time: databases bound the parameters of a statement."""
    known = list(items)
    for start in range(0, len(known), size):
        yield known[start : start + size]


async def numbered(session: Session, keys: Collection[FieldKey]) -> FieldNumbers:
    """The number of each field; those that have none get one."""
    wanted = set(keys)
    found = await _present(session, wanted)
    # In one order for all, so that two units that add the same fields do not wait for each other.
    new = sorted(wanted - found.keys())
    for some in chunks(new, _VALUES_A_STATEMENT // 4):
        rows = [dict(zip((column.name for column in _COLUMNS), key, strict=True)) for key in some]
        await session.run(insert_into(search_fields, session.dialect).values(rows).on_conflict_do_nothing())
    if new:
        found |= await _present(session, set(new))
    return found


async def _present(session: Session, wanted: set[FieldKey]) -> dict[FieldKey, int]:
    found: dict[FieldKey, int] = {}
    for project_id in {key[0] for key in wanted}:
        paths = {key[2] for key in wanted if key[0] == project_id}
        for some in chunks(sorted(paths)):
            statement = sa.select(search_fields.c.id, *_COLUMNS).where(
                search_fields.c.project_id == project_id, search_fields.c.path.in_(some)
            )
            for row in await session.rows(statement):
                found[row.project_id, Source(row.kind), row.path, row.label] = row.id
    return {key: number for key, number in found.items() if key in wanted}
