"""The tables of the ClickHouse store."""

from __future__ import annotations

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from tracker.domain.errors import SchemaMismatch

__all__ = ["VERSION", "prepare"]

VERSION = 1
_MARK = "tracker scalars, schema "

# A batch is one insert of one block into one table: that is all that ClickHouse does atomically. Its points,
# its tags and the mark that its id was seen are therefore rows of the same table, told apart by `kind`.
# The summary is a projection, not a materialized view: it lives inside each part, so that it appears,
# merges and disappears with the points, while a view is a second insert that a crash can leave out.
# Sparse serialization is off, since it may drop the sign of -0.0. Block numbers are kept through merges,
# since cursors are made of them: parts become visible in their order.
_TABLES = (
    """CREATE TABLE IF NOT EXISTS scalars_deleted
       (project UUID, experiment UUID, whole Bool)
       ENGINE = MergeTree ORDER BY (project, experiment)
       SETTINGS fsync_after_insert = 1, fsync_part_directory = 1""",
    f"""CREATE TABLE IF NOT EXISTS scalars (
       project UUID CODEC(ZSTD(1)),
       kind Enum8('point' = 1, 'tags' = 2, 'batch' = 3),
       experiment UUID CODEC(ZSTD(1)),
       name String CODEC(ZSTD(1)),
       step Int64 CODEC(DoubleDelta, ZSTD(1)),
       time Int64 CODEC(DoubleDelta, ZSTD(1)),
       value Float64 CODEC(Gorilla, ZSTD(1)),
       text String CODEC(ZSTD(1)),
       arrival UInt64 DEFAULT generateSnowflakeID() CODEC(DoubleDelta, ZSTD(1)),
       PROJECTION summary (
         SELECT project, kind, experiment, name, count(), countIf(isFinite(value)), min(step), max(step),
           min(time), max(time), max(arrival), argMax((time, value), (step, time, arrival)),
           minIf(value, isFinite(value)), maxIf(value, isFinite(value))
         GROUP BY project, kind, experiment, name))
       ENGINE = MergeTree ORDER BY (project, kind, experiment, name, step)
       SETTINGS non_replicated_deduplication_window = 10000, lightweight_mutation_projection_mode = 'rebuild',
         fsync_after_insert = 1, fsync_part_directory = 1, ratio_of_defaults_for_sparse_serialization = 1,
         enable_block_number_column = 1, enable_block_offset_column = 1
       COMMENT '{_MARK}{VERSION}'""",
)


def prepare(client: Client, database: str) -> None:
    """Creates what is missing in `database`, a plain identifier.

    Tables that were made before, as replicated ones say, are left as they are.

    Raises:
        SchemaMismatch: the tables are of another version of tracker, or not tracker's.
        DatabaseError: the server refuses.
    """
    if _is_there(client, database):
        return
    client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
    client.database = database
    for statement in _TABLES:
        client.command(statement)
    if not _is_there(client, database):
        raise DatabaseError(f"the tables in the database {database} were not created")


def _is_there(client: Client, database: str) -> bool:
    found = client.query(
        "SELECT comment FROM system.tables WHERE database = {database:String} AND name = 'scalars'",
        parameters={"database": database},
    ).result_rows
    if found and found[0][0] != f"{_MARK}{VERSION}":
        raise SchemaMismatch(
            f"the table scalars of the ClickHouse database {database} is marked {found[0][0]!r},"
            f" this tracker knows {_MARK}{VERSION}"
        )
    return bool(found)
