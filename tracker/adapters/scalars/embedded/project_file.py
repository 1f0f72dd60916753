"""The connections to one project's scalars file."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tracker.adapters.scalars.embedded.errors import translated
from tracker.adapters.scalars.embedded.file_lock import FileLock
from tracker.adapters.scalars.embedded.network_folders import refuse_network_folder
from tracker.adapters.scalars.embedded.schema import BUSY_MILLISECONDS, prepare
from tracker.domain.errors import NotFound
from tracker.domain.ids import ExperimentId

__all__ = ["ProjectFile", "Writer"]


@dataclass(slots=True)
class Writer:
    """The connection that writes.

    Attributes:
        connection: to the scalars file.
        inode: of the file it opened.
        experiments: keys of experiments. Another process adds some but never changes one, so what
            is known stays true.
        series: keys of series by their names, by the key of their experiment; the same holds.
    """

    connection: sqlite3.Connection
    inode: int
    experiments: dict[ExperimentId, int] = field(default_factory=dict)
    series: dict[int, dict[str, int]] = field(default_factory=dict)


class ProjectFile:
    """Opens, locks and deletes ``<project>.db``; one writer, any number of readers."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.path = path
        self.lock = FileLock(path.with_name(f"{path.name}.lock"))
        self._synchronous = synchronous
        self._writer: Writer | None = None
        self._readers: list[tuple[sqlite3.Connection, int]] = []
        self._guard = threading.Lock()
        self._used = time.monotonic()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """One durable transaction, under the file lock; creates the file if there is none.

        Raises:
            NotFound: the project was deleted.
            Unavailable: the file cannot be written.
        """
        with translated(self.path):
            refuse_network_folder(self.path.parent)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.lock.held():
                if self.lock.deleted():
                    raise NotFound.of("project", self.path.stem)
                self._used = time.monotonic()
                writer = self._present_writer()
                try:
                    writer.connection.execute("BEGIN IMMEDIATE")
                    yield writer
                    writer.connection.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        writer.connection.execute("ROLLBACK")
                    self._drop_writer()  # with the series it knows, of which some may not be there now
                    raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """One consistent view of the file; ``None`` when there is none.

        Raises:
            Unavailable: the file cannot be read.
        """
        with translated(self.path):
            found = self._reader()
            if found is None:
                yield None
                return
            self._used = time.monotonic()
            connection, inode = found
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                with self._guard:
                    self._readers.append((connection, inode))

    def delete(self) -> None:
        """Removes the file for good and leaves the mark that it is gone."""
        with translated(self.path):
            refuse_network_folder(self.path.parent)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.lock.held():
                self.lock.mark_deleted()
                self.close_connections()
                for suffix in ("", "-wal", "-shm"):
                    self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
                _sync_folder(self.path.parent)

    def checkpoint(self) -> None:
        """Moves the write-ahead log into the file, as far as nobody reads it; then the log is empty."""
        with translated(self.path), self.lock.held():
            if self._there():
                connection = self._present_writer().connection
                # Does not wait for readers: whoever wants to append would wait with it.
                connection.execute("PRAGMA busy_timeout=0")
                try:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                finally:
                    connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")

    def vacuum(self, pages: int) -> bool:
        """Gives up to so many free pages back to the disk; whether there are more."""
        with translated(self.path), self.lock.held():
            if not self._there():
                return False
            connection = self._present_writer().connection
            connection.execute(f"PRAGMA incremental_vacuum({int(pages)})").fetchall()
            return bool(connection.execute("PRAGMA freelist_count").fetchone()[0])

    def close(self) -> None:
        """Closes everything, under the lock, since closing the last connection checkpoints."""
        if self._writer is not None or self._readers:
            with translated(self.path), self.lock.held():
                self.close_connections()
        self.lock.close()

    def rest(self, idle: float) -> None:
        """Closes its connections when nobody used them for `idle` seconds: a server may know thousands."""
        if (self._writer is not None or self._readers) and time.monotonic() - self._used > idle:
            with translated(self.path), self.lock.held():
                self.close_connections()

    def close_connections(self) -> None:
        """Closes what is idle; the caller holds the lock."""
        self._drop_writer()
        with self._guard:
            readers, self._readers = self._readers, []
        for connection, _ in readers:
            connection.close()

    def _present_writer(self) -> Writer:
        if self._writer is not None and self._writer.inode != self._inode():
            # Somebody removed or replaced the file: what goes into the old one would be lost.
            self._drop_writer()
        if self._writer is None:
            self._writer = Writer(*self._connect("rwc"))
        return self._writer

    def _reader(self) -> tuple[sqlite3.Connection, int] | None:
        if not self._there():
            return None
        inode = self._inode()
        while True:
            with self._guard:
                found = self._readers.pop() if self._readers else None
            if found is None:
                with self.lock.held():
                    # Asked again: the project may have been deleted before the lock was ours.
                    return self._connect("rw") if self._there() else None
            if found[1] == inode:
                return found
            with self.lock.held():
                found[0].close()

    def _connect(self, mode: Literal["rw", "rwc"]) -> tuple[sqlite3.Connection, int]:
        fresh = not self.path.exists()
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            prepare(connection, self.path, self._synchronous)
        except BaseException:
            connection.close()
            raise
        if fresh:
            _sync_folder(self.path.parent)
        return connection, self._inode()

    def _drop_writer(self) -> None:
        if self._writer is not None:
            self._writer.connection.close()
            self._writer = None

    def _there(self) -> bool:
        return self.path.exists() and not self.lock.deleted()

    def _inode(self) -> int:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return -1


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
