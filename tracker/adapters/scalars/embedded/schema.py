"""The tables of a scalars file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tracker.adapters.scalars.embedded.upgrade import from_1, from_2
from tracker.domain.errors import SchemaMismatch

__all__ = ["BUSY_MILLISECONDS", "VERSION", "prepare"]

VERSION = 3
BUSY_MILLISECONDS = 10_000
_LOG_PAGES = 4000  # 16 MB: at SQLite's own 1000 every few bulk appends wait for a checkpoint

# A series' numbers are those of its chunks; the tail's are added when they are asked for, so that an
# append touches no row of its series. They are packed into one value, totals: Python makes an object of
# every column that it is handed, and SQLite would turn NaN into NULL and -0.0 into 0.0. A tail row is one
# commit of an experiment: a row for each of its series would cost several times the space. Batches are
# keyed by their ids, which grow with time, so that those of a hundred runs go onto one page. Heads of
# chunks lie apart from the points: samples read nothing else.
_TABLES = (
    """CREATE TABLE experiment (
        id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, deleted INTEGER NOT NULL DEFAULT 0,
        arrivals INTEGER NOT NULL DEFAULT 0, loose INTEGER NOT NULL DEFAULT 0,
        folds INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE batch (
        uuid BLOB NOT NULL, experiment INTEGER NOT NULL, PRIMARY KEY (uuid, experiment)) WITHOUT ROWID""",
    """CREATE TABLE series (
        id INTEGER PRIMARY KEY, experiment INTEGER NOT NULL, name TEXT NOT NULL,
        points INTEGER NOT NULL DEFAULT 0, last_value REAL, min_value REAL, max_value REAL, totals BLOB,
        UNIQUE (experiment, name))""",
    "CREATE INDEX series_by_name ON series (name)",
    """CREATE TABLE chunk (
        id INTEGER PRIMARY KEY, series INTEGER NOT NULL, points INTEGER NOT NULL, codec INTEGER NOT NULL,
        first_step INTEGER NOT NULL, last_step INTEGER NOT NULL, last_arrival INTEGER NOT NULL,
        checksum INTEGER NOT NULL, blocks BLOB NOT NULL)""",
    "CREATE INDEX chunk_by_series ON chunk (series, last_arrival)",
    """CREATE TABLE chunk_points (
        chunk INTEGER PRIMARY KEY, step BLOB NOT NULL, time BLOB NOT NULL, value BLOB NOT NULL,
        arrival BLOB NOT NULL)""",
    """CREATE TABLE tail (
        id INTEGER PRIMARY KEY, experiment INTEGER NOT NULL, arrival INTEGER NOT NULL,
        points BLOB NOT NULL)""",
    "CREATE INDEX tail_by_experiment ON tail (experiment)",
    """CREATE TABLE tag (
        id INTEGER PRIMARY KEY, experiment INTEGER NOT NULL, step INTEGER NOT NULL, time INTEGER,
        names TEXT NOT NULL, tags TEXT NOT NULL)""",
    "CREATE INDEX tag_by_step ON tag (experiment, step)",
)


def prepare(connection: sqlite3.Connection, path: Path, synchronous: str) -> None:
    """Sets a connection up, and the file if it is new or of an older version. The caller holds the
    file lock.

    Raises:
        SchemaMismatch: the file was written by a later version of tracker.
    """
    connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > VERSION:
        raise SchemaMismatch(
            f"the scalars file {path} has schema {found}, this tracker knows {VERSION}:"
            " install a later version of it"
        )
    if found == 0:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
    if found < VERSION:
        _bring_to_present(connection, found)


def _bring_to_present(connection: sqlite3.Connection, found: int) -> None:
    """All or nothing: a file is never between two versions."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if found == 1:
            from_1(connection, _TABLES)
        elif found == 2:
            from_2(connection, _TABLES)
        else:
            for statement in _TABLES:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
