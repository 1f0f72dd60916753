"""How fast rows are sent."""

from __future__ import annotations

import asyncio

__all__ = ["Pace"]


class Pace:
    """Holds rows back for a limit of requests, and for an endpoint that asked to be left alone.

    Args:
        per_minute: requests at most, spread evenly; ``None`` = no limit.
    """

    def __init__(self, per_minute: float | None = None) -> None:
        self._gap = 0.0 if per_minute is None else 60.0 / per_minute
        self._next = 0.0
        self._quiet_until = 0.0

    def delay(self, now: float) -> float:
        """Seconds until one more request may go; above 0, the caller asks again then.

        Args:
            now: the event loop's time.
        """
        if now < self._quiet_until:
            return self._quiet_until - now
        if self._gap:
            if now < self._next:
                return self._next - now
            # What was not used is lost: after a pause there is no burst of more than two.
            self._next = max(self._next + self._gap, now)
        return 0.0

    def leave_alone(self, seconds: float) -> None:
        """Nothing is sent for so long: what one row was told holds for all."""
        now = asyncio.get_running_loop().time()
        self._quiet_until = max(self._quiet_until, now + seconds)
