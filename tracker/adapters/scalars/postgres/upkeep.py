"""What a project takes, whether it is sound, and what is left to fold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from asyncpg import Connection, Record

from tracker.adapters.scalars.chunks import Chunk, Piece, Totals, added, join, totals
from tracker.adapters.scalars.postgres.folding import CHUNK
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.series import Fault, StoreStats

__all__ = ["faults", "stats", "with_tails"]

_TOTALS = ", ".join(Totals._fields)

# 64 bytes for a row's header and its entry in the index. What bytea columns take outside of the row is told
# without reading them.
_STATS = """
WITH own AS (SELECT id, loose FROM experiment WHERE project = $1 AND NOT deleted),
  chunks AS (SELECT sum(points) AS points, sum(120 + pg_column_size(blocks) + pg_column_size(step)
    + pg_column_size(time) + pg_column_size(value) + pg_column_size(arrival)) AS bytes
    FROM chunk JOIN own ON own.id = experiment),
  tails AS (SELECT sum(80 + pg_column_size(points)) AS bytes FROM tail JOIN own ON own.id = experiment),
  names AS (SELECT count(*) AS series, count(DISTINCT experiment) AS experiments,
    sum(200 + pg_column_size(name)) AS bytes FROM series JOIN own ON own.id = experiment
    WHERE points > 0 OR own.loose > 0),
  ids AS (SELECT 92 * count(*) AS bytes FROM batch JOIN own ON own.id = experiment),
  put AS (SELECT sum(100 + pg_column_size(names) + pg_column_size(tags)) AS bytes
    FROM tag JOIN own ON own.id = experiment),
  wait AS (SELECT coalesce(sum(loose), 0) AS loose FROM own)
SELECT experiments, series, coalesce(points, 0) + loose, loose, coalesce(chunks.bytes, 0)
  + coalesce(tails.bytes, 0) + coalesce(names.bytes, 0) + coalesce(ids.bytes, 0) + coalesce(put.bytes, 0)
FROM chunks, tails, names, ids, put, wait"""


async def stats(connection: Connection, project_id: ProjectId) -> StoreStats:
    """See the port. Free room inside of PostgreSQL's pages is not counted: it is no project's."""
    return StoreStats(*map(int, await connection.fetchrow(_STATS, project_id)))


async def with_tails(connection: Connection) -> list[int]:
    """Keys of the experiments that have points in no chunk yet."""
    return [key for (key,) in await connection.fetch("SELECT DISTINCT experiment FROM tail ORDER BY 1")]


async def faults(connection: Connection, project_id: ProjectId) -> tuple[Fault, ...]:
    """See the port; one experiment at a time, each series with its chunks at once."""
    experiments = await connection.fetch(
        "SELECT id, uuid, arrival, loose FROM experiment WHERE project = $1 AND NOT deleted ORDER BY uuid",
        project_id,
    )
    found: list[Fault] = []
    for experiment in experiments:
        run = ExperimentId(experiment["uuid"])
        series = await connection.fetch(
            f"SELECT number, name, {_TOTALS} FROM series WHERE experiment = $1 ORDER BY name",  # noqa: S608
            experiment["id"],
        )
        for number, name, *numbers in series:
            chunks = await connection.fetch(
                f"SELECT id, {CHUNK} FROM chunk WHERE experiment = $1 AND series = $2 ORDER BY id",  # noqa: S608
                experiment["id"],
                number,
            )
            problems = await asyncio.to_thread(_of_series, chunks, Totals(*numbers))
            found += [Fault(run, name, problem) for problem in problems]
        tail = await connection.fetch(
            "SELECT arrival, points FROM tail WHERE experiment = $1 ORDER BY arrival", experiment["id"]
        )
        numbers = {number for number, *_ in series}
        problems = await asyncio.to_thread(_of_tail, experiment, tail, numbers)
        found += [Fault(run, None, problem) for problem in problems]
    return tuple(found)


def _of_series(chunks: Sequence[Record], written: Totals) -> list[str]:
    problems = []
    sums: Totals | None = None
    for key, *columns in chunks:
        chunk = Chunk(*columns)
        problem = chunk.fault()
        if problem is not None:
            problems.append(f"chunk {key}: {problem}")
            continue
        points = chunk.columns()
        sums = added(sums, totals(np.zeros(len(points.step), np.int64), points)[0])
    if not problems and not _same(sums, written):
        problems.append("its summary is not that of its points")
    return problems


def _of_tail(experiment: Record, tail: Sequence[Record], numbers: set[int]) -> list[str]:
    pieces, problems = [], []
    for arrival, data in tail:
        try:
            pieces.append(Piece.unpack(data))
        except ValueError as error:
            return [f"the tail of commit {arrival}: it cannot be decoded: {error}"]
        if not numbers.issuperset(np.unique(pieces[-1].series).tolist()):
            problems.append(f"the tail of commit {arrival}: it has points of a series that is not there")
    points = len(join([piece.columns for piece in pieces]).step)
    if points != experiment["loose"]:
        problems.append(f"the tail has {points} points, not {experiment['loose']}")
    if tail and tail[-1]["arrival"] > experiment["arrival"]:
        problems.append(f"the tail has commit {tail[-1]['arrival']}, which the experiment never had")
    return problems


def _same(sums: Totals | None, written: Totals) -> bool:
    """Whether they are equal to the bit, so that NaN is NaN."""
    if sums is None or not written.points:
        return sums is None and not written.points
    last = np.array([sums.last_value, written.last_value]).view(np.uint64)
    return last[0] == last[1] and sums._replace(last_value=0.0) == written._replace(last_value=0.0)
