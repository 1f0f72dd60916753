"""Commits groups of batches, and takes experiments out of the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
from asyncpg import Connection, Record

from tracker.adapters.scalars.chunks import FOLD_AT, Arrivals, Columns, Piece, join
from tracker.adapters.scalars.postgres.folding import Folding
from tracker.domain.errors import NotFound, TrackerError
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.domain.scalars.batch import Int64s, ScalarBatch

__all__ = [
    "Committed",
    "Numbers",
    "add_experiments",
    "commit",
    "delete_experiment",
    "hide_project",
    "locked",
    "mark_project",
    "remove_some",
]

_LONGEST_TAIL = 256 * FOLD_AT
_REMOVED_AT_ONCE = 500
_TABLES = ("chunk", "tail", "series", "batch", "tag")

Numbers = Mapping[int, Mapping[str, int]]
"""Number of each name, by experiment key. A number once committed never changes."""


class Committed(NamedTuple):
    """What became of a group.

    Attributes:
        answers: why a batch was refused, ``None`` = it is kept; in the order of the group.
        long_tails: keys of experiments that should be folded.
        numbers: what was learned of names; true once the transaction is committed.
    """

    answers: list[TrackerError | None]
    long_tails: list[int]
    numbers: Numbers


async def commit(
    connection: Connection, project_id: ProjectId, group: Sequence[ScalarBatch], known: Numbers
) -> Committed:
    """Keeps a group of batches of one project inside the running transaction.

    The rows of their experiments are locked until it ends, always in the same order: that is what
    keeps arrival numbers, names and tails whole between processes.
    """
    runs = sorted({batch.experiment_id for batch in group})
    rows = await locked(connection, project_id, runs)
    if len(rows) < len(runs):
        if not await add_experiments(connection, project_id, [run for run in runs if run not in rows]):
            return Committed([NotFound.of("project", project_id) for _ in group], [], {})
        rows = await locked(connection, project_id, runs)
    refused = {run: NotFound.of("experiment", run) for run in runs if rows[run]["deleted"]}
    accepted = [batch for batch in group if batch.experiment_id not in refused]
    by_run: dict[ExperimentId, list[ScalarBatch]] = {}
    for batch in await _not_seen(connection, rows, accepted):
        by_run.setdefault(batch.experiment_id, []).append(batch)
    numbers = await _numbers(connection, rows, by_run, known)
    long_tails = await _keep(connection, rows, by_run, numbers)
    return Committed([refused.get(batch.experiment_id) for batch in group], long_tails, numbers)


async def delete_experiment(
    connection: Connection, project_id: ProjectId, experiment_id: ExperimentId
) -> None:
    """Removes everything of an experiment but the mark that it was there."""
    if not await locked(connection, project_id, [experiment_id]) and not await add_experiments(
        connection, project_id, [experiment_id]
    ):
        return  # its whole project was deleted
    key = await connection.fetchval(
        "UPDATE experiment SET deleted = true, loose = 0 WHERE project = $1 AND uuid = $2 RETURNING id",
        project_id,
        experiment_id,
    )
    await _remove(connection, [key])


async def mark_project(connection: Connection, project_id: ProjectId) -> None:
    """Refuses new experiments of a project. It is a transaction of its own, since a writer that holds
    an experiment may wait for the project's row."""
    await connection.execute(
        "INSERT INTO project VALUES ($1, true) ON CONFLICT (uuid) DO UPDATE SET deleted = true", project_id
    )


async def hide_project(connection: Connection, project_id: ProjectId) -> None:
    """Takes all experiments of a project that was marked from readers and writers at once."""
    await connection.execute(
        "UPDATE experiment SET deleted = true FROM (SELECT id FROM experiment WHERE project = $1"
        " ORDER BY uuid FOR UPDATE) AS own WHERE experiment.id = own.id",
        project_id,
    )


