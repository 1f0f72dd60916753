"""Whether a SQLite file was written since somebody looked, without a visit to another thread."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote

__all__ = ["FileVersion"]


class FileVersion:
    """Asks SQLite for a number that is another one after each commit of any other connection, in any
    process (``PRAGMA data_version``).

    It takes two microseconds of the event loop and waits for nobody: it looks into the index of the
    write-ahead log, which lies in shared memory. The connection only reads, and writes no checkpoint
    when it is closed.

    Args:
        path: the database file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def number(self) -> int | None:
        """The number, or ``None`` where the file cannot be asked now."""
        try:
            if self._connection is None:
                address = f"file:{quote(str(self._path.absolute()))}?mode=ro"
                self._connection = sqlite3.connect(
                    address, uri=True, timeout=0, isolation_level=None, check_same_thread=False
                )
            (row,) = self._connection.execute("PRAGMA data_version").fetchall()
        except sqlite3.Error:
            self.close()
            return None
        return int(row[0])

    def close(self) -> None:
        """Lets the file go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
