"""One-time codes work once, in time, for what they were made, and for nobody else."""

from __future__ import annotations

import asyncio

import pytest

from tests.service.identity.conftest import ADDRESS, PASSWORD, ROOT, Office
from tracker.domain.errors import BadCode, Conflict, Invalid, TooManyRequests, TrackerError
from tracker.domain.identity.audit.entry import Outcome

NEW = "an entirely new password"


async def a_code(office: Office, name: str = "ada") -> str:
    await office.recovery.send_letter(f"{name}@example.org", address=ADDRESS)
    return office.mail.code()


async def reset(office: Office, code: str, password: str = NEW) -> None:
    await office.recovery.reset(code, password, address=ADDRESS)


async def spoilt(office: Office, code: str) -> None:
    with pytest.raises(BadCode):
        await reset(office, code)


async def test_a_code_sets_a_password_once_and_ends_all_sessions(office: Office) -> None:
    ada = await office.person("ada")
    code = await a_code(office)
    await reset(office, code)
    await spoilt(office, code)
    assert await office.sessions.login("ada@example.org", NEW, address=ADDRESS)
    assert (await office.accounts.me(ada)).epoch == 1


async def test_of_many_uses_at_once_exactly_one_wins(office: Office) -> None:
    await office.user("ada")
    code = await a_code(office)
    answers = await asyncio.gather(
        *(reset(office, code, f"password {n}") for n in range(8)), return_exceptions=True
    )
    assert [answer for answer in answers if not isinstance(answer, BadCode)] == [None]


async def test_a_code_runs_out_and_a_newer_one_replaces_it(office: Office) -> None:
    await office.user("ada")
    old = await a_code(office)
    new = await a_code(office)
    await spoilt(office, old)
    office.clock.advance(hours=24)
    await spoilt(office, new)


async def test_a_password_that_breaks_a_rule_does_not_spend_the_code(office: Office) -> None:
    await office.user("ada")
    code = await a_code(office)
    for bad in ("short", "ada@example.org", "x" * 1025):
        with pytest.raises(Invalid):
            await reset(office, code, bad)
    await reset(office, code)


async def test_after_a_change_of_address_or_password_an_older_letter_is_worth_nothing(office: Office) -> None:
    """Else who reads the old address could set a password, and prove an address that is not theirs."""
    ada = await office.person("ada")
    code = await a_code(office)
    await office.accounts.edit_me(ada, current_password=PASSWORD, email="boss@example.org")
    await spoilt(office, code)
    assert not (await office.accounts.me(ada)).is_verified
    code = await a_code(office, "boss")
    await office.accounts.edit_me(ada, current_password=PASSWORD, password=NEW)
    await spoilt(office, code)
    code = await a_code(office, "boss")
    await office.accounts.edit(ROOT, ada.user_id, is_active=False)
    await spoilt(office, code)


async def test_a_letter_goes_only_to_an_active_user_and_the_asking_shows_no_difference(
    office: Office,
) -> None:
    gone = await office.user("gone")
    await office.accounts.edit(ROOT, gone.id, is_active=False)
    for name in ("gone", "nobody"):
        await office.recovery.count_request(f"{name}@example.org", address=ADDRESS)
        await office.recovery.send_letter(f"{name}@example.org", address=ADDRESS)
    assert office.mail.letters == []


async def test_requests_for_letters_are_limited_for_known_and_unknown_alike(office: Office) -> None:
    await office.user("ada")
    for name in ("ada", "nobody"):
        for _ in range(5):
            await office.recovery.count_request(f"{name}@example.org", address=ADDRESS)
        with pytest.raises(TooManyRequests):
            await office.recovery.count_request(f"{name.upper()}@example.org ", address="198.51.100.7")


async def test_guessing_codes_is_limited(office: Office) -> None:
    for n in range(20):
        await spoilt(office, f"guess{n}")
    with pytest.raises(TooManyRequests):
        await reset(office, "guess")


async def test_a_code_for_one_thing_does_not_open_another(office: Office) -> None:
    await office.user("ada")
    code = await a_code(office)
    with pytest.raises(BadCode):
        await office.recovery.set_up(code, "eve@example.org", NEW, address=ADDRESS)
    setup = await office.recovery.setup_code()
    assert setup is not None
    await spoilt(office, setup)


async def test_the_set_up_code_makes_one_administrator_whoever_races(office: Office) -> None:
    code = await office.recovery.setup_code()
    assert code is not None
    answers = await asyncio.gather(
        *(office.recovery.set_up(code, f"a{n}@example.org", NEW, address=ADDRESS) for n in range(5)),
        return_exceptions=True,
    )
    won = [answer for answer in answers if not isinstance(answer, TrackerError)]
    assert len(won) == 1 and won[0].is_superuser  # type: ignore[union-attr]
    assert sum(user.is_superuser for user in await office.accounts.list(ROOT)) == 1
    assert await office.recovery.setup_code() is None


async def test_processes_that_start_together_print_one_code_and_a_restart_another(office: Office) -> None:
    first = await asyncio.gather(*(office.recovery.setup_code() for _ in range(4)))
    assert sum(code is not None for code in first) == 1
    office.clock.advance(minutes=2)
    second = await office.recovery.setup_code()
    assert second is not None
    (old,) = filter(None, first)
    with pytest.raises(BadCode):
        await office.recovery.set_up(old, "a@example.org", NEW, address=ADDRESS)


async def test_a_set_up_code_is_void_once_there_is_an_administrator(office: Office) -> None:
    code = await office.recovery.setup_code()
    await office.user("root", is_superuser=True)
    with pytest.raises(Conflict):
        await office.recovery.set_up(code or "", "eve@example.org", NEW, address=ADDRESS)


@pytest.mark.parametrize("name", ["nobody", "ada"])
async def test_a_letter_that_nobody_may_have_is_in_the_log_and_is_not_sent(office: Office, name: str) -> None:
    user = await office.user("ada")
    await office.accounts.edit(ROOT, user.id, is_active=False)
    await office.recovery.send_letter(f"{name}@example.org", address=ADDRESS)
    entry = (await office.log())[-1]
    assert (entry.what, entry.outcome, entry.origin) == ("password.reset.request", Outcome.REFUSED, ADDRESS)
    assert entry.key == ("unknown" if name == "nobody" else str(user.id))
    assert office.mail.letters == []