async def remove_some(connection: Connection, project_id: ProjectId) -> bool:
    """Removes some of a hidden project's experiments for good; whether there may be more. A large project
    takes longer than a statement may."""
    keys = await connection.fetch(
        "SELECT id FROM experiment WHERE project = $1 ORDER BY uuid LIMIT $2 FOR UPDATE",
        project_id,
        _REMOVED_AT_ONCE,
    )
    removed = [key for (key,) in keys]
    await _remove(connection, removed)
    await connection.execute("DELETE FROM experiment WHERE id = ANY($1::bigint[])", removed)
    return len(removed) == _REMOVED_AT_ONCE


async def locked(
    connection: Connection, project_id: ProjectId, runs: Sequence[ExperimentId]
) -> dict[ExperimentId, Record]:
    """The rows of these experiments, which nobody else changes until the transaction ends."""
    rows = await connection.fetch(
        "SELECT id, uuid, deleted, arrival, series, loose, folds FROM experiment"
        " WHERE project = $1 AND uuid = ANY($2::uuid[]) ORDER BY uuid FOR UPDATE",
        project_id,
        runs,
    )
    return {ExperimentId(row["uuid"]): row for row in rows}


async def add_experiments(
    connection: Connection, project_id: ProjectId, runs: Sequence[ExperimentId]
) -> bool:
    """Whether the experiments are there now; they are not when their project was deleted."""
    await connection.execute("INSERT INTO project VALUES ($1) ON CONFLICT DO NOTHING", project_id)
    deleted = await connection.fetchval("SELECT deleted FROM project WHERE uuid = $1 FOR SHARE", project_id)
    if not deleted:
        await connection.execute(
            "INSERT INTO experiment (project, uuid) SELECT $1, uuid FROM unnest($2::uuid[]) AS new (uuid)"
            " ON CONFLICT DO NOTHING",
            project_id,
            runs,
        )
    return not deleted


async def _not_seen(
    connection: Connection, rows: Mapping[ExperimentId, Record], batches: Sequence[ScalarBatch]
) -> list[ScalarBatch]:
    """The batches whose ids are new, each once; their ids are marked."""
    keys = [rows[batch.experiment_id]["id"] for batch in batches]
    found = await connection.fetch(
        "INSERT INTO batch SELECT * FROM unnest($1::bigint[], $2::uuid[]) ON CONFLICT DO NOTHING"
        " RETURNING experiment, uuid",
        keys,
        [batch.id for batch in batches],
    )
    new: set[tuple[int, UUID]] = {(key, uuid) for key, uuid in found}
    kept = []
    for key, batch in zip(keys, batches, strict=True):
        if (key, batch.id) in new:
            new.remove((key, batch.id))
            kept.append(batch)
    return kept


async def _numbers(
    connection: Connection,
    rows: Mapping[ExperimentId, Record],
    by_run: Mapping[ExperimentId, Sequence[ScalarBatch]],
    known: Numbers,
) -> dict[int, dict[str, int]]:
    """The number of each name that has points, by experiment key; new names get the next numbers."""
    numbers = {rows[run]["id"]: dict(known.get(rows[run]["id"], {})) for run in by_run}
    asked = {rows[run]["id"]: dict.fromkeys(_names(batches)) for run, batches in by_run.items()}
    unknown = [(key, name) for key, names in asked.items() for name in names if name not in numbers[key]]
    if not unknown:
        return numbers
    found = await connection.fetch(
        "SELECT experiment, name, number FROM series"
        " JOIN unnest($1::bigint[], $2::text[]) AS asked (experiment, name) USING (experiment, name)",
        *map(list, zip(*unknown, strict=True)),
    )
    for key, name, number in found:
        numbers[key][name] = number
    next_number = {rows[run]["id"]: rows[run]["series"] for run in by_run}
    new = []
    for key, name in unknown:
        if name not in numbers[key]:
            numbers[key][name] = next_number[key]
            new.append((key, next_number[key], name))
            next_number[key] += 1
    if new:
        await connection.execute(
            "INSERT INTO series (experiment, number, name)"
            " SELECT * FROM unnest($1::bigint[], $2::int[], $3::text[])",
            *map(list, zip(*new, strict=True)),
        )
        await connection.execute(
            "UPDATE experiment SET series = new.series"
            " FROM unnest($1::bigint[], $2::int[]) AS new (id, series) WHERE experiment.id = new.id",
            list(next_number),
            list(next_number.values()),
        )
    return numbers


