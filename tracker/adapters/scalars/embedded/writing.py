"""Puts batches into a scalars file, and takes experiments out of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tracker.adapters.scalars.chunks import FOLD_AT, Arrivals, Columns, Piece, totals_of
from tracker.adapters.scalars.embedded.folding import fold, rebuilt
from tracker.adapters.scalars.embedded.groups import (
    State,
    count_arrivals,
    keep_batches,
    keep_pieces,
    seen,
    series_keys,
    states,
)
from tracker.adapters.scalars.embedded.project_file import Writer
from tracker.adapters.scalars.embedded.rows import insert_chunks, remove_chunks, save_totals, totals_with
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
    connection = writer.connection
    known = states(writer, {batch.experiment_id for batch in batches})
    keys = [(batch.id.bytes, known[batch.experiment_id].key) for batch in batches]
    before = seen(connection, keys)
    answers: list[TrackerError | None] = []
    fresh: dict[ExperimentId, list[ScalarBatch]] = {}
    new: dict[tuple[bytes, int], None] = {}
    for batch, key in zip(batches, keys, strict=True):
        if known[batch.experiment_id].is_deleted:
            answers.append(NotFound.of("experiment", batch.experiment_id))
            continue
        answers.append(None)
        if key not in before and key not in new:
            new[key] = None
            fresh.setdefault(batch.experiment_id, []).append(batch)
    keep_batches(connection, list(new))
    kept = [_keep(writer, known[experiment_id], group) for experiment_id, group in fresh.items()]
    arrived = [each for each in kept if each is not None]
    count_arrivals(connection, {each.experiment: each.loose for each in arrived})
    keep_pieces(connection, [(each.experiment, each.arrival, each.piece) for each in arrived if each.piece])
    return answers, {each.experiment for each in arrived if each.is_long}


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


class _Kept(NamedTuple):
    """What a commit brings of one experiment.

    Attributes:
        experiment: its key.
        arrival: the commit's number within it.
        loose: points that go into the tail.
        piece: these, packed.
        is_long: whether the tail should then be folded.
    """

    experiment: int
    arrival: int
    loose: int
    piece: bytes
    is_long: bool


def _keep(writer: Writer, state: State, group: list[ScalarBatch]) -> _Kept | None:
    """Keeps tags and large series of an experiment's batches; tells what is left for the tail."""
    connection, experiment, arrival = writer.connection, state.key, state.arrivals + 1
    for batch in group:
        if batch.tags:
            _keep_tags(connection, experiment, batch)
    names, index, points = _together(group)
    if not len(index):
        return None
    keys = _series_keys(writer, experiment, names)[index]
    long_at = min(FOLD_AT * len(names), MOST_LOOSE)
    if len(index) < FOLD_AT:
        is_long = state.loose + len(index) >= long_at
        return _Kept(experiment, arrival, len(index), Piece(keys, points).pack(), is_long)
    bulk = np.bincount(index, minlength=len(names)) >= FOLD_AT
    if bulk.any():
        # What came before must stand in chunks before: chunks of a series are in arrival order.
        fold(connection, experiment)
    for series in np.flatnonzero(bulk):
        rows = index == series
        _keep_bulk(connection, int(keys[rows.argmax()]), points.take(rows), arrival)
    small = ~bulk[index]
    loose = int(small.sum())
    piece = Piece(keys[small], points.take(small)).pack() if loose else b""
    return _Kept(experiment, arrival, loose, piece, state.loose + loose >= long_at)


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
    try:
        keys = [known[name] for name in names]
    except KeyError:
        new = [name for name in names if name not in known]
        known.update(series_keys(writer.connection, experiment, new))
        keys = [known[name] for name in names]
    return np.array(keys, np.int64)


def _keep_bulk(connection: sqlite3.Connection, series: int, points: Columns, arrival: int) -> None:
    arrivals = Arrivals(points, np.full(len(points.value), arrival))
    replaced, chunks = rebuilt(connection, series, arrivals)
    remove_chunks(connection, replaced)
    insert_chunks(connection, [(series, chunk) for chunk in chunks])
    save_totals(connection, totals_with(connection, {series: totals_of(points)}))


def _keep_tags(connection: sqlite3.Connection, experiment: int, batch: ScalarBatch) -> None:
    latest = int(batch.time.max()) if len(batch) else None
    connection.executemany(
        "INSERT INTO tag (experiment, step, time, names, tags) VALUES (?, ?, ?, ?, ?)",
        [
            (experiment, tags.step, latest, json.dumps(tags.names), json.dumps(tags.tags))
            for tags in batch.tags
        ],
    )
