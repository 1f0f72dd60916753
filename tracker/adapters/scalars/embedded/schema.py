"""The tables of a scalars file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tracker.domain.errors import SchemaMismatch

__all__ = ["VERSION", "prepare"]

VERSION = 1

# last_bits stands beside last_value, since SQLite turns NaN into NULL and -0.0 into 0.0.
# A tail row is one whole batch: a row for each of its series would cost several times the space.
_TABLES = (
    """CREATE TABLE experiment (
        id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, deleted INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE batch (
        experiment INTEGER NOT NULL, uuid BLOB NOT NULL, PRIMARY KEY (experiment, uuid)) WITHOUT ROWID""",
    """CREATE TABLE series (
        id INTEGER PRIMARY KEY, experiment INTEGER NOT NULL, name TEXT NOT NULL,
        count INTEGER NOT NULL, non_finite INTEGER NOT NULL,
        first_step INTEGER NOT NULL, last_step INTEGER NOT NULL, last_time INTEGER NOT NULL,
        last_value REAL, last_bits BLOB NOT NULL, modified INTEGER NOT NULL,
        min_value REAL, max_value REAL, in_tail INTEGER NOT NULL, UNIQUE (experiment, name))""",
    "CREATE INDEX series_by_name ON series (name)",
    """CREATE TABLE chunk (
        id INTEGER PRIMARY KEY, series INTEGER NOT NULL, points INTEGER NOT NULL, codec INTEGER NOT NULL,
        first_step INTEGER NOT NULL, last_step INTEGER NOT NULL,
        step BLOB NOT NULL, time BLOB NOT NULL, value BLOB NOT NULL)""",
    "CREATE INDEX chunk_by_series ON chunk (series)",
    "CREATE TABLE tail (id INTEGER PRIMARY KEY, experiment INTEGER NOT NULL, points BLOB NOT NULL)",
    "CREATE INDEX tail_by_experiment ON tail (experiment)",
    """CREATE TABLE tag (
        id INTEGER PRIMARY KEY, experiment INTEGER NOT NULL, step INTEGER NOT NULL, time INTEGER,
        names TEXT NOT NULL, tags TEXT NOT NULL)""",
    "CREATE INDEX tag_by_step ON tag (experiment, step)",
)


def prepare(connection: sqlite3.Connection, path: Path, synchronous: str) -> None:
    """Sets a connection up, and the file if it is new. The caller holds the file lock.

    Raises:
        SchemaMismatch: the file was written by another version of tracker.
    """
    connection.execute("PRAGMA busy_timeout=10000")
    found = _version(connection)
    if found not in {0, VERSION}:
        raise SchemaMismatch(f"the scalars file {path} has schema {found}, this tracker knows {VERSION}")
    if found == 0:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    if found == 0:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
