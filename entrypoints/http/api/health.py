"""Whether the service is well, and how to use it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any

from tracker.domain.errors import Unavailable
from tracker.domain.identity.actor import LOCAL_USER
from tracker.ports.scalars import ScalarStore
from tracker.ports.unit_of_work import UnitsOfWork

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

    def __init__(self, units: UnitsOfWork, scalars: ScalarStore) -> None:
        self._units = units
        self._scalars = scalars
        self._alive: HealthOut = {"status": "ok", "version": version()}

    async def alive(self, call: Call[None, NoQuery]) -> HealthOut:
        """The process answers."""
        return self._alive

    async def ready(self, call: Call[None, NoQuery]) -> ReadyOut:
        """Everything behind it answers.

        Raises:
            Unavailable: something does not; names it.
        """
        missing = [
            f"{name}: {why}"
            for name, why in (("database", await self._database()), ("scalars", await self._scalar_store()))
            if why is not None
        ]
        if missing:
            raise Unavailable("not ready: " + "; ".join(missing))
        # The schema was checked when the process started; it does not start with another one.
        return {"status": "ok", "ready": ["database", "migrations", "scalars"]}

    async def _database(self) -> str | None:
        try:
            async with self._units.reading() as unit:
                await unit.users.get(LOCAL_USER)
        except Unavailable as error:
            return error.detail
        return None

    async def _scalar_store(self) -> str | None:
        try:
            await self._scalars.check()
        except Unavailable as error:
            return error.detail
        return None


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
