"""Signing in elsewhere never opens an account to somebody who was in it before by guessing the address."""

from __future__ import annotations

import pytest

from tests.service.identity.conftest import ADDRESS, PASSWORD, ROOT, Office
from tracker.domain.errors import BadCode, BadCredentials, Forbidden, Unauthenticated
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.sign_in.external import ExternalIdentity

ISSUER = "https://idp.example"


async def sign_in(
    office: Office, subject: str, email: str | None, *, verified: bool = True, **more: object
) -> Actor:
    office.provider.identity = ExternalIdentity(
        issuer=ISSUER,
        subject=subject,
        email=email,
        email_verified=verified,
        **more,  # type: ignore[arg-type]
    )
    _, carried = await office.sign_in.begin()
    token = await office.sign_in.finish("code", "state", carried, address=ADDRESS)
    return (await office.callers.identify(token, address=ADDRESS)).actor


async def test_the_same_identity_is_the_same_user_whatever_its_address(office: Office) -> None:
    first = await sign_in(office, "1", "ada@example.org")
    assert (await sign_in(office, "1", "new@example.org")).user_id == first.user_id
    assert (await sign_in(office, "2", "bob@example.org")).user_id != first.user_id


async def test_an_address_that_is_not_verified_there_opens_no_account_here(office: Office) -> None:
    await office.user("ada")
    with pytest.raises(Forbidden):
        await sign_in(office, "1", "ada@example.org", verified=False)


async def test_who_registered_under_a_foreign_address_is_out_when_its_owner_signs_in(office: Office) -> None:
    squatter = await office.accounts.register("ada@example.org", PASSWORD, address=ADDRESS)
    session = await office.sessions.login("ada@example.org", PASSWORD, address=ADDRESS)
    actor = (await office.callers.identify(session, address=ADDRESS)).actor
    _, pat = await office.tokens.create(actor, "t", scopes={Action.PROJECT_VIEW})
    await office.recovery.send_letter("ada@example.org", address=ADDRESS)
    code = office.mail.code()
    assert (await sign_in(office, "1", "ada@example.org")).user_id == squatter.id
    for token in (session, pat):
        with pytest.raises(Unauthenticated):
            await office.callers.identify(token, address=ADDRESS)
    with pytest.raises(BadCredentials):
        await office.sessions.login("ada@example.org", PASSWORD, address=ADDRESS)
    with pytest.raises(BadCode):
        await office.recovery.reset(code, PASSWORD, address=ADDRESS)


async def test_nor_can_they_come_back_by_an_identity_that_they_linked_before(office: Office) -> None:
    eve = await sign_in(office, "eve", "eve@example.org")
    await office.recovery.send_letter("eve@example.org", address=ADDRESS)
    await office.recovery.reset(office.mail.code(), PASSWORD, address=ADDRESS)
    await office.accounts.edit_me(await office.again(eve), current_password=PASSWORD, email="ada@example.org")
    ada = await sign_in(office, "ada", "ada@example.org")
    assert ada.user_id == eve.user_id
    assert (await sign_in(office, "eve", "eve@example.org")).user_id != ada.user_id


async def test_a_letter_to_the_old_address_does_not_prove_the_new_one(office: Office) -> None:
    """Else an account could be moved to somebody's address as if proven, and wait for them to sign in."""
    eve = await office.accounts.register("eve@example.org", PASSWORD, address=ADDRESS)
    await office.recovery.send_letter("eve@example.org", address=ADDRESS)
    code, actor = office.mail.code(), await office.as_actor(eve)
    await office.accounts.edit_me(actor, current_password=PASSWORD, email="ada@example.org")
    with pytest.raises(BadCode):
        await office.recovery.reset(code, "a password of eve's", address=ADDRESS)
    await sign_in(office, "ada", "ada@example.org")
    with pytest.raises(BadCredentials):
        await office.sessions.login("ada@example.org", PASSWORD, address=ADDRESS)


async def test_nobody_becomes_the_local_user(office: Office) -> None:
    with pytest.raises(Forbidden):
        await sign_in(office, "1", "local@localhost")


async def test_another_browser_s_state_and_another_audience_s_token_are_refused(office: Office) -> None:
    session = await office.sessions.open(await office.user("ada"), address=ADDRESS, how="test")
    _, carried = await office.sign_in.begin()
    with pytest.raises(Unauthenticated):
        await office.sign_in.finish("code", "stat\u00e9", carried, address=ADDRESS)
    with pytest.raises(Unauthenticated):
        await office.sign_in.finish("code", "state", session, address=ADDRESS)
    with pytest.raises(Unauthenticated):
        await office.callers.identify(carried, address=ADDRESS)
    office.clock.advance(minutes=10)
    with pytest.raises(Unauthenticated):
        await office.sign_in.finish("code", "state", carried, address=ADDRESS)


async def test_a_deactivated_user_signs_in_nowhere(office: Office) -> None:
    ada = await sign_in(office, "1", "ada@example.org")
    await office.accounts.edit(ROOT, ada.user_id, is_active=False)
    with pytest.raises(Forbidden):
        await sign_in(office, "1", "ada@example.org")


async def test_groups_give_and_take_places_but_never_an_owner_s(office: Office) -> None:
    boss = await office.person("boss")
    team = await office.teams.create(boss, "Research")
    ada = await sign_in(office, "1", "ada@example.org", groups=("ml",))
    assert ada.access.teams[team.id] == "member"
    assert team.id not in (await sign_in(office, "1", "ada@example.org", groups=())).access.teams
    owner = await sign_in(office, "boss", "boss@example.org", groups=())
    assert owner.user_id == boss.user_id and owner.access.teams[team.id] == "owner"
