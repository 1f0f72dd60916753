"""Answers from the tables, each from one consistent view of them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from asyncpg import Connection, Record

from tracker.adapters.scalars.chunks import (
    Arrivals,
    Columns,
    Piece,
    Totals,
    added,
    by_series,
    decoded,
    decoded_together,
    empty,
    join,
    join_arrivals,
    totals,
)
from tracker.adapters.scalars.chunks.codec import decompress
from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import StepTags
from tracker.domain.scalars.series import News, Ranking, Series, SeriesSummary, TimeWindow

__all__ = ["read", "series_of", "since", "summary", "tags", "tail_of", "top"]

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_CURSOR = "p"
_DIGITS = 18
_TOTALS = ", ".join(f"s.{name}" for name in Totals._fields)

_SERIES = """
SELECT e.id, s.number, s.name FROM experiment e JOIN series s ON s.experiment = e.id
WHERE e.project = $1 AND e.uuid = $2 AND NOT e.deleted AND ($3::text[] IS NULL OR s.name = ANY($3))
ORDER BY s.name"""

_ROWS = f"""
SELECT e.id, s.number, e.uuid, s.name, {_TOTALS} FROM experiment e JOIN series s ON s.experiment = e.id
WHERE e.project = $1 AND NOT e.deleted AND ($2::uuid[] IS NULL OR e.uuid = ANY($2))
  AND ($3::text[] IS NULL OR s.name = ANY($3))"""  # noqa: S608 - constants

_ARRAYS = ", ".join(f"array_agg({name})" for name in ("id", "number", "uuid", "name", *Totals._fields))

_RANKS = {
    Ranking.LAST: "s.last_value <> 'NaN' ORDER BY s.last_value",
    Ranking.MIN: "s.min_value IS NOT NULL ORDER BY s.min_value",
    Ranking.MAX: "s.max_value IS NOT NULL ORDER BY s.max_value",
}

_TAILS = """
SELECT t.experiment, t.points FROM experiment e JOIN tail t ON t.experiment = e.id
WHERE e.project = $1 AND ($2::uuid[] IS NULL OR e.uuid = ANY($2)) ORDER BY t.experiment, t.arrival"""


async def read(
    connection: Connection,
    project_id: ProjectId,
    experiment_id: ExperimentId,
    name: str,
    *,
    start: int | None,
    stop: int | None,
) -> Series:
    """See the port."""
    low = _LOWEST if start is None else max(start, _LOWEST)
    last = _HIGHEST if stop is None else min(stop - 1, _HIGHEST)
    found = await series_of(connection, project_id, experiment_id, [name]) if low <= last else []
    points = empty()
    if found:
        key, number = found[0]["id"], found[0]["number"]
        chunks = await connection.fetch(
            "SELECT points, codec, step, time, value FROM chunk WHERE experiment = $1 AND series = $2"
            " AND last_step >= $3 AND first_step <= $4 ORDER BY id",
            key,
            number,
            low,
            last,
        )
        tail = await tail_of(connection, key)
        points = await asyncio.to_thread(_between, chunks, tail, number, low, last)
    return Series(experiment_id=experiment_id, name=name, **points._asdict())


async def since(
    connection: Connection,
    project_id: ProjectId,
    experiment_id: ExperimentId,
    cursor: str | None,
    names: Collection[str] | None,
) -> News:
    """See the port. A cursor is the number of the experiment's last commit that was seen."""
    row = await connection.fetchrow(
        "SELECT id, arrival FROM experiment WHERE project = $1 AND uuid = $2 AND NOT deleted",
        project_id,
        experiment_id,
    )
    key, arrival = (row["id"], row["arrival"]) if row is not None else (0, 0)
    seen = 0 if cursor is None else _seen(cursor, arrival)
    found = await series_of(connection, project_id, experiment_id, names) if seen < arrival else []
    names_of = {series["number"]: series["name"] for series in found}
    chunks = await connection.fetch(
        "SELECT series, codec, step, time, value, arrival FROM chunk WHERE experiment = $1"
        " AND series = ANY($2::int[]) AND last_arrival > $3 ORDER BY id",
        key,
        list(names_of),
        seen,
    )
    tail = await tail_of(connection, key, seen)
    new = await asyncio.to_thread(_after, chunks, tail, seen)
    series = (
        Series(experiment_id=experiment_id, name=name, **new[number]._asdict())
        for number, name in names_of.items()
        if number in new
    )
    return News(tuple(series), f"{_CURSOR}{arrival}")


async def summary(
    connection: Connection,
    project_id: ProjectId,
    experiments: Collection[ExperimentId] | None,
    names: Collection[str] | None,
) -> tuple[SeriesSummary, ...]:
    """See the port."""
    asked = None if experiments is None else list(experiments)
    # Whole columns: a row each would take twice the time for some hundred thousand series.
    columns = await connection.fetchrow(
        f"SELECT {_ARRAYS} FROM ({_ROWS} ORDER BY e.uuid, s.name) AS found",  # noqa: S608 - constants
        project_id,
        asked,
        _known(names),
    )
    rows = zip(*(column or () for column in columns), strict=True)
    tails = await connection.fetch(_TAILS, project_id, asked)
    return await asyncio.to_thread(_summaries, rows, tails)


