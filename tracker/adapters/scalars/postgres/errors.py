"""Errors of PostgreSQL and of the way to it in the words of the port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from tracker.domain.errors import Unavailable

__all__ = ["LOST", "translated"]

LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError,
        asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.CannotConnectNowError,
        asyncpg.IdleInTransactionSessionTimeoutError, asyncpg.DeadlockDetectedError,
        ConnectionError)  # fmt: skip
"""What is raised when not the question was at fault but the connection, or another one's moment.

``InternalClientError`` is among them: the driver raises it about an idle connection that the server ended.
"""

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
    except (*LOST, asyncpg.PostgresError, OSError) as error:
        raise Unavailable(f"PostgreSQL at {place} does not answer: {error}", retry_after=2.0) from error
    except ValueError as error:
        raise Unavailable(f"the scalars in PostgreSQL at {place} are damaged: {error}", 60.0) from error
