"""The schema of a new SQLite database, made at once.

To take a new database through every schema that there ever was, and to load Alembic for it, takes many
times as long as all else that opening a folder does. ``new_schema.sql`` is where the migrations lead. It
may be behind: what it makes is a database of the revision that it names, and migrations go on from there.

``python -m tracker.adapters.sql.new_schema`` writes it, from the migrations.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

__all__ = ["make", "script"]

_FILE = Path(__file__).with_suffix(".sql")
_BREAK = ";\n\n"


def make(connection: sa.Connection) -> None:
    """Gives an empty SQLite database its schema, in one transaction; one with tables stays as it is.

    It is one script, since each statement by itself would cost a visit to the connection's thread. Whoever
    calls keeps others out.
    """
    if connection.scalar(sa.text("SELECT count(*) FROM sqlite_master")):
        return
    written = connection.connection
    script = f"BEGIN IMMEDIATE;\n{_FILE.read_text(encoding='utf-8')}COMMIT;"
    try:
        written.run_async(lambda driver: driver.executescript(script))
    except sqlite3.Error as error:
        written.rollback()
        raise sa.exc.OperationalError("the new schema", None, error) from error


def script(file: Path) -> str:
    """The statements that make a database like the one in `file`: tables and rows, then indexes.

    A migration that rebuilds a table puts its constraints and indexes back in any order; they are sorted.
    """
    with closing(sqlite3.connect(file)) as connection:
        statements = [_sorted(line.removesuffix(";").rstrip()) for line in connection.iterdump()]
    between = statements[1:-1]  # BEGIN and COMMIT
    return "".join(f"{each}{_BREAK}" for each in sorted(between, key=_place))


def _place(statement: str) -> str:
    is_index = statement.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX"))
    return statement if is_index else ""  # where it stood, before all indexes


def _sorted(statement: str) -> str:
    if not statement.startswith("CREATE TABLE"):
        return statement
    lines = [line.rstrip() for line in statement.splitlines()]
    places = [place for place, line in enumerate(lines) if line.startswith("\tCONSTRAINT")]
    constraints = sorted(lines[place].rstrip(",") for place in places)
    for place, constraint in zip(places, constraints, strict=True):
        lines[place] = constraint + ("," if lines[place].endswith(",") else "")
    return "\n".join(lines)


def _main() -> None:
    from tracker.adapters.sql import migrations  # noqa: PLC0415 - alembic is slow to import

    with TemporaryDirectory() as folder:
        file = Path(folder) / "new.db"
        migrations.upgrade(f"sqlite:///{file}")
        sys.stdout.write(script(file))


if __name__ == "__main__":
    _main()
