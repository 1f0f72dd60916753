"""The tables of the PostgreSQL store."""

from __future__ import annotations

from asyncpg import Connection

from tracker.domain.errors import SchemaMismatch

__all__ = ["SCHEMA", "VERSION", "prepare"]

SCHEMA = "tracker_scalars"
VERSION = 1
_LOCK = 0x7472_7363  # any number, as long as every version of tracker takes the same

# Whoever changes an experiment's chunks or tail holds the lock of its row. `arrival` counts its commits,
# `series` its names, `loose` the points of its tail and `folds` how often its chunks changed. The row is
# written by every commit: half-filled pages let PostgreSQL do so without touching an index.
# The totals of a series are those of its chunks; nothing of it is written while points go to the tail.
# Chunks are compressed already; EXTERNAL keeps PostgreSQL from trying again.
_TABLES = (
    "CREATE TABLE version (number integer NOT NULL)",
    f"INSERT INTO version VALUES ({VERSION})",  # noqa: S608 - a constant
    "CREATE TABLE project (uuid uuid PRIMARY KEY, deleted boolean NOT NULL DEFAULT false)",
    """CREATE TABLE experiment (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, project uuid NOT NULL, uuid uuid NOT NULL,
        deleted boolean NOT NULL DEFAULT false, arrival bigint NOT NULL DEFAULT 0,
        series integer NOT NULL DEFAULT 0, loose bigint NOT NULL DEFAULT 0,
        folds bigint NOT NULL DEFAULT 0, UNIQUE (project, uuid)) WITH (fillfactor = 50)""",
    "CREATE TABLE batch (experiment bigint NOT NULL, uuid uuid NOT NULL, PRIMARY KEY (experiment, uuid))",
    """CREATE TABLE series (
        experiment bigint NOT NULL, number integer NOT NULL, name text COLLATE "C" NOT NULL,
        points bigint NOT NULL DEFAULT 0, non_finite bigint, first_step bigint, last_step bigint,
        last_time bigint, last_value float8, modified bigint, min_value float8, max_value float8,
        PRIMARY KEY (experiment, number), UNIQUE (name, experiment))""",
    """CREATE TABLE chunk (
        experiment bigint NOT NULL, series integer NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
        points integer NOT NULL, codec smallint NOT NULL, first_step bigint NOT NULL,
        last_step bigint NOT NULL, last_arrival bigint NOT NULL, checksum bigint NOT NULL,
        blocks bytea NOT NULL, step bytea NOT NULL,
        time bytea NOT NULL, value bytea NOT NULL,
        arrival bytea NOT NULL, PRIMARY KEY (experiment, series, id))""",
    "ALTER TABLE chunk "
    + ", ".join(
        f"ALTER {column} SET STORAGE EXTERNAL" for column in ("blocks", "step", "time", "value", "arrival")
    ),
    """CREATE TABLE tail (
        experiment bigint NOT NULL, arrival bigint NOT NULL, points bytea NOT NULL,
        PRIMARY KEY (experiment, arrival))""",
    """CREATE TABLE tag (
        experiment bigint NOT NULL, arrival bigint NOT NULL, place integer NOT NULL,
        step bigint NOT NULL, time bigint, names text[] NOT NULL, tags text[] NOT NULL,
        PRIMARY KEY (experiment, arrival, place))""",
)

_UPGRADES: dict[int, tuple[str, ...]] = {}
"""Statements that lead from a version to the next."""


async def prepare(connection: Connection) -> None:
    """Creates the tables, or brings them up to date; of several processes one does it.

    Raises:
        SchemaMismatch: the tables are of a newer version of tracker.
        PostgresError: the user may not create them.
    """
    if await _version(connection) != VERSION:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await _bring_up_to_date(connection, await _version(connection))


async def _bring_up_to_date(connection: Connection, found: int) -> None:
    if found > VERSION:
        raise SchemaMismatch(
            f"the scalars in PostgreSQL have schema {found}, this tracker knows {VERSION}: upgrade tracker"
        )
    if found == 0:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        for statement in _TABLES:
            await connection.execute(statement)
        return
    for version in range(found, VERSION):
        for statement in _UPGRADES[version]:
            await connection.execute(statement)
    await connection.execute("UPDATE version SET number = $1", VERSION)


async def _version(connection: Connection) -> int:
    """The version that is there; 0 = none."""
    # Not to_regclass: that may answer from what the session remembers of before it waited for the lock.
    found = await connection.fetchval(
        "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'version'", SCHEMA
    )
    return int(await connection.fetchval("SELECT number FROM version")) if found else 0
