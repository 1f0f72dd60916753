"""Whether the scalars service is there."""

from __future__ import annotations

from ..api.health import version
from ..exchange import Call
from ..schemas.answers import HealthOut, NoQuery

__all__ = ["Alive"]


class Alive:
    """``/`` and ``/api/health``."""

    async def alive(self, call: Call[None, NoQuery]) -> HealthOut:
        """The process answers."""
        return {"status": "ok", "version": version()}
