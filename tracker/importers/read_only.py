"""SQLite files of other tools, opened so that nothing in them can change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tracker.domain.errors import Invalid, Unavailable

__all__ = ["columns_of", "reading"]

_SQLITE = b"SQLite format 3\0"


@contextmanager
def reading(path: Path, tool: str) -> Iterator[sqlite3.Connection]:
    """A connection on which all reads see one moment.

    Args:
        path: the file.
        tool: whose file it should be, for errors.

    Raises:
        Invalid: it is no database of SQLite, or a table lacks what is read.
        Unavailable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            is_database = file.read(len(_SQLITE)) == _SQLITE
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror or error}") from error
    if not is_database:
        raise Invalid.field("PATH", f"{path} is no SQLite database, as {tool} would have written it")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            yield connection
    except sqlite3.OperationalError as error:
        raise Invalid.field("PATH", f"{path} is not as {tool} writes it: {error}") from error
    except sqlite3.Error as error:
        raise Unavailable(f"{path} cannot be read: {error}") from error


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """The columns of a table; none if there is no such table."""
    rows = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return {row["name"] for row in rows}