async def top(
    connection: Connection, project_id: ProjectId, name: str, *, by: Ranking, k: int, descending: bool
) -> tuple[SeriesSummary, ...]:
    """See the port. PostgreSQL ranks the series of runs that have no tail; the others are added up here."""
    limit = min(max(k, 0), _HIGHEST)
    known = _known([name])
    rows = await connection.fetch(
        f"({_ROWS} AND e.loose = 0 AND {_RANKS[by]} {'DESC' if descending else 'ASC'}, e.uuid LIMIT $4)"
        f" UNION ALL {_ROWS} AND e.loose > 0",
        project_id,
        None,
        known,
        limit,
    )
    tails = await connection.fetch(_TAILS, project_id, None)
    ranked = [
        (-rank if descending else rank, row.experiment_id, row)
        for row in await asyncio.to_thread(_summaries, rows, tails)
        if (rank := row.rank_value(by)) is not None and not math.isnan(rank)
    ]
    return tuple(row for *_, row in sorted(ranked, key=lambda entry: entry[:2])[:limit])


async def tags(
    connection: Connection, project_id: ProjectId, experiment_id: ExperimentId, window: TimeWindow
) -> tuple[StepTags, ...]:
    """See the port. Tags of a batch without points lie in no bounded window."""
    rows = await connection.fetch(
        "SELECT t.step, t.time, t.names, t.tags FROM experiment e JOIN tag t ON t.experiment = e.id"
        " WHERE e.project = $1 AND e.uuid = $2 AND NOT e.deleted ORDER BY t.step, t.arrival, t.place",
        project_id,
        experiment_id,
    )
    return tuple(
        StepTags(step=step, names=tuple(names), tags=tuple(put))
        for step, time, names, put in rows
        if _inside(time, window)
    )


async def series_of(
    connection: Connection,
    project_id: ProjectId,
    experiment_id: ExperimentId,
    names: Collection[str] | None,
) -> Sequence[Record]:
    """The experiment's key (`id`) with `number` and `name` of each of its series, by name."""
    rows: Sequence[Record] = await connection.fetch(_SERIES, project_id, experiment_id, _known(names))
    return rows


async def tail_of(connection: Connection, key: int, seen: int = 0) -> Sequence[Record]:
    """(number of the commit, packed piece) of what is in no chunk yet and came after `seen`."""
    rows: Sequence[Record] = await connection.fetch(
        "SELECT arrival, points FROM tail WHERE experiment = $1 AND arrival > $2 ORDER BY arrival", key, seen
    )
    return rows


def _known(names: Collection[str] | None) -> list[str] | None:
    """Those names that a series can have here: PostgreSQL's text holds neither NUL nor lone surrogates."""
    if names is None:
        return None
    return [name for name in names if "\x00" not in name and name == name.encode(errors="ignore").decode()]


def _between(chunks: Sequence[Record], tail: Sequence[Record], number: int, low: int, last: int) -> Columns:
    folded = decoded_together([tuple(row) for row in chunks])
    loose = by_series(tail).get(number)
    points = join([folded] if loose is None else [folded, loose.points]).by_step()
    first = int(np.searchsorted(points.step, low, side="left"))
    return points.take(slice(first, int(np.searchsorted(points.step, last, side="right"))))


def _after(chunks: Sequence[Record], tail: Sequence[Record], seen: int) -> dict[int, Columns]:
    parts: dict[int, list[Arrivals]] = {}
    for series, codec, step, time, value, packed in chunks:
        arrivals = Arrivals(decoded(codec, step, time, value), decompress(packed, np.int64, codec))
        parts.setdefault(series, []).append(arrivals.take(arrivals.arrival > seen))
    for series, arrivals in by_series(tail).items():
        parts.setdefault(series, []).append(arrivals)
    return {series: join_arrivals(found).points.by_step() for series, found in parts.items()}


def _summaries(rows: Iterable[Sequence[Any]], tails: Iterable[Record]) -> tuple[SeriesSummary, ...]:
    loose = _loose(tails)
    if not loose:  # a series of no points is one that moved to a branch as a whole
        return tuple(SeriesSummary(*row[2:]) for row in rows if row[4])
    found = []
    for key, number, uuid, name, *numbers in rows:
        sums = Totals(*numbers) if numbers[0] else None
        more = loose.get((key, number))
        if more is not None:
            sums = added(sums, more)
        if sums is not None:
            found.append(SeriesSummary(ExperimentId(uuid), name, *sums))
    return tuple(found)


def _loose(tails: Iterable[Record]) -> dict[tuple[int, int], Totals]:
    """The totals of what is in no chunk yet, by experiment key and number of the series."""
    keys: dict[int, int] = {}
    pieces, series = [], []
    for key, data in tails:
        piece = Piece.unpack(data)
        pieces.append(piece.columns)
        series.append(piece.series + (keys.setdefault(key, len(keys)) << 32))
    if not pieces:
        return {}
    of = list(keys)
    found = totals(np.concatenate(series), join(pieces))
    return {(of[code >> 32], code & 0xFFFF_FFFF): sums for code, sums in found.items()}


def _seen(cursor: str, arrival: int) -> int:
    digits = cursor.removeprefix(_CURSOR)
    fits = cursor.startswith(_CURSOR) and digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS
    if not fits or int(digits) > arrival:
        raise Invalid.field("cursor", "is none that was given for this experiment", "cursor")
    return int(digits)


def _inside(time: int | None, window: TimeWindow) -> bool:
    mask = window.mask(np.array([] if time is None else [time], np.int64))
    return mask is None or bool(mask.any())
