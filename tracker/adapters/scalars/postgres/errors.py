"""Errors of PostgreSQL and of the way to it in the words of the port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from tracker.domain.errors import Unavailable

__all__ = ["LOST", "translated"]

LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError, asyncpg.IdleInTransactionSessionTimeoutError,
        ConnectionError)  # fmt: skip
"""What is raised when the connection, not the question, was at fault."""

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BUSY = (asyncpg.TooManyConnectionsError, asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError,
         asyncpg.TransactionRollbackError, TimeoutError)  # fmt: skip


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turns what the driver, the network or a decoder raise about `place` into ``Unavailable``."""
    try:
        yield
    except _BUSY as error:
        raise Unavailable(f"PostgreSQL at {place} is busy: {error or 'it took too long'}") from error
    except asyncpg.DiskFullError as error:
        raise Unavailable(f"PostgreSQL at {place} has no room: {error}", retry_after=60.0) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise Unavailable(f"PostgreSQL at {place} does not answer: {error}", retry_after=2.0) from error
    except ValueError as error:
        raise Unavailable(f"the scalars in PostgreSQL at {place} are damaged: {error}", 60.0) from error
