"""Clients of one ClickHouse database, each used by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from tracker.adapters.scalars.clickhouse.address import Address
from tracker.adapters.scalars.clickhouse.errors import translated
from tracker.adapters.scalars.clickhouse.schema import prepare

__all__ = ["Clients"]


class Clients:
    """Opens clients as they are needed, and the tables before the first."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._idle: list[Client] = []
        self._guard = threading.Lock()
        self._preparing = threading.Lock()
        self._prepared = False

    @contextmanager
    def one(self) -> Iterator[Client]:
        """A client for the time of a ``with`` block; one that failed is not used again.

        Raises:
            SchemaMismatch: the tables are of another version of tracker.
            Unavailable: ClickHouse does not answer, or refuses.
        """
        with translated(self.address.place):
            client = self._idle_one() or self._open()
            try:
                yield client
            except BaseException:
                client.close()
                raise
            with self._guard:
                self._idle.append(client)

    def close(self) -> None:
        """Closes what is idle."""
        with self._guard:
            idle, self._idle = self._idle, []
        for client in idle:
            client.close()

    def _idle_one(self) -> Client | None:
        with self._guard:
            return self._idle.pop() if self._idle else None

    def _open(self) -> Client:
        client = clickhouse_connect.get_client(dsn=self.address.dsn, secure=self.address.secure)
        try:
            with self._preparing:
                if not self._prepared:
                    prepare(client, self.address.database)
                    self._prepared = True
            client.database = self.address.database
        except BaseException:
            client.close()
            raise
        return client
