"""Errors of SQLite and of the disk in the words of the port."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.domain.errors import Unavailable

__all__ = ["translated"]


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns what SQLite, the disk or a decoder raise about `path` into ``Unavailable``."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise Unavailable(f"the scalars file {path} is damaged: {error}", retry_after=60.0) from error
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise Unavailable(f"the scalars file {path} is busy: {error}") from error
        raise Unavailable(f"the scalars file {path} does not answer: {error}", retry_after=5.0) from error
    except OSError as error:
        raise Unavailable(f"the scalars file {path} does not answer: {error}", retry_after=5.0) from error
    except (struct.error, zlib.error, RuntimeError, ValueError) as error:
        raise Unavailable(f"the scalars file {path} is damaged: {error}", retry_after=60.0) from error
