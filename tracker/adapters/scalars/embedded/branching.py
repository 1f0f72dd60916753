"""Moves the points of an experiment from a step on to another one."""

from __future__ import annotations

import sqlite3

from tracker.adapters.scalars.chunks import Chunk, Parting
from tracker.adapters.scalars.embedded.folding import chunks_of, fold
from tracker.adapters.scalars.embedded.many_rows import insert_rows
from tracker.adapters.scalars.embedded.project_file import Writer
from tracker.adapters.scalars.embedded.rows import HEADS, insert_chunks, remove_chunks, save_totals
from tracker.domain.errors import NotFound
from tracker.domain.ids import ExperimentId

__all__ = ["branch"]

_CHUNKS_AT_ONCE = 64  # of up to 100 KB


def branch(writer: Writer, experiment_id: ExperimentId, step: int, into: ExperimentId) -> None:
    """Moves what stands at `step` and behind inside the running transaction; see the port.

    Rows of series stay even where nothing is left of them: other processes know their keys.

    Raises:
        NotFound: the experiment was deleted.
    """
    connection = writer.connection
    if _row(connection, into) is not None:
        return  # it was done before
    (target,) = connection.execute(
        "INSERT INTO experiment (uuid) VALUES (?) RETURNING id", (into.bytes,)
    ).fetchone()
    found = _row(connection, experiment_id)
    if found is None:
        return  # nothing to move, but `into` is marked
    experiment, is_deleted, arrivals = found
    if is_deleted:
        raise NotFound.of("experiment", experiment_id)
    fold(connection, experiment)
    # Whoever is compressing the tail at this moment must find that all has changed.
    connection.execute("UPDATE experiment SET folds=folds+1 WHERE id=?", (experiment,))
    connection.execute("UPDATE experiment SET arrivals=? WHERE id=?", (arrivals, target))
    series = connection.execute(
        "SELECT id, name FROM series s WHERE experiment=?"
        " AND EXISTS (SELECT 1 FROM chunk WHERE series=s.id AND last_step>=?) ORDER BY id",
        (experiment, step),
    ).fetchall()
    for key, name in series:
        (new,) = connection.execute(
            "INSERT INTO series (experiment, name) VALUES (?, ?) RETURNING id", (target, name)
        ).fetchone()
        _move(connection, key, new, step)
    connection.execute(
        "UPDATE tag SET experiment=? WHERE experiment=? AND step>=?", (target, experiment, step)
    )


def _row(connection: sqlite3.Connection, experiment_id: ExperimentId) -> tuple[int, int, int] | None:
    found: tuple[int, int, int] | None = connection.execute(
        "SELECT id, deleted, arrivals FROM experiment WHERE uuid=?", (experiment_id.bytes,)
    ).fetchone()
    return found


def _move(connection: sqlite3.Connection, series: int, into: int, step: int) -> None:
    """Moves chunks, and parts those that lie on both sides; all keep their order."""
    keys = connection.execute("SELECT id FROM chunk WHERE series=? ORDER BY id", (series,)).fetchall()
    parting = Parting(step)
    for start in range(0, len(keys), _CHUNKS_AT_ONCE):
        some = [key for (key,) in keys[start : start + _CHUNKS_AT_ONCE]]
        moved: list[tuple[int, Chunk]] = []
        shortened: list[tuple[int, Chunk]] = []
        gone: list[int] = []
        for key, chunk in chunks_of(connection, some):
            before, behind = parting.part(chunk)
            if behind is None:
                continue
            gone.append(key)
            moved.append((into, behind))
            if before is not None:
                shortened.append((key, before))
        remove_chunks(connection, gone)
        _put_back(connection, series, shortened)
        insert_chunks(connection, moved)
    _save(connection, series, parting)
    if parting.behind is not None:
        save_totals(connection, {into: parting.behind})


def _put_back(connection: sqlite3.Connection, series: int, chunks: list[tuple[int, Chunk]]) -> None:
    """Under the keys that they had, since chunks of a series stand in the order of arrival."""
    if chunks:
        heads = [(key, series, *chunk[:7]) for key, chunk in chunks]
        insert_rows(connection, f"chunk (id, series, {HEADS})", heads)
        insert_rows(connection, "chunk_points", [(key, *chunk[7:]) for key, chunk in chunks])


def _save(connection: sqlite3.Connection, series: int, parting: Parting) -> None:
    if parting.before is not None:
        save_totals(connection, {series: parting.before})
        return
    connection.execute(
        "UPDATE series SET points=0, last_value=NULL, min_value=NULL, max_value=NULL, totals=NULL WHERE id=?",
        (series,),
    )
