"""Counts what strangers try, across all processes of an installation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from tracker.domain.identity.attempts.limits import Bucket, Limit
from tracker.ports.clock import Clock
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["AttemptService", "Try"]

_KEPT = timedelta(days=1)


class Try(StrEnum):
    """What is counted."""

    LOGIN = "login attempts"
    REGISTER = "registrations"
    RESET = "password resets"
    CODE = "wrong codes"


# By account *and* address strictly, by account alone widely: else anybody could lock anybody out.
_PER_PAIR: Mapping[Try, Limit] = {Try.LOGIN: Limit(burst=10, period=timedelta(minutes=15))}
_PER_ACCOUNT: Mapping[Try, Limit] = {
    Try.LOGIN: Limit(burst=60, period=timedelta(minutes=15)),
    Try.RESET: Limit(burst=5, period=timedelta(hours=1)),
}
_PER_ADDRESS: Mapping[Try, Limit] = {
    Try.LOGIN: Limit(burst=120, period=timedelta(minutes=15)),
    Try.REGISTER: Limit(burst=120, period=timedelta(hours=1)),
    Try.RESET: Limit(burst=60, period=timedelta(hours=1)),
    Try.CODE: Limit(burst=20, period=timedelta(hours=1)),
}


class AttemptService:
    """Counts tries before they are made, so that many at once cannot slip through, and gives those
    back that turned out to be good."""

    def __init__(self, units: UnitsOfWork, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    async def spend(self, what: Try, *, address: str, account: str = "") -> None:
        """Counts a try.

        Args:
            what: is tried.
            address: from where.
            account: the e-mail it is about, if it is about one.

        Raises:
            TooManyRequests: there were too many; this one was not counted.
        """
        await self._change(what, address, account, refund=False)

    async def refund(self, what: Try, *, address: str, account: str = "") -> None:
        """Takes back a try that was good."""
        await self._change(what, address, account, refund=True)

    async def forget(self) -> None:
        """Drops what nobody tried for a day."""
        async with self._units.writing() as unit:
            await unit.limits.forget(self._clock.now() - _KEPT)
            await unit.commit()

    async def _change(self, what: Try, address: str, account: str, *, refund: bool) -> None:
        now = self._clock.now()
        async with self._units.writing() as unit:
            for key, limit in sorted(_limits(what, address, account)):  # sorted: no two wait crosswise
                await unit.lock(f"limit:{key}")
                bucket = await unit.limits.find(key) or Bucket(0.0, now)
                changed = bucket.refund(limit, now) if refund else bucket.spend(limit, now, what)
                await unit.limits.put(key, changed)
            await unit.commit()


def _limits(what: Try, address: str, account: str) -> list[tuple[str, Limit]]:
    # Hashed: what strangers type is nobody's to keep, and it may be a password in the wrong field.
    who = hashlib.sha256(account.encode(errors="replace")).hexdigest()[:32]
    keyed = [(f"{what.name}:address:{address}", _PER_ADDRESS.get(what))]
    if account:
        keyed += [
            (f"{what.name}:account:{who}", _PER_ACCOUNT.get(what)),
            (f"{what.name}:pair:{who}:{address}", _PER_PAIR.get(what)),
        ]
    return [(key, limit) for key, limit in keyed if limit is not None]
