"""Turns tails, and batches too long for a tail, into chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from asyncpg import Connection

from tracker.adapters.scalars.chunks import (
    Arrivals,
    Chunk,
    Totals,
    added,
    by_series,
    chunked,
    join_arrivals,
    rewritten,
    totals,
)
from tracker.adapters.scalars.postgres.connections import Connections

__all__ = ["CHUNK", "Folding", "fold"]

CHUNK = ", ".join(Chunk._fields)
"""The columns of a chunk's row that make a :class:`Chunk`, in its order."""

_TOTALS = ", ".join(Totals._fields)
_LATEST_AT_MOST = 16

_LATEST = """
SELECT latest.series, latest.id, latest.points FROM unnest($2::int[]) AS asked (series), LATERAL (
  SELECT series, id, points FROM chunk WHERE experiment = $1 AND series = asked.series
  ORDER BY id DESC LIMIT $3) AS latest
ORDER BY latest.series, latest.id DESC"""

_SET_TOTALS = f"""
UPDATE series SET ({_TOTALS}) = (new.{", new.".join(Totals._fields)})
FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::float8[],
  $9::bigint[], $10::float8[], $11::float8[]) AS new (number, {_TOTALS})
WHERE experiment = $1 AND series.number = new.number"""  # noqa: S608 - constants


class Folding(NamedTuple):
    """What is to change so that the points of some series stand in chunks.

    Attributes:
        experiment: key of the experiment.
        replaced: ids of the chunks that are written anew.
        chunks: the new ones, with the number of their series, in arrival order.
        totals: of each series, with the new points.
        upto: number of the last commit whose row of the tail is in it; 0 = none.
        points: how many points leave the tail.
        folds: how often the experiment's chunks had changed before.
    """

    experiment: int
    replaced: list[tuple[int, int]]
    chunks: list[tuple[int, Chunk]]
    totals: dict[int, Totals]
    upto: int
    points: int
    folds: int

    @classmethod
    async def plan(
        cls, connection: Connection, experiment: int, folds: int, more: Mapping[int, Arrivals] | None = None
    ) -> Folding:
        """Folds the whole tail of an experiment and `more` points, which arrived after it."""
        tail = await connection.fetch(
            "SELECT arrival, points FROM tail WHERE experiment = $1 ORDER BY arrival", experiment
        )
        new = await asyncio.to_thread(by_series, tail)
        points = sum(len(part.arrival) for part in new.values())
        for number, arrivals in (more or {}).items():
            new[number] = join_arrivals([new[number], arrivals]) if number in new else arrivals
        known = await connection.fetch(
            f"SELECT number, {_TOTALS} FROM series WHERE experiment = $1"  # noqa: S608 - constants
            " AND number = ANY($2::int[]) AND points > 0",
            experiment,
            list(new),
        )
        before = {row[0]: Totals(*row[1:]) for row in known}
        old = await _rewritten(connection, experiment, new)
        chunks, sums = await asyncio.to_thread(_chunks_and_totals, old, new, before)
        replaced = [(number, chunk) for number, found in old.items() for chunk, _ in found]
        return cls(experiment, replaced, chunks, sums, tail[-1]["arrival"] if tail else 0, points, folds)

    async def apply(self, connection: Connection) -> None:
        """Changes the tables; the caller holds the lock of the experiment's row."""
        if self.replaced:
            await connection.execute(
                "DELETE FROM chunk USING unnest($2::int[], $3::bigint[]) AS gone (series, id)"
                " WHERE experiment = $1 AND chunk.series = gone.series AND chunk.id = gone.id",
                self.experiment,
                *map(list, zip(*self.replaced, strict=True)),
            )
        await connection.copy_records_to_table(
            "chunk",
            records=[(self.experiment, number, *chunk) for number, chunk in self.chunks],
            columns=["experiment", "series", *Chunk._fields],
        )
        if self.totals:
            columns = zip(*self.totals.values(), strict=True)
            await connection.execute(
                _SET_TOTALS, self.experiment, list(self.totals), *(list(column) for column in columns)
            )
        await connection.execute(
            "DELETE FROM tail WHERE experiment = $1 AND arrival <= $2", self.experiment, self.upto
        )
        await connection.execute(
            "UPDATE experiment SET folds = folds + 1, loose = loose - $2 WHERE id = $1",
            self.experiment,
            self.points,
        )


async def fold(connections: Connections, experiment: int) -> None:
    """Folds an experiment's tail. Compressing holds no lock: when somebody else changed the chunks
    meanwhile, what was compressed is thrown away, since they folded the tail too."""

    async def plan(connection: Connection) -> Folding:
        folds = await connection.fetchval("SELECT folds FROM experiment WHERE id = $1", experiment)
        return await Folding.plan(connection, experiment, folds or 0)

    async def apply(connection: Connection) -> None:
        found = await connection.fetchrow(
            "SELECT folds, deleted FROM experiment WHERE id = $1 FOR UPDATE", experiment
        )
        if found is not None and not found["deleted"] and found["folds"] == folding.folds:
            await folding.apply(connection)

    folding = await connections.reading(plan)
    if folding.upto:
        await connections.writing(apply)


async def _rewritten(
    connection: Connection, experiment: int, new: Mapping[int, Arrivals]
) -> dict[int, list[tuple[int, Chunk]]]:
    """The latest chunks of each series that are written anew with the new points, in arrival order."""
    latest: dict[int, list[tuple[int, int]]] = {}
    for series, chunk, points in await connection.fetch(_LATEST, experiment, list(new), _LATEST_AT_MOST):
        latest.setdefault(series, []).append((chunk, points))
    wanted = [
        (series, chunk)
        for series, found in latest.items()
        for chunk, _ in found[: rewritten((points for _, points in found), len(new[series].arrival))]
    ]
    if not wanted:
        return {}
    rows = await connection.fetch(
        f"SELECT series, id, {CHUNK} FROM chunk JOIN unnest($2::int[], $3::bigint[]) AS wanted (series, id)"  # noqa: S608
        " USING (series, id) WHERE experiment = $1 ORDER BY series, id",
        experiment,
        *map(list, zip(*wanted, strict=True)),
    )
    old: dict[int, list[tuple[int, Chunk]]] = {}
    for series, chunk, *columns in rows:
        old.setdefault(series, []).append((chunk, Chunk(*columns)))
    return old


def _chunks_and_totals(
    old: Mapping[int, list[tuple[int, Chunk]]], new: Mapping[int, Arrivals], before: Mapping[int, Totals]
) -> tuple[list[tuple[int, Chunk]], dict[int, Totals]]:
    chunks: list[tuple[int, Chunk]] = []
    sums: dict[int, Totals] = {}
    for series, arrivals in new.items():
        parts = [*(chunk.arrivals() for _, chunk in old.get(series, ())), arrivals]
        chunks += [(series, chunk) for chunk in chunked(join_arrivals(parts))]
        key = np.full(len(arrivals.arrival), series, np.int64)
        sums[series] = added(before.get(series), totals(key, arrivals.points)[series])
    return chunks, sums
