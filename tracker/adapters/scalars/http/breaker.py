"""Stops asking a service that does not answer, and asks again later."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tracker.domain.errors import Unavailable

__all__ = ["Breaker"]


class Breaker:
    """A circuit breaker: closed (all pass), open (none), half-open (one call probes).

    Args:
        failures: so many failed attempts in a row open it.
        cooldown: seconds that it stays open the first time; each failed probe doubles them.
        longest: seconds that it stays open at most.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        failures: int = 3,
        cooldown: float = 0.5,
        longest: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._first, self._longest = cooldown, longest
        self._clock = clock
        self._failures = 0
        self._cooldown = cooldown
        self._opens_until: float | None = None
        self._probing = False

    def admit(self) -> bool:
        """Lets a call pass; ``True`` asks it to probe first and to tell how that went.

        Raises:
            Unavailable: the service did not answer lately; says when to try again.
        """
        if self._opens_until is None:
            return False
        left = self._opens_until - self._clock()
        if left > 0 or self._probing:
            raise Unavailable("the scalars service does not answer", retry_after=max(left, 0.1))
        self._probing = True
        return True

    def require_closed(self) -> None:
        """Returns when calls pass.

        Raises:
            Unavailable: they do not.
        """
        if self._opens_until is not None:
            left = self._opens_until - self._clock()
            raise Unavailable("the scalars service does not answer", retry_after=max(left, 0.1))

    def succeeded(self) -> None:
        """The service answered."""
        self._failures = 0
        self._cooldown = self._first
        self._opens_until = None
        self._probing = False

    def failed(self) -> None:
        """An attempt got no answer."""
        self._failures += 1
        if self._failures >= self._limit or self._probing:
            self.trip()

    def trip(self) -> None:
        """Opens it now, or keeps it open for longer when it was a probe that failed."""
        if self._opens_until is not None and not self._probing:
            return  # calls that were under way when it opened say nothing new
        if self._probing:
            self._cooldown = min(self._cooldown * 2, self._longest)
        self._probing = False
        # Spread out, so that many trackers do not come back in the same moment.
        self._opens_until = self._clock() + self._cooldown * random.uniform(0.8, 1.2)  # noqa: S311 - no secret

    def abandoned(self) -> None:
        """The call that should have probed was cancelled; the next one probes."""
        self._probing = False
