"""How often something may be tried: leaky buckets, as pure values.

A bucket holds what was spent lately and leaks at a constant rate (Turner, "New directions in
communications", 1986; as a meter). What would make it overflow is refused.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from tracker.domain.errors import TooManyRequests
from tracker.domain.frozen import Frozen

__all__ = ["Bucket", "Limit"]


class Limit(Frozen):
    """At most `burst` at once, and `burst` within `period` in the long run."""

    burst: int
    period: timedelta


class Bucket(NamedTuple):
    """What was spent under one key.

    Attributes:
        level: how much had not leaked out yet at the time `at`.
    """

    level: float
    at: datetime

    def spend(self, limit: Limit, now: datetime, what: str) -> Bucket:
        """The bucket after one more try.

        Args:
            limit: how much it holds and how fast it leaks.
            now: when; a clock that was set back leaks nothing.
            what: for the sentence, such as ``"login attempts"``.

        Raises:
            TooManyRequests: it would overflow; tells when there is room again.
        """
        level = self._level(limit, now)
        if level + 1 > limit.burst:
            wait = (level + 1 - limit.burst) * limit.period.total_seconds() / limit.burst
            raise TooManyRequests(f"too many {what}; try again in {wait:.0f} s", retry_after=wait)
        return Bucket(level + 1, max(now, self.at))

    def refund(self, limit: Limit, now: datetime) -> Bucket:
        """The bucket after a try that turned out to be good."""
        return Bucket(max(0.0, self._level(limit, now) - 1), max(now, self.at))

    def _level(self, limit: Limit, now: datetime) -> float:
        passed = max(0.0, (now - self.at) / limit.period)
        return max(0.0, self.level - passed * limit.burst)