def _names(batches: Sequence[ScalarBatch]) -> Collection[str]:
    return [batch.names[at] for batch in batches for at in np.unique(batch.series).tolist()]


async def _keep(
    connection: Connection,
    rows: Mapping[ExperimentId, Record],
    by_run: Mapping[ExperimentId, Sequence[ScalarBatch]],
    numbers: Numbers,
) -> list[int]:
    """Writes the points and tags; the keys of experiments whose tail is long."""
    tail, tags, long_tails = [], [], []
    for run, batches in by_run.items():
        row = rows[run]
        key, arrival = row["id"], row["arrival"] + 1
        put = [
            (one, batch.time.max().item() if len(batch) else None) for batch in batches for one in batch.tags
        ]
        tags += [
            (key, arrival, place, one.step, time, list(one.names), list(one.tags))
            for place, (one, time) in enumerate(put)
        ]
        piece, bulk = _parted(batches, numbers[key], arrival)
        loose = row["loose"]
        if bulk:
            # What came before must stand in chunks before: chunks of a series are in arrival order.
            folding = await Folding.plan(connection, key, row["folds"], bulk)
            await folding.apply(connection)
            loose -= folding.points
        added = len(piece.series)
        tail.append((key, arrival, piece.pack() if added else None, added))
        if loose + added >= min(FOLD_AT * max(1, len(numbers[key])), _LONGEST_TAIL):
            long_tails.append(key)
    if tags:
        await connection.executemany("INSERT INTO tag VALUES ($1, $2, $3, $4, $5, $6, $7)", tags)
    if tail:
        await connection.execute(
            "WITH new AS (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[])"
            " AS new (id, arrival, points, added)),"
            " kept AS (INSERT INTO tail SELECT id, arrival, points FROM new WHERE points IS NOT NULL)"
            " UPDATE experiment SET arrival = new.arrival, loose = loose + added"
            " FROM new WHERE experiment.id = new.id",
            *map(list, zip(*tail, strict=True)),
        )
    return long_tails


def _tag_rows(key: int, arrival: int, batches: Sequence[ScalarBatch]) -> list[tuple[object, ...]]:
    put = [(one, int(batch.time.max()) if len(batch) else None) for batch in batches for one in batch.tags]
    return [
        (key, arrival, place, one.step, time, list(one.names), list(one.tags))
        for place, (one, time) in enumerate(put)
    ]


def _parted(
    batches: Sequence[ScalarBatch], numbers: Mapping[str, int], arrival: int
) -> tuple[Piece, dict[int, Arrivals]]:
    """The points of an experiment's batches for its tail, and the many of a series that skip it."""
    series = np.concatenate([_numbered(batch, numbers) for batch in batches])
    points = join([Columns(batch.step, batch.time, batch.value) for batch in batches])
    found, counts = np.unique(series, return_counts=True)
    many = found[counts >= FOLD_AT]
    bulk = {}
    for number in many.tolist():
        own = points.take(series == number)
        bulk[number] = Arrivals(own, np.full(len(own.step), arrival, np.int64))
    if len(many):
        few = ~np.isin(series, many)
        series, points = series[few], points.take(few)
    return Piece(series, points), bulk


def _numbered(batch: ScalarBatch, numbers: Mapping[str, int]) -> Int64s:
    """The number of each point's series. Names without points have none."""
    return np.array([numbers.get(name, -1) for name in batch.names], np.int64)[batch.series]


async def _remove(connection: Connection, keys: list[int]) -> None:
    for table in _TABLES:
        await connection.execute(f"DELETE FROM {table} WHERE experiment = ANY($1::bigint[])", keys)  # noqa: S608
