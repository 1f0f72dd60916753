"""Errors of ClickHouse and of the way to it in the words of the port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.exceptions import ClickHouseError
from clickhouse_connect.driver.exceptions import Error as ServerError
from urllib3.exceptions import HTTPError

from tracker.domain.errors import Unavailable

__all__ = ["translated"]

# https://clickhouse.com/docs/reference/errors: a server that answers so is healthy but has too much to do.
_BUSY = frozenset({
    159,  # TIMEOUT_EXCEEDED
    202,  # TOO_MANY_SIMULTANEOUS_QUERIES
    241,  # MEMORY_LIMIT_EXCEEDED
    252,  # TOO_MANY_PARTS
    692,  # TOO_MANY_MUTATIONS
})  # fmt: skip


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turns what the client and the network raise about `place` into ``Unavailable``."""
    try:
        yield
    except (ClickHouseError, HTTPError, OSError) as error:
        code = error.code if isinstance(error, ServerError) else None
        why = str(error).partition("\n")[0][:500]
        if code in _BUSY:
            raise Unavailable(f"ClickHouse at {place} is busy: {why}") from error
        raise Unavailable(f"ClickHouse at {place} does not answer: {why}", retry_after=5.0) from error
