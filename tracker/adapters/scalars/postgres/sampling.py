"""Samples of series from the blocks of their chunks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from asyncpg import Connection, Record

from tracker.adapters.scalars.chunks import Columns, Sampler, by_series, decoded, empty
from tracker.adapters.scalars.postgres.reading import series_of, tail_of
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.series import SampledSeries, SampleQuery

__all__ = ["sample"]


class _Sampled(NamedTuple):
    """A series on its way: `chunks` are the ids of its chunks, in arrival order."""

    name: str
    number: int
    chunks: list[int]
    sampler: Sampler


async def sample(
    connection: Connection, project_id: ProjectId, query: SampleQuery
) -> tuple[SampledSeries, ...]:
    """See the port."""
    found: list[SampledSeries] = []
    for experiment_id in query.experiments:
        series = await series_of(connection, project_id, experiment_id, query.names)
        if series:
            found += await _of_experiment(connection, experiment_id, series, query)
    return tuple(found)


async def _of_experiment(
    connection: Connection, experiment_id: ExperimentId, series: Sequence[Record], query: SampleQuery
) -> list[SampledSeries]:
    key = series[0]["id"]
    blocks = await connection.fetch(
        "SELECT series, id, blocks, points, codec FROM chunk"
        " WHERE experiment = $1 AND series = ANY($2::int[]) ORDER BY series, id",
        key,
        [row["number"] for row in series],
    )
    tail = await tail_of(connection, key)
    started = await asyncio.to_thread(_started, series, blocks, tail, query)
    while wanted := await asyncio.to_thread(_wanted, started):
        chunks = await connection.fetch(
            "SELECT series, id, codec, step, time, value FROM chunk"
            " JOIN unnest($2::int[], $3::bigint[]) AS wanted (series, id) USING (series, id)"
            " WHERE experiment = $1",
            key,
            *map(list, zip(*wanted, strict=True)),
        )
        await asyncio.to_thread(_supply, started, chunks)
    return await asyncio.to_thread(_finished, experiment_id, started)


def _started(
    series: Sequence[Record], blocks: Sequence[Record], tail: Sequence[Record], query: SampleQuery
) -> list[_Sampled]:
    of: dict[int, tuple[list[int], list[tuple[bytes, int, int]]]] = {
        row["number"]: ([], []) for row in series
    }
    for number, chunk, packed, points_of_chunk, codec in blocks:
        ids, heads = of[number]
        ids.append(chunk)
        heads.append((packed, points_of_chunk, codec))
    loose = by_series(tail)
    started = []
    for row in series:
        ids, heads = of[row["number"]]
        points = loose[row["number"]].points if row["number"] in loose else empty()
        started.append(_Sampled(row["name"], row["number"], ids, Sampler.of_packed(heads, points, query)))
    return started


def _wanted(started: Sequence[_Sampled]) -> list[tuple[int, int]]:
    """Numbers of series and ids of chunks whose points are needed."""
    return [(one.number, one.chunks[place]) for one in started for place in one.sampler.missing()]


def _supply(started: Sequence[_Sampled], chunks: Sequence[Record]) -> None:
    points: dict[int, dict[int, Columns]] = {}
    for number, chunk, *packed in chunks:
        points.setdefault(number, {})[chunk] = decoded(*packed)
    for one in started:
        own = points.get(one.number, {})
        one.sampler.supply({one.chunks.index(chunk): columns for chunk, columns in own.items()})


def _finished(experiment_id: ExperimentId, started: Sequence[_Sampled]) -> list[SampledSeries]:
    return [
        SampledSeries(experiment_id=experiment_id, name=one.name, **thinned._asdict())
        for one in started
        if (thinned := one.sampler.thinned()) is not None
    ]
