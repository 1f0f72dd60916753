"""Folds the small pieces of an experiment's tail into chunks.

Compressing takes far longer than writing, so it is done beside the writers: :func:`prepare` reads and
compresses in a reading transaction, :func:`apply` exchanges the rows in a short writing one, and does
nothing when another fold or a deletion came between.
"""

from __future__ import annotations

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
from tracker.adapters.scalars.embedded.rows import CHUNK, add_totals, chunk_from, insert_chunks, listed

__all__ = ["Fold", "apply", "chunks_of", "fold", "prepare", "rebuilt", "remove_chunks", "tail_of"]

_MERGED_AT_ONCE = 16


class Fold(NamedTuple):
    """What replaces a tail.

    Attributes:
        experiment: whose tail.
        folds: how often it had been folded before.
        last: key of the latest row of the tail.
        points: in the tail.
        replaced: keys of chunks that were taken into new ones.
        chunks: new chunks with the keys of their series, in order.
        totals: of the tail, by series.
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
    return by_series(
        connection.execute(
            "SELECT arrival, points FROM tail WHERE experiment=? AND arrival>? ORDER BY id",
            (experiment, after),
        )
    )


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
    points = 0
    for series, arrivals in tail_of(connection, experiment).items():
        replaced, chunks = rebuilt(connection, series, arrivals)
        made.replaced.extend(replaced)
        made.chunks.extend((series, chunk) for chunk in chunks)
        made.totals[series] = totals_of(arrivals.points)
        points += len(arrivals.arrival)
    return made._replace(points=points)


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
    add_totals(connection, made.totals)
    connection.execute("DELETE FROM tail WHERE experiment=? AND id<=?", (made.experiment, made.last))
    return True


def fold(connection: sqlite3.Connection, experiment: int) -> None:
    """Folds an experiment's tail inside the running writing transaction."""
    made = prepare(connection, experiment)
    if made is not None:
        apply(connection, made)


def rebuilt(connection: sqlite3.Connection, series: int, arrivals: Arrivals) -> tuple[list[int], list[Chunk]]:
    """The chunks that keep later points of a series, and the keys of those that they replace."""
    heads = connection.execute(
        "SELECT id, points FROM chunk WHERE series=? ORDER BY id DESC LIMIT ?", (series, _MERGED_AT_ONCE)
    ).fetchall()
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


def remove_chunks(connection: sqlite3.Connection, keys: list[int]) -> None:
    """Deletes chunks with their points."""
    for statement in ("DELETE FROM chunk WHERE id=?", "DELETE FROM chunk_points WHERE chunk=?"):
        connection.executemany(statement, [(key,) for key in keys])
