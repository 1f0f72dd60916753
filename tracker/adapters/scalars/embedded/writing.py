"""Puts batches into a scalars file, and takes experiments out of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

import numpy as np

from tracker.adapters.scalars.chunks import FOLD_AT, Arrivals, Columns, Piece, totals_of
from tracker.adapters.scalars.embedded.folding import fold, rebuilt, remove_chunks
from tracker.adapters.scalars.embedded.project_file import Writer
from tracker.adapters.scalars.embedded.rows import add_totals, insert_chunks
from tracker.domain.errors import NotFound, TrackerError
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import Int64s, ScalarBatch

__all__ = ["MOST_LOOSE", "append", "delete_experiment"]

MOST_LOOSE = 512 * 1024
"""A tail with so many points is folded however many series they belong to."""


def append(writer: Writer, batches: Sequence[ScalarBatch]) -> tuple[list[TrackerError | None], set[int]]:
    """Keeps batches inside the running transaction.

    Of each experiment all are kept together: one row of the tail, one arrival.

    Returns:
        for each batch why it is refused, or ``None``; and the keys of experiments whose tails have
        grown so long that they should be folded.
    """
    answers: list[TrackerError | None] = []
    fresh: dict[int, list[ScalarBatch]] = {}
    known: dict[ExperimentId, int | None] = {}
    connection = writer.connection
    for batch in batches:
        if batch.experiment_id not in known:
            known[batch.experiment_id] = _experiment(connection, batch.experiment_id)
        experiment = known[batch.experiment_id]
        if experiment is None:
            answers.append(NotFound.of("experiment", batch.experiment_id))
            continue
        answers.append(None)
        seen = connection.execute(
            "INSERT OR IGNORE INTO batch (uuid, experiment) VALUES (?, ?)", (batch.id.bytes, experiment)
        )
        if seen.rowcount:
            fresh.setdefault(experiment, []).append(batch)
    long = {experiment for experiment, group in fresh.items() if _keep(writer, experiment, group)}
    return answers, long


def delete_experiment(writer: Writer, experiment_id: ExperimentId) -> None:
    """Removes everything of an experiment but the mark that it was there, and the ids of its batches,
    which maintenance removes: they lie scattered."""
    connection = writer.connection
    ((key,),) = connection.execute(
        "INSERT INTO experiment (uuid, deleted) VALUES (?, 1) ON CONFLICT (uuid)"
        " DO UPDATE SET deleted=max(deleted, 1), loose=0 RETURNING id",
        (experiment_id.bytes,),
    ).fetchall()
    writer.series.pop(key, None)
    chunks = connection.execute(
        "SELECT c.id FROM series s JOIN chunk c ON c.series=s.id WHERE s.experiment=?", (key,)
    )
    remove_chunks(connection, [chunk for (chunk,) in chunks.fetchall()])
    for table in ("series", "tail", "tag"):
        connection.execute(f"DELETE FROM {table} WHERE experiment=?", (key,))  # noqa: S608 - constants


def _experiment(connection: sqlite3.Connection, experiment_id: ExperimentId) -> int | None:
    """The key of an experiment; ``None`` when it was deleted."""
    uuid = experiment_id.bytes
    found = connection.execute("SELECT id, deleted FROM experiment WHERE uuid=?", (uuid,)).fetchone()
    if found is None:
        return int(connection.execute("INSERT INTO experiment (uuid) VALUES (?)", (uuid,)).lastrowid or 0)
    return None if found[1] else int(found[0])


def _keep(writer: Writer, experiment: int, group: list[ScalarBatch]) -> bool:
    """Keeps an experiment's batches; whether its tail should be folded."""
    connection = writer.connection
    for batch in group:
        if batch.tags:
            _keep_tags(connection, experiment, batch)
    names, index, points = _together(group)
    if not len(index):
        return False
    keys = _series_keys(writer, experiment, names)[index]
    bulk = np.bincount(index, minlength=len(names)) >= FOLD_AT
    if bulk.any():
        # What came before must stand in chunks before: chunks of a series are in arrival order.
        fold(connection, experiment)
    small = slice(None) if not bulk.any() else ~bulk[index]
    loose = len(keys[small])
    ((arrival, all_loose),) = connection.execute(
        "UPDATE experiment SET arrivals=arrivals+1, loose=loose+? WHERE id=? RETURNING arrivals, loose",
        (loose, experiment),
    ).fetchall()
    if loose:
        data = Piece(keys[small], points.take(small)).pack()
        connection.execute(
            "INSERT INTO tail (experiment, arrival, points) VALUES (?, ?, ?)", (experiment, arrival, data)
        )
    for series in np.flatnonzero(bulk):
        rows = index == series
        _keep_bulk(connection, int(keys[rows.argmax()]), points.take(rows), arrival)
    return bool(all_loose >= min(FOLD_AT * len(names), MOST_LOOSE))


def _together(group: list[ScalarBatch]) -> tuple[Sequence[str], Int64s, Columns]:
    """Names, the index into them of each point, and the points of all batches in arrival order."""
    first = group[0]
    if len(group) == 1:
        return first.names, first.series, Columns(first.step, first.time, first.value)
    index: dict[str, int] = {name: place for place, name in enumerate(first.names)}
    series = []
    for batch in group:
        if batch.names == first.names:
            series.append(batch.series)
        else:
            places = [index.setdefault(name, len(index)) for name in batch.names]
            series.append(np.array(places, np.int64)[batch.series])
    points = Columns(
        np.concatenate([batch.step for batch in group]),
        np.concatenate([batch.time for batch in group]),
        np.concatenate([batch.value for batch in group]),
    )
    return list(index), np.concatenate(series), points


def _series_keys(writer: Writer, experiment: int, names: Sequence[str]) -> Int64s:
    """The keys of series by their names; those that are new get theirs."""
    known = writer.series.setdefault(experiment, {})
    for name in names:
        if name not in known:
            known[name] = _series_key(writer.connection, experiment, name)
    return np.array([known[name] for name in names], np.int64)


def _series_key(connection: sqlite3.Connection, experiment: int, name: str) -> int:
    row = experiment, name
    made = connection.execute("INSERT OR IGNORE INTO series (experiment, name) VALUES (?, ?)", row)
    if made.rowcount:
        return int(made.lastrowid or 0)
    query = "SELECT id FROM series WHERE experiment=? AND name=?"  # another process was first
    return int(connection.execute(query, row).fetchone()[0])


def _keep_bulk(connection: sqlite3.Connection, series: int, points: Columns, arrival: int) -> None:
    arrivals = Arrivals(points, np.full(len(points.value), arrival))
    replaced, chunks = rebuilt(connection, series, arrivals)
    remove_chunks(connection, replaced)
    insert_chunks(connection, [(series, chunk) for chunk in chunks])
    add_totals(connection, {series: totals_of(points)})


def _keep_tags(connection: sqlite3.Connection, experiment: int, batch: ScalarBatch) -> None:
    latest = int(batch.time.max()) if len(batch) else None
    connection.executemany(
        "INSERT INTO tag (experiment, step, time, names, tags) VALUES (?, ?, ?, ?, ?)",
        [
            (experiment, tags.step, latest, json.dumps(tags.names), json.dumps(tags.tags))
            for tags in batch.tags
        ],
    )
