"""Folds the small pieces of an experiment's tail into chunks.

Compressing takes far longer than writing, so it is done beside the writers: :func:`prepare` reads and
compresses in a reading transaction, :func:`apply` exchanges the rows in a short writing one, and does
nothing when another fold or a deletion came between.
"""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

from tracker.adapters.scalars.chunks import (
    Arrivals,
    Chunk,
    Totals,
    by_series,
    chunked,
    join_arrivals,
    rewritten,
    totals_of,
)
from tracker.adapters.scalars.embedded.many_rows import listed
from tracker.adapters.scalars.embedded.rows import (
    CHUNK,
    chunk_from,
    insert_chunks,
    remove_chunks,
    save_totals,
    totals_with,
)

__all__ = ["Fold", "apply", "chunks_of", "fold", "prepare", "rebuilt", "tail_of"]

_MERGED_AT_ONCE = 16
_MOST_AT_A_STEP = 64 * 2**20  # bytes; SQLite has no value of more than 10^9


class Fold(NamedTuple):
    """What replaces a tail.

    Attributes:
        experiment: whose tail.
        folds: how often it had been folded before.
        last: key of the latest row of the tail.
        points: in the tail.
        replaced: keys of chunks that were taken into new ones.
        chunks: new chunks with the keys of their series, in order.
        totals: of the series' chunks with the tail added. Only a fold changes those of an experiment
            that has a tail, so they stay true as long as `folds` is.
    """

    experiment: int
    folds: int
    last: int
    points: int
    replaced: list[int]
    chunks: list[tuple[int, Chunk]]
    totals: dict[int, Totals]


def tail_of(connection: sqlite3.Connection, experiment: int, after: int = 0) -> dict[int, Arrivals]:
    """The points of an experiment that are in no chunk yet, by series, in arrival order.

    Args:
        connection: to the scalars file.
        experiment: its key.
        after: leaves out what came with this arrival or before.
    """
    which = "FROM tail WHERE experiment=? AND arrival>?"
    asked = experiment, after
    (size,) = connection.execute(f"SELECT total(length(points)) {which}", asked).fetchone()
    if size > _MOST_AT_A_STEP:
        return by_series(connection.execute(f"SELECT arrival, points {which} ORDER BY id", asked))
    (found,) = connection.execute(
        f"SELECT json_group_array(json_array(arrival, hex(points))) {which}",
        asked,
    ).fetchone()
    return by_series((arrival, bytes.fromhex(points)) for arrival, points in sorted(json.loads(found)))


def prepare(connection: sqlite3.Connection, experiment: int) -> Fold | None:
    """The fold of an experiment's whole tail; ``None`` when there is nothing to fold."""
    found = connection.execute(
        "SELECT folds, (SELECT max(id) FROM tail WHERE experiment=?1) FROM experiment"
        " WHERE id=?1 AND deleted=0",
        (experiment,),
    ).fetchone()
    if found is None or found[1] is None:
        return None
    made = Fold(experiment, found[0], found[1], 0, [], [], {})
    points, totals = 0, {}
    for series, arrivals in tail_of(connection, experiment).items():
        replaced, chunks = rebuilt(connection, series, arrivals)
        made.replaced.extend(replaced)
        made.chunks.extend((series, chunk) for chunk in chunks)
        totals[series] = totals_of(arrivals.points)
        points += len(arrivals.arrival)
    return made._replace(points=points, totals=totals_with(connection, totals))


def apply(connection: sqlite3.Connection, made: Fold) -> bool:
    """Puts chunks in place of the tail; not when another fold or a deletion was first."""
    done = connection.execute(
        "UPDATE experiment SET folds=folds+1, loose=loose-? WHERE id=? AND folds=? AND deleted=0",
        (made.points, made.experiment, made.folds),
    )
    if done.rowcount == 0:
        return False
    remove_chunks(connection, made.replaced)
    insert_chunks(connection, made.chunks)
    save_totals(connection, made.totals)
    connection.execute("DELETE FROM tail WHERE experiment=? AND id<=?", (made.experiment, made.last))
    return True


def fold(connection: sqlite3.Connection, experiment: int) -> None:
    """Folds an experiment's tail inside the running writing transaction."""
    made = prepare(connection, experiment)
    if made is not None:
        apply(connection, made)


def rebuilt(connection: sqlite3.Connection, series: int, arrivals: Arrivals) -> tuple[list[int], list[Chunk]]:
    """The chunks that keep later points of a series, and the keys of those that they replace."""
    (found,) = connection.execute(
        "SELECT json_group_array(json_array(id, points)) FROM"
        " (SELECT id, points FROM chunk WHERE series=? ORDER BY id DESC LIMIT ?)",
        (series, _MERGED_AT_ONCE),
    ).fetchone()
    heads = sorted(json.loads(found), reverse=True)
    taken = rewritten((points for _, points in heads), len(arrivals.arrival))
    keys = sorted(key for key, _ in heads[:taken])
    before = [chunk.arrivals() for _, chunk in chunks_of(connection, keys)]
    return keys, list(chunked(join_arrivals([*before, arrivals])))


def chunks_of(connection: sqlite3.Connection, keys: list[int]) -> list[tuple[int, Chunk]]:
    """Chunks by their keys, ascending."""
    if not keys:
        return []
    rows = connection.execute(
        f"SELECT {CHUNK} FROM chunk c JOIN chunk_points p ON p.chunk=c.id"  # noqa: S608 - constants
        " WHERE c.id IN (SELECT value FROM json_each(?)) ORDER BY c.id",
        (listed(keys),),
    )
    return [chunk_from(row) for row in rows]
