"""Tries are counted before they are made; many at once cannot slip through, and good ones cost nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOON
from tests.service.identity.conftest import ADDRESS, PASSWORD, Office
from tracker.domain.errors import BadCredentials, TooManyRequests
from tracker.domain.identity.attempts.limits import Bucket, Limit
from tracker.domain.identity.attempts.service import Try


async def fail(office: Office, email: str = "ada@example.org", address: str = ADDRESS) -> None:
    with pytest.raises(BadCredentials):
        await office.sessions.login(email, "wrong password", address=address)


async def test_the_eleventh_failure_from_one_address_is_refused_and_told_when(office: Office) -> None:
    await office.user("ada")
    for _ in range(10):
        await fail(office)
    with pytest.raises(TooManyRequests) as refused:
        await office.sessions.login("ada@example.org", PASSWORD, address=ADDRESS)
    assert 0 < refused.value.retry_after <= 90
    office.clock.advance(seconds=refused.value.retry_after)
    assert await office.sessions.login("ada@example.org", PASSWORD, address=ADDRESS)


async def test_another_spelling_of_the_address_is_the_same_account(office: Office) -> None:
    await office.user("ada")
    spellings = [
        "ada@example.org",
        "ADA@example.org",
        " Ada@Example.Org",
        "aDa@example.ORG\t",
        "ada@example.org\n",
    ]
    for n in range(10):
        await fail(office, spellings[n % 5])
    for spelling in spellings:
        with pytest.raises(TooManyRequests):
            await office.sessions.login(spelling, PASSWORD, address=ADDRESS)


async def test_failures_elsewhere_do_not_lock_somebody_out_until_they_are_many(office: Office) -> None:
    await office.user("ada")
    for _ in range(10):
        await fail(office, address="203.0.113.9")
    assert await office.sessions.login("ada@example.org", PASSWORD, address=ADDRESS)
    for n in range(50):
        await fail(office, address=f"203.0.113.{10 + n}")
    with pytest.raises(TooManyRequests):
        await office.sessions.login("ada@example.org", PASSWORD, address=ADDRESS)


async def test_one_address_may_fail_at_so_many_accounts_and_no_more(office: Office) -> None:
    for n in range(120):
        await fail(office, f"guess{n}@example.org")
    with pytest.raises(TooManyRequests):
        await office.sessions.login("next@example.org", "x", address=ADDRESS)


async def test_many_tries_at_once_cannot_slip_through(office: Office) -> None:
    await office.user("ada")
    answers = await asyncio.gather(
        *(office.sessions.login("ada@example.org", "wrong", address=ADDRESS) for _ in range(40)),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers).count("BadCredentials") == 10
    assert len(office.passwords.verified) == 10


async def test_a_login_that_was_good_costs_nothing(office: Office) -> None:
    await office.user("ada")
    for _ in range(30):
        await office.sessions.login("ada@example.org", PASSWORD, address=ADDRESS)


async def test_one_s_own_good_logins_do_not_pay_for_guesses_at_others(office: Office) -> None:
    await office.user("mallory")
    for _ in range(10):
        await fail(office)
        await office.sessions.login("mallory@example.org", PASSWORD, address=ADDRESS)
    with pytest.raises(TooManyRequests):
        await office.sessions.login("ada@example.org", "x", address=ADDRESS)


async def test_a_refused_try_keeps_no_row_for_what_was_typed(office: Office) -> None:
    for n in range(120):
        await office.attempts.spend(Try.LOGIN, address=ADDRESS, account=f"a{n}@example.org")
    with pytest.raises(TooManyRequests):
        await office.attempts.spend(Try.LOGIN, address=ADDRESS, account="my-password")
    async with office.units.reading() as unit:
        assert await unit.limits.find("LOGIN:address:" + ADDRESS) is not None
        keys = set(office.units._committed.state.limits)
    assert not any("my-password" in key or "example.org" in key for key in keys)


async def test_what_nobody_tried_for_a_day_is_forgotten(office: Office) -> None:
    await office.attempts.spend(Try.RESET, address=ADDRESS, account="ada@example.org")
    office.clock.advance(days=1, seconds=1)
    await office.attempts.forget()
    assert office.units._committed.state.limits == {}


@given(
    st.lists(st.tuples(st.floats(0, 5000), st.booleans()), max_size=60),
    st.integers(1, 10),
    st.integers(1, 1000),
)
def test_never_more_than_a_burst_and_what_leaked_gets_through(
    steps: list[tuple[float, bool]], burst: int, seconds: int
) -> None:
    limit, now = Limit(burst=burst, period=timedelta(seconds=seconds)), NOON
    bucket, spent, refunded = Bucket(0.0, now), 0, 0
    for wait, good in steps:
        now += timedelta(seconds=wait)
        try:
            bucket = bucket.spend(limit, now, "tries")
        except TooManyRequests as error:
            later = now + timedelta(seconds=error.retry_after + 0.001)
            bucket.spend(limit, later, "tries")
            continue
        spent += 1
        if good:
            bucket, refunded = bucket.refund(limit, now), refunded + 1
        assert 0 <= bucket.level <= burst
    leaked = (now - NOON) / limit.period * burst
    assert spent - refunded <= burst + leaked + 1e-6


def test_a_clock_that_was_set_back_lets_nothing_through() -> None:
    limit = Limit(burst=1, period=timedelta(seconds=1))
    bucket = Bucket(0.0, NOON).spend(limit, NOON, "tries")
    with pytest.raises(TooManyRequests):
        bucket.spend(limit, NOON - timedelta(days=1), "tries")
