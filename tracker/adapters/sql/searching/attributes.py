"""Keeps what experiments say of themselves in the form in which a search looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.search_tables import attributes, search_fields
from tracker.adapters.sql.searching.fields import numbered
from tracker.adapters.sql.session import Session
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.ids import ExperimentId
from tracker.domain.search.attributes import Attributes, AttributeType, AttributeValue, attributes_of
from tracker.domain.search.query import Source

__all__ = ["AttributeRows"]

_INSERT = sa.insert(attributes)
_DELETE = sa.delete(attributes).where(
    attributes.c.experiment_id == sa.bindparam("of_experiment"),
    attributes.c.field_id == sa.bindparam("of_field"),
)


class AttributeRows:
    """The rows of the attributes of experiments within one unit of work."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, experiments: Iterable[Experiment]) -> None:
        """Those of new experiments."""
        await self._write([(experiment, {}, attributes_of(experiment)) for experiment in experiments])

    async def change(self, before: Experiment | None, after: Experiment) -> None:
        """Those of a changed experiment.

        Args:
            before: as the rows have it; ``None`` when the caller does not know.
            after: as it is now.
        """
        present = await self._present(after.id) if before is None else attributes_of(before)
        wanted = attributes_of(after)
        if present != wanted:
            await self._write([(after, present, wanted)])

    async def _present(self, experiment_id: ExperimentId) -> Attributes:
        statement = (
            sa.select(search_fields.c.kind, search_fields.c.path, attributes)
            .join(search_fields)
            .where(attributes.c.experiment_id == experiment_id)
        )
        return {
            (Source(row.kind), row.path): AttributeValue(AttributeType(row.type), row.number, row.text)
            for row in await self._session.rows(statement)
        }

    async def _write(self, changes: list[tuple[Experiment, Attributes, Attributes]]) -> None:
        gone = [
            (run.id, run.project_id, *key)
            for run, before, after in changes
            for key in before
            if before[key] != after.get(key)
        ]
        new = [
            ((run.id, run.project_id, *key), after[key])
            for run, before, after in changes
            for key in after
            if after[key] != before.get(key)
        ]
        keys = {(*place[1:], "") for place in (*gone, *(place for place, _ in new))}
        if not keys:
            return
        numbers = await numbered(self._session, keys)
        left = [{"of_experiment": place[0], "of_field": numbers[(*place[1:], "")]} for place in gone]
        come = [_row(place[0], numbers[(*place[1:], "")], value) for place, value in new]
        for statement, rows in ((_DELETE, left), (_INSERT, come)):
            if rows:
                await self._session.run(statement, rows)


def _row(experiment_id: ExperimentId, field_id: int, value: AttributeValue) -> Mapping[str, Any]:
    return {
        "experiment_id": experiment_id, "field_id": field_id,
        "type": value.type.value, "number": value.number, "text": value.text,
    }  # fmt: skip
