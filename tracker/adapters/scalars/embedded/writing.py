"""Puts batches into a scalars file, and takes experiments out of it."""

from __future__ import annotations

import json
import sqlite3

import numpy as np

from tracker.adapters.scalars.embedded.columns import Columns, Piece
from tracker.adapters.scalars.embedded.folding import fold, write_chunks
from tracker.domain.errors import NotFound
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import Int64s, ScalarBatch

__all__ = ["FOLD_AT", "append", "delete_experiment"]

FOLD_AT = 1024

_UPSERT = """
INSERT INTO series (experiment, name, count, non_finite, first_step, last_step, last_time, last_value,
                    last_bits, modified, min_value, max_value, in_tail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (experiment, name) DO UPDATE SET
  count = count + excluded.count, non_finite = non_finite + excluded.non_finite,
  first_step = min(first_step, excluded.first_step), modified = max(modified, excluded.modified),
  last_value = iif((excluded.last_step, excluded.last_time) >= (last_step, last_time),
                   excluded.last_value, last_value),
  last_bits = iif((excluded.last_step, excluded.last_time) >= (last_step, last_time),
                  excluded.last_bits, last_bits),
  last_time = iif((excluded.last_step, excluded.last_time) >= (last_step, last_time),
                  excluded.last_time, last_time),
  last_step = max(last_step, excluded.last_step),
  min_value = min(coalesce(min_value, excluded.min_value), coalesce(excluded.min_value, min_value)),
  max_value = max(coalesce(max_value, excluded.max_value), coalesce(excluded.max_value, max_value)),
  in_tail = in_tail + excluded.in_tail
RETURNING id, in_tail"""


def append(connection: sqlite3.Connection, batch: ScalarBatch) -> int | None:
    """Keeps a batch inside the running transaction.

    Returns:
        The key of its experiment when its tail has grown so long that it should be folded.

    Raises:
        NotFound: the experiment was deleted.
    """
    experiment = _experiment(connection, batch.experiment_id)
    seen = connection.execute(
        "INSERT OR IGNORE INTO batch (experiment, uuid) VALUES (?, ?)", (experiment, batch.id.bytes)
    )
    if seen.rowcount == 0:
        return None
    _keep_tags(connection, experiment, batch)
    if not len(batch):
        return None
    counts = np.bincount(batch.series, minlength=len(batch.names))
    bulk = counts >= FOLD_AT
    if bulk.any():
        # What came before must stand in chunks before: chunks of a series are in arrival order.
        fold(connection, experiment)
    keys = np.zeros(len(batch.names), np.int64)
    longest = 0
    for row, at in zip(_summaries(batch), np.flatnonzero(counts), strict=True):
        in_tail = 0 if bulk[at] else int(counts[at])
        found = connection.execute(_UPSERT, (experiment, batch.names[at], *row, in_tail)).fetchone()
        keys[at], longest = found[0], max(longest, found[1])
    _keep_points(connection, experiment, batch, keys, bulk)
    return experiment if longest >= FOLD_AT else None


def delete_experiment(connection: sqlite3.Connection, experiment_id: ExperimentId) -> None:
    """Removes everything of an experiment but the mark that it was there."""
    connection.execute(
        "INSERT INTO experiment (uuid, deleted) VALUES (?, 1) ON CONFLICT (uuid) DO UPDATE SET deleted=1",
        (experiment_id.bytes,),
    )
    key = connection.execute("SELECT id FROM experiment WHERE uuid=?", (experiment_id.bytes,)).fetchone()
    connection.execute("DELETE FROM chunk WHERE series IN (SELECT id FROM series WHERE experiment=?)", key)
    for table in ("series", "tail", "batch", "tag"):
        connection.execute(f"DELETE FROM {table} WHERE experiment=?", key)  # noqa: S608 - constants


def _experiment(connection: sqlite3.Connection, experiment_id: ExperimentId) -> int:
    uuid = experiment_id.bytes
    found = connection.execute("SELECT id, deleted FROM experiment WHERE uuid=?", (uuid,)).fetchone()
    if found is None:
        return int(connection.execute("INSERT INTO experiment (uuid) VALUES (?)", (uuid,)).lastrowid or 0)
    if found[1]:
        raise NotFound.of("experiment", experiment_id)
    return int(found[0])


def _keep_tags(connection: sqlite3.Connection, experiment: int, batch: ScalarBatch) -> None:
    latest = int(batch.time.max()) if len(batch) else None
    connection.executemany(
        "INSERT INTO tag (experiment, step, time, names, tags) VALUES (?, ?, ?, ?, ?)",
        [
            (experiment, tags.step, latest, json.dumps(tags.names), json.dumps(tags.tags))
            for tags in batch.tags
        ],
    )


def _keep_points(
    connection: sqlite3.Connection, experiment: int, batch: ScalarBatch, keys: Int64s, bulk: np.ndarray
) -> None:
    points = Columns(batch.step, batch.time, batch.value)
    small = ~bulk[batch.series]
    if small.any():
        data = Piece(keys[batch.series[small]], points.take(small)).pack()
        connection.execute("INSERT INTO tail (experiment, points) VALUES (?, ?)", (experiment, data))
    if bulk.any():
        key_of = dict(zip(batch.names, keys.tolist(), strict=True))
        large = {name for name, is_bulk in zip(batch.names, bulk, strict=True) if is_bulk}
        for name, step, time, value in batch.split():
            if name in large:
                write_chunks(connection, key_of[name], Columns(step, time, value))


def _summaries(batch: ScalarBatch) -> list[tuple[object, ...]]:
    """One row for each series that has points, from `count` to `max_value`, by index of name.

    Works on all series at once: a batch often has many series of one point each.
    """
    order = np.argsort(batch.series, kind="stable")
    series, step, time, value = (c[order] for c in (batch.series, batch.step, batch.time, batch.value))
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    counts = np.diff(starts, append=len(series))
    finite = np.isfinite(value)
    numbers = np.add.reduceat(finite, starts, dtype=np.int64)
    last_step = np.maximum.reduceat(step, starts)
    at_last = step == np.repeat(last_step, counts)
    lowest = np.iinfo(np.int64).min
    last_time = np.maximum.reduceat(np.where(at_last, time, lowest), starts)
    at_last &= time == np.repeat(last_time, counts)
    last = value[np.maximum.reduceat(np.where(at_last, np.arange(len(value)), -1), starts)]
    columns = (
        counts.tolist(),
        (counts - numbers).tolist(),
        np.minimum.reduceat(step, starts).tolist(),
        last_step.tolist(),
        last_time.tolist(),
        last.tolist(),
        [one.tobytes() for one in last.astype("<f8")],
        np.maximum.reduceat(time, starts).tolist(),
        np.where(numbers > 0, np.minimum.reduceat(np.where(finite, value, np.inf), starts), np.nan).tolist(),
        np.where(numbers > 0, np.maximum.reduceat(np.where(finite, value, -np.inf), starts), np.nan).tolist(),
    )
    return list(zip(*columns, strict=True))
