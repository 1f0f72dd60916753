"""The statements of a group commit: one for all its batches, however many there are."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tracker.adapters.scalars.embedded.many_rows import flat, insert_rows, listed, places, portions
from tracker.adapters.scalars.embedded.project_file import Writer
from tracker.domain.ids import ExperimentId

__all__ = ["State", "count_arrivals", "keep_batches", "keep_pieces", "seen", "series_keys", "states"]

BatchKey = tuple[bytes, int]


class State(NamedTuple):
    """What an experiment's row says.

    Attributes:
        key: of the row.
        is_deleted: whether it takes no more points.
        arrivals: how many commits have brought points.
        loose: points in its tail.
    """

    key: int
    is_deleted: bool
    arrivals: int
    loose: int


def states(writer: Writer, experiments: Collection[ExperimentId]) -> dict[ExperimentId, State]:
    """The states of experiments; one that is new gets its row."""
    connection = writer.connection
    for experiment_id in experiments:
        if experiment_id not in writer.experiments:
            writer.experiments[experiment_id] = _key(connection, experiment_id)
    id_of = {writer.experiments[experiment_id]: experiment_id for experiment_id in experiments}
    found = connection.execute(
        "SELECT json_group_array(json_array(id, deleted, arrivals, loose)) FROM experiment"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (listed(id_of),),
    ).fetchone()[0]
    return {
        id_of[key]: State(key, bool(deleted), arrivals, loose)
        for key, deleted, arrivals, loose in json.loads(found)
    }


def seen(connection: sqlite3.Connection, batches: Sequence[BatchKey]) -> set[BatchKey]:
    """Which of these batches were kept before."""
    known: set[BatchKey] = set()
    for rows in portions(batches):
        found = connection.execute(
            f"WITH asked (uuid, experiment) AS (VALUES {places(rows)})"  # noqa: S608 - question marks
            " SELECT json_group_array(json_array(hex(uuid), experiment))"
            " FROM asked CROSS JOIN batch USING (uuid, experiment)",
            flat(rows),
        ).fetchone()[0]
        known.update((bytes.fromhex(uuid), experiment) for uuid, experiment in json.loads(found))
    return known


def keep_batches(connection: sqlite3.Connection, batches: Sequence[BatchKey]) -> None:
    """Remembers the ids of batches."""
    insert_rows(connection, "batch (uuid, experiment)", batches)


def count_arrivals(connection: sqlite3.Connection, loose: Mapping[int, int]) -> None:
    """Counts one more arrival for each experiment.

    Args:
        connection: to the scalars file.
        loose: points that it adds to the tail, by the experiment's key.
    """
    connection.execute(
        "UPDATE experiment SET arrivals=arrivals+1, loose=loose+more.value"
        " FROM json_each(?) AS more WHERE experiment.id=CAST(more.key AS INTEGER)",
        (json.dumps(loose),),
    )


def keep_pieces(connection: sqlite3.Connection, pieces: Sequence[tuple[int, int, bytes]]) -> None:
    """Appends (experiment, arrival, packed piece) to the tail."""
    insert_rows(connection, "tail (experiment, arrival, points)", pieces)


def series_keys(connection: sqlite3.Connection, experiment: int, names: Sequence[str]) -> dict[str, int]:
    """The keys of an experiment's series; those that are not there are made."""
    asked = experiment, listed(names)
    connection.execute(
        "INSERT OR IGNORE INTO series (experiment, name) SELECT ?, value FROM json_each(?)", asked
    )
    found = connection.execute(
        "SELECT json_group_object(name, id) FROM series"
        " WHERE experiment=? AND name IN (SELECT value FROM json_each(?))",
        asked,
    ).fetchone()[0]
    keys: dict[str, int] = json.loads(found)
    return keys


def _key(connection: sqlite3.Connection, experiment_id: ExperimentId) -> int:
    uuid = (experiment_id.bytes,)
    found = connection.execute("SELECT id FROM experiment WHERE uuid=?", uuid).fetchone()
    if found is not None:
        return int(found[0])
    return int(connection.execute("INSERT INTO experiment (uuid) VALUES (?)", uuid).lastrowid or 0)
