"""A session holds until it runs out, is ended, or its user changes; nobody learns why it does not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.service.identity.conftest import ADDRESS, PASSWORD, ROOT, Office
from tracker.domain.errors import BadCredentials, TrackerError, Unauthenticated
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import LOCAL_USER


async def login(office: Office, name: str = "ada", password: str = PASSWORD) -> str:
    return await office.sessions.login(f"{name}@example.org", password, address=ADDRESS)


async def refused(office: Office, token: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        await office.callers.identify(token, address=ADDRESS)
    return error.value.detail


async def test_a_session_holds_until_the_moment_it_runs_out(office: Office) -> None:
    await office.user("ada")
    token = await login(office)
    office.clock.advance(days=7, seconds=-1)
    caller = await office.callers.identify(token, address=ADDRESS)
    assert caller.actor.scopes is None and caller.used_token is None
    office.clock.advance(seconds=1)
    await refused(office, token)


async def test_a_logout_ends_this_session_and_no_other(office: Office) -> None:
    await office.user("ada")
    ended, kept = await login(office), await login(office)
    actor = (await office.callers.identify(ended, address=ADDRESS)).actor
    await office.sessions.logout(actor, ended)
    await office.sessions.logout(actor, ended)
    await refused(office, ended)
    assert await office.callers.identify(kept, address=ADDRESS)


async def test_ends_are_forgotten_only_when_the_session_has_run_out(office: Office) -> None:
    user = await office.user("ada")
    first = await login(office)
    actor = (await office.callers.identify(first, address=ADDRESS)).actor
    await office.sessions.logout(actor, first)
    office.clock.advance(days=6)
    second = await login(office)
    await office.sessions.logout(actor, second)
    await refused(office, first)
    office.clock.advance(days=2)
    third = await login(office)
    await office.sessions.logout(actor, third)
    async with office.units.reading() as unit:
        assert len((await unit.standings.of_user(user.id)).ended_sessions) == 2


async def test_a_new_password_ends_all_sessions_but_no_api_token(office: Office) -> None:
    ada = await office.person("ada")
    token, (_, pat) = await login(office), await office.tokens.create(ada, "t", scopes={Action.TEAMS_VIEW})
    await office.accounts.edit_me(ada, current_password=PASSWORD, password="another password")
    await refused(office, token)
    assert (await office.callers.identify(pat, address=ADDRESS)).actor.user_id == ada.user_id
    with pytest.raises(BadCredentials):
        await login(office)
    assert await login(office, password="another password")


async def test_nothing_of_a_deactivated_user_opens_anything_and_sessions_do_not_come_back(
    office: Office,
) -> None:
    ada = await office.person("ada")
    token, (_, pat) = await login(office), await office.tokens.create(ada, "t", scopes={Action.TEAMS_VIEW})
    await office.accounts.edit(ROOT, ada.user_id, is_active=False)
    assert await refused(office, token) == await refused(office, pat)
    with pytest.raises(BadCredentials):
        await login(office)
    await office.accounts.edit(ROOT, ada.user_id, is_active=True)
    await refused(office, token)
    assert await login(office)


async def test_a_login_under_way_while_the_user_is_deactivated_gives_nothing_that_holds(
    office: Office,
) -> None:
    user = await office.user("ada")
    token, _ = await asyncio.gather(login(office), office.accounts.edit(ROOT, user.id, is_active=False))
    await refused(office, token)


async def test_a_key_that_was_rotated_still_reads_and_one_that_was_removed_not_a_second_longer(
    office: Office,
) -> None:
    await office.user("ada")
    old = await login(office)
    office.keys.rotate(office.clock.now(), timedelta(days=7))
    new = await login(office)
    assert await office.callers.identify(old, address=ADDRESS)
    assert await office.callers.identify(new, address=ADDRESS)
    office.keys.rotate(office.clock.now(), timedelta(0))
    office.clock.advance(seconds=1)
    assert await refused(office, old) == await refused(office, new)


async def test_an_actor_is_never_judged_as_of_more_than_a_second_ago(office: Office) -> None:
    await office.user("ada")
    token = await login(office)
    for milliseconds in (0, 999, 1, 400, 400, 400):
        office.clock.advance(milliseconds=milliseconds)
        actor = (await office.callers.identify(token, address=ADDRESS)).actor
        assert timedelta(0) <= office.clock.now() - actor.at < timedelta(seconds=1)


async def test_who_shows_a_token_from_elsewhere_is_told_from_there(office: Office) -> None:
    await office.user("ada")
    token = await login(office)
    origins = [(await office.callers.identify(token, address=at)).actor.origin for at in ("a", "b", "a")]
    assert origins == ["a", "b", "a"]


async def test_why_a_token_does_not_hold_is_told_to_nobody(office: Office) -> None:
    ada = await office.person("ada")
    _, pat = await office.tokens.create(ada, "t", scopes={Action.TEAMS_VIEW})
    expired = await login(office)
    office.clock.advance(days=8)
    gone = await login(office)
    wrong = pat[:-2] + ("BB" if pat.endswith("AA") else "AA")
    words = {await refused(office, token) for token in (wrong, "pat_x", pat + "=", expired, "a.b.c", "")}
    await office.ownership.delete_user(ROOT, ada.user_id)
    words |= {await refused(office, gone), await refused(office, pat)}
    assert len(words) <= 2  # one sentence for what we did not sign, one for what no longer holds
    assert all("ada" not in sentence for sentence in words)


async def test_unknown_wrong_inactive_and_password_less_do_the_same_work_and_say_the_same(
    office: Office,
) -> None:
    await office.user("ada")
    gone = await office.user("gone")
    await office.accounts.edit(ROOT, gone.id, is_active=False)
    await office.accounts.create(ROOT, "sso@example.org", None)
    seen = []
    for name in ("ada", "gone", "sso", "nobody"):
        office.passwords.verified.clear()
        before = len(await office.log())
        with pytest.raises(BadCredentials) as error:
            await login(office, name, "wrong password")
        (entry,) = (await office.log())[before:]
        seen.append(
            (error.value.detail, len(office.passwords.verified), entry.what, entry.outcome, entry.user_id)
        )
    assert len(set(seen)) == 1 and seen[0][1] == 1


async def test_weaker_hashes_are_renewed_at_the_login_and_sessions_stay(office: Office) -> None:
    await office.user("ada")
    before = await login(office)
    office.passwords.rounds = 3
    tokens = await asyncio.gather(*(login(office) for _ in range(5)))
    for token in (before, *tokens):
        assert await office.callers.identify(token, address=ADDRESS)
    async with office.units.reading() as unit:
        user = await unit.users.find_by_email("ada@example.org")
    assert user is not None and not office.passwords.is_outdated(user.password_hash or "")


async def test_the_local_user_can_neither_log_in_nor_be_given_a_password(office: Office) -> None:
    with pytest.raises(BadCredentials):
        await office.sessions.login("local@localhost", "", address=ADDRESS)
    await office.recovery.send_letter("local@localhost", address=ADDRESS)
    assert office.mail.letters == []
    with pytest.raises(TrackerError):
        await office.accounts.edit(ROOT, LOCAL_USER, password="a password for it")
