"""Whether the service is well, and how to use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

from tracker.domain.errors import SchemaMismatch, Unavailable
from tracker.ports.blobs import BlobStore
from tracker.ports.scalars import ScalarStore
from tracker.ports.schema import SchemaCheck

from ..exchange import Call
from ..schemas.answers import HealthOut, NoQuery, ReadyOut

__all__ = ["Documentation", "Health", "version"]


def version() -> str:
    """The installed version of tracker."""
    try:
        return metadata.version("tracker")
    except metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "0"


class Health:
    """``/``, ``/api/health`` and ``/api/health/ready``."""

    def __init__(self, database: SchemaCheck, scalars: ScalarStore, blobs: BlobStore) -> None:
        self._database = database
        self._stores: Mapping[str, ScalarStore | BlobStore] = {"scalars": scalars, "blobs": blobs}
        self._alive: HealthOut = {"status": "ok", "version": version()}

    async def alive(self, call: Call[None, NoQuery]) -> HealthOut:
        """The process answers."""
        return self._alive

    async def ready(self, call: Call[None, NoQuery]) -> ReadyOut:
        """Everything behind it answers.

        Raises:
            Unavailable: something does not; names it.
        """
        missing = [*await self._database_problems(), *await self._store_problems()]
        if missing:
            raise Unavailable("not ready: " + "; ".join(missing))
        return {"status": "ok", "ready": ["database", "migrations", *self._stores]}

    async def _database_problems(self) -> list[str]:
        try:
            await self._database.check_schema()
        except SchemaMismatch as error:  # the database answers; somebody moved its schema meanwhile
            return [f"migrations: {error.detail}"]
        except Unavailable as error:
            return [f"database: {error.detail}"]
        return []

    async def _store_problems(self) -> list[str]:
        found = []
        for name, store in self._stores.items():
            try:
                await store.check()
            except Unavailable as error:
                found.append(f"{name}: {error.detail}")
        return found


class Documentation:
    """``/api/openapi.json`` and ``/api/docs``; both are made when first asked for.

    Args:
        openapi: makes the document.
        page: makes the page.
    """

    def __init__(self, openapi: Callable[[], dict[str, Any]], page: Callable[[], bytes]) -> None:
        self._openapi = openapi
        self._page = page

    async def openapi(self, call: Call[None, NoQuery]) -> dict[str, Any]:
        """The OpenAPI document."""
        return self._openapi()

    async def page(self, call: Call[None, NoQuery]) -> bytes:
        """The same for people."""
        return self._page()
