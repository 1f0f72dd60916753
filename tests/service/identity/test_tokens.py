"""An API token can do no more than its user, nor make one that can do more than itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.service.identity.conftest import ADDRESS, PASSWORD, ROOT, Office
from tracker.domain.errors import Forbidden, Invalid, NotFound, Unauthenticated
from tracker.domain.identity.actions import Action
from tracker.domain.ids import ApiTokenId

VIEW, EDIT = Action.PROJECT_VIEW, Action.PROJECT_EDIT


async def test_the_plain_token_opens_and_only_its_hash_is_kept(office: Office) -> None:
    ada = await office.person("ada")
    kept, plain = await office.tokens.create(ada, "ci", scopes={VIEW})
    caller = await office.callers.identify(plain, address=ADDRESS)
    assert caller.actor.scopes == {VIEW} and caller.actor.api_token_id == kept.id
    assert plain not in repr(kept) and plain.encode() not in kept.digest
    assert plain not in repr(await office.log()) and plain not in repr(office.units._committed.state)


async def test_a_revoked_token_opens_nothing_for_good(office: Office) -> None:
    ada = await office.person("ada")
    kept, plain = await office.tokens.create(ada, "ci", scopes={VIEW})
    await office.tokens.revoke(ada, kept.id)
    with pytest.raises(Unauthenticated):
        await office.callers.identify(plain, address=ADDRESS)
    with pytest.raises(Invalid, match="revoked"):
        await office.tokens.edit(ada, kept.id, name="again")
    await office.tokens.revoke(ada, kept.id)


async def test_a_token_holds_until_the_moment_it_expires(office: Office) -> None:
    ada = await office.person("ada")
    _, plain = await office.tokens.create(ada, "ci", scopes={VIEW}, expires_in_days=1)
    office.clock.advance(days=1, seconds=-1)
    assert await office.callers.identify(plain, address=ADDRESS)
    office.clock.advance(seconds=1)
    with pytest.raises(Unauthenticated):
        await office.callers.identify(plain, address=ADDRESS)


@pytest.mark.parametrize("days", [0, -1, 3651, 10**9])
async def test_an_expiry_out_of_range_is_refused(office: Office, days: int) -> None:
    with pytest.raises(Invalid):
        await office.tokens.create(await office.person("ada"), "ci", scopes={VIEW}, expires_in_days=days)


async def test_a_token_neither_makes_nor_becomes_one_that_can_do_more_or_lives_longer(office: Office) -> None:
    ada = await office.person("ada")
    token = await office.bearer(ada, VIEW, days=10)
    me = token.api_token_id
    assert me is not None
    wider = {VIEW, EDIT}
    for scopes, days in ((wider, 5), ({EDIT}, 5), ({VIEW}, 11), ({VIEW}, None), (set(Action), 10)):
        with pytest.raises(Forbidden):
            await office.tokens.create(token, "more", scopes=scopes, expires_in_days=days)
    for change in ({"scopes": wider}, {"expires_in_days": None}, {"expires_in_days": 11}):
        with pytest.raises(Forbidden):
            await office.tokens.edit(token, me, **change)
    made, _ = await office.tokens.create(token, "less", scopes={VIEW}, expires_in_days=5)
    assert made.expires_at == office.clock.now() + timedelta(days=5)
    with pytest.raises(Invalid):
        await office.tokens.edit(token, me, user_id=ROOT.user_id)


async def test_a_token_cannot_touch_a_stronger_one_of_its_user(office: Office) -> None:
    ada = await office.person("ada")
    strong, plain = await office.tokens.create(ada, "strong", scopes=set(Action))
    weak = await office.bearer(ada, VIEW)
    for attempt in (
        office.tokens.edit(weak, strong.id, scopes={VIEW}),
        office.tokens.edit(weak, strong.id, name="mine"),
        office.tokens.revoke(weak, strong.id),
    ):
        with pytest.raises(Forbidden):
            await attempt
    assert await office.callers.identify(plain, address=ADDRESS)


async def test_somebody_else_s_token_is_answered_like_one_that_does_not_exist(office: Office) -> None:
    kept, _ = await office.tokens.create(await office.person("ada"), "ci", scopes={VIEW})
    eve, absent = await office.person("eve"), ApiTokenId(ROOT.user_id)
    for actor in (eve, await office.person("root", is_superuser=True)):
        with pytest.raises(NotFound) as hidden:
            await office.tokens.revoke(actor, kept.id)
        with pytest.raises(NotFound) as missing:
            await office.tokens.revoke(actor, absent)
        assert hidden.value.detail.replace(str(kept.id), "") == missing.value.detail.replace(str(absent), "")
    assert await office.tokens.list(eve) == ()


async def test_no_token_changes_how_its_user_proves_who_they_are(office: Office) -> None:
    root = await office.person("root", is_superuser=True)
    token = await office.bearer(root, *Action)
    for attempt in (
        office.accounts.edit_me(token, current_password=PASSWORD, password="a new password"),
        office.accounts.edit_me(token, display_name="x"),
        office.accounts.create(token, "eve@example.org", PASSWORD, is_superuser=True),
        office.accounts.edit(token, root.user_id, password="a new password"),
        office.accounts.list(token),
        office.ownership.delete_user(token, root.user_id),
    ):
        with pytest.raises(Forbidden):
            await attempt


async def test_the_last_use_is_noted_at_most_once_a_minute(office: Office) -> None:
    ada = await office.person("ada")
    kept, plain = await office.tokens.create(ada, "ci", scopes={VIEW})

    async def used() -> bool:
        caller = await office.callers.identify(plain, address=ADDRESS)
        if caller.used_token is not None:
            await office.callers.note_use(caller.used_token)
        return caller.used_token is not None

    assert [await used(), await used()] == [True, False]
    office.clock.advance(seconds=59)
    assert not await used()
    office.clock.advance(seconds=1)
    assert await used()
    (listed,) = await office.tokens.list(ada)
    assert listed.last_used_at == office.clock.now()
    await office.tokens.edit(ada, kept.id, name="renamed")
    assert (await office.tokens.list(ada))[0].last_used_at == listed.last_used_at


async def test_the_local_user_gets_no_token(office: Office) -> None:
    with pytest.raises(Forbidden):
        await office.tokens.create(ROOT, "ci", scopes={VIEW})
