"""Connections to the database of the PostgreSQL store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from asyncpg import Connection, Pool

from tracker.adapters.scalars.postgres.errors import LOST, translated
from tracker.adapters.scalars.postgres.schema import SCHEMA, prepare
from tracker.domain.errors import Invalid, Unavailable

__all__ = ["Connections"]

_T = TypeVar("_T")
_SIZE = 10
_CONNECT_SECONDS = 5.0
_WAIT_SECONDS = 10.0
# A client that dies in a transaction must not hold its locks for long.
_SETTINGS = {
    "search_path": SCHEMA,
    "application_name": "tracker scalars",
    "work_mem": "64MB",  # the summary of a large project is sorted
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}


async def _leave_as_it_is(connection: Connection) -> None:
    """Saves a question to the server after each use: nothing here changes a session."""


class Connections:
    """A pool that is opened at the first question and outlives restarts of the server.

    Args:
        url: ``postgresql://user:password@host:port/database``, SQLAlchemy's forms too.

    Raises:
        Invalid: it is no such URL; the message does not repeat it.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme.partition("+")[0] not in {"postgresql", "postgres"}:
            raise Invalid.field("SCALARS_URL", "must be like postgresql://user:password@host/database")
        self.place = f"{parts.hostname or 'the local socket'}{parts.path}"
        self._dsn = urlunsplit(parts._replace(scheme="postgresql"))
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def reading(self, ask: Callable[[Connection], Awaitable[_T]]) -> _T:
        """What `ask` makes of one consistent view of the tables.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

        async def in_transaction(connection: Connection) -> _T:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await ask(connection)

        return await self._run(in_transaction)

    async def writing(self, change: Callable[[Connection], Awaitable[_T]]) -> _T:
        """What `change` answers, once its one transaction is durable.

        When the connection is lost, even while committing, it is tried once more: `change` must
        recognise what it has done.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """

        async def in_transaction(connection: Connection) -> _T:
            async with connection.transaction():
                return await change(connection)

        return await self._run(in_transaction)

    async def close(self) -> None:
        """Closes all connections; never raises because of the server."""
        self._closed = True
        async with self._opening:
            pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await pool.close()
        except (TimeoutError, *LOST):
            pool.terminate()  # a server that does not answer must not keep a process from ending

    async def _run(self, work: Callable[[Connection], Awaitable[_T]]) -> _T:
        with translated(self.place):
            try:
                async with self._one() as connection:
                    return await work(connection)
            except LOST:
                # A restart ends every connection at once: those that were idle are not to be used again.
                if self._pool is not None:
                    await self._pool.expire_connections()
                async with self._one() as connection:
                    return await work(connection)

    @asynccontextmanager
    async def _one(self) -> AsyncIterator[Connection]:
        pool = self._pool or await self._open()
        async with pool.acquire(timeout=_WAIT_SECONDS) as connection:
            try:
                yield connection
            except LOST:
                connection.terminate()
                raise

    async def _open(self) -> Pool:
        async with self._opening:
            if self._closed:
                raise Unavailable("the scalar store is closed")
            if self._pool is None:
                pool = await asyncpg.create_pool(
                    self._dsn,
                    min_size=0,
                    max_size=_SIZE,
                    timeout=_CONNECT_SECONDS,
                    command_timeout=_WAIT_SECONDS * 7,
                    server_settings=_SETTINGS,
                    reset=_leave_as_it_is,
                )
                try:
                    async with pool.acquire(timeout=_WAIT_SECONDS) as connection:
                        await prepare(connection)
                except BaseException:
                    await pool.close()
                    raise
                self._pool = pool
            return self._pool
