"""How much one key does within this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta

from tracker.domain.identity.attempts.limits import Bucket, Limit

__all__ = ["Meter"]

_MOST_KEYS = 10_000
_MINUTE = timedelta(minutes=1)


class Meter:
    """A bucket for each key, for the keys seen last.

    Args:
        per_minute: how much is let through.
        what: for the sentence.
    """

    def __init__(self, per_minute: int, what: str) -> None:
        self._limit = Limit(burst=per_minute, period=_MINUTE)
        self._what = what
        self._buckets: OrderedDict[Hashable, Bucket] = OrderedDict()

    def spend(self, key: Hashable) -> None:
        """Counts one.

        Raises:
            TooManyRequests: there is no room for it.
        """
        now = datetime.now(UTC)
        bucket = self._buckets.get(key) or Bucket(0.0, now)
        self._buckets[key] = bucket.spend(self._limit, now, self._what)
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
