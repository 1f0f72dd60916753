"""The area of time series over HTTP."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from tracker.areas import Id, uuid_of
from tracker.areas.reading import read_over
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.ranks import Over
from tracker.domain.scalars.record import ScalarRecord
from tracker.domain.scalars.series import Series, SeriesSummary
from tracker.remote_client import Client
from tracker.scalars_wire import tags_from
from tracker.wire import experiment_from, number_text, summary_from

__all__ = ["Scalars"]

ALL_POINTS = 20_000_000
IDS_A_REQUEST = 200
NAMES_A_REQUEST = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Scalars:
    """:class:`~tracker.areas.AsyncScalars` over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(
        self, experiment_id: Id, name: str, *, x: str | None = None, ranks: Over | str | None = None
    ) -> Series:
        """A whole series, or several as one."""
        chosen = ExperimentId(uuid_of(experiment_id, "experiment_id"))

        async def names() -> list[str]:
            home = experiment_from(await self._client.get(f"/experiments/{chosen}")).project_id
            return [row.name for row in await self.summary(home, [chosen])]

        return await read_over(partial(self._read, chosen), names, name, x=x, ranks=ranks)

    async def _read(self, chosen: ExperimentId, name: str) -> Series:
        query = {"name": name, "max_points": ALL_POINTS}
        for found in await self._client.get_columns(f"/scalars/get/{chosen}", query):
            return Series(
                experiment_id=chosen, name=name, step=found.step, time=found.time, value=found.value
            )
        empty = np.empty(0, np.int64)
        return Series(experiment_id=chosen, name=name, step=empty, time=empty, value=np.empty(0))

    async def sample(
        self,
        project_id: Id,
        experiments: Sequence[Id] = (),
        *,
        names: Sequence[str] | None = None,
        max_points: int = 1000,
    ) -> tuple[Series, ...]:
        """Thinned series."""
        path = f"/scalars/get/project/{uuid_of(project_id, 'project_id')}"
        query = {"max_points": max_points, **_names(names)}
        parts = [{"experiment_id": chosen} for chosen in _parts(experiments)] if experiments else [{}]
        found = [await self._client.get_columns(path, query | part) for part in parts]
        return tuple(each for each in chain.from_iterable(found) if names is None or each.name in names)

    async def log(self, experiment_id: Id, records: Sequence[ScalarRecord]) -> None:
        """Keeps some steps; a record without a time gets that of its arrival."""
        rows = [
            {
                "scalars": {name: number_text(value) for name, value in record.values.items()},
                "step": record.step,
                "tags": list(record.tags),
                "time": None if record.time is None else (record.time - _EPOCH) // timedelta(microseconds=1),
            }
            for record in records
        ]
        chosen = uuid_of(experiment_id, "experiment_id")
        await self._client.post(f"/scalars/log_batch/{chosen}", {"scalars": rows})

    async def append(self, batch: ScalarBatch) -> None:
        """Keeps columns; the same batch again changes nothing."""
        await self._client.post_columns(f"/scalars/columns/{batch.experiment_id}", batch)

    async def tags(self, experiment_id: Id) -> tuple[StepTags, ...]:
        """What was put on steps."""
        chosen = uuid_of(experiment_id, "experiment_id")
        query = {"return_tags": "true", "max_points": 1}
        return tags_from((await self._client.get(f"/scalars/get/{chosen}", query))["data"][0]["tags"])

    async def summary(
        self,
        project_id: Id,
        experiments: Collection[Id] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """A row each."""
        path = f"/scalars/summary/{uuid_of(project_id, 'project_id')}"
        query = _names(names)
        parts = [{}] if experiments is None else [{"experiment_id": part} for part in _parts(experiments)]
        found = [row for part in parts for row in (await self._client.get(path, query | part))["data"]]
        rows = [row for row in map(summary_from, found) if names is None or row.name in names]
        return tuple(sorted(rows, key=lambda row: (row.experiment_id, row.name)))


def _names(names: Collection[str] | None) -> dict[str, Any]:
    """Asks for these names; more than an address can hold are chosen from the answer instead."""
    return {"name": list(names)} if names is not None and len(names) <= NAMES_A_REQUEST else {}


def _parts(experiments: Collection[Id]) -> Iterator[list[str]]:
    """Their ids, each once, as many at a time as an address can hold."""
    ids = list(dict.fromkeys(str(uuid_of(each, "experiment_id")) for each in experiments))
    for start in range(0, len(ids), IDS_A_REQUEST):
        yield ids[start : start + IDS_A_REQUEST]
