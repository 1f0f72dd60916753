"""What a user owned goes where it was said, or they do not go."""

from __future__ import annotations

import pytest

from tests.service.identity.conftest import ROOT, Office
from tracker.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from tracker.domain.identity.actions import Action
from tracker.domain.identity.roles import Role
from tracker.domain.projects.ownership.service import Fate

VIEWER, MEMBER, ADMIN, OWNER = Role


async def test_who_owns_something_does_not_go_without_a_fate(office: Office) -> None:
    ada = await office.person("ada")
    await office.project(ada)
    with pytest.raises(Conflict, match="1 projects and 0 teams"):
        await office.ownership.delete_user(ada, ada.user_id)
    for fate, heir in ((Fate.TRANSFER, None), (None, ada.user_id), (Fate.DELETE, ROOT.user_id)):
        with pytest.raises(Invalid):
            await office.ownership.delete_user(ada, ada.user_id, fate=fate, heir_id=heir)


async def test_transferred_things_have_one_owner_and_the_user_is_gone(office: Office) -> None:
    team, ada, members = await office.team(await office.person("ada"), heir=ADMIN)
    heir = members["heir"]
    project = await office.project(ada, team_id=team.id)
    await office.permissions.share(ada, project.id, heir.user_id, VIEWER)
    token, (_, pat) = (
        await office.sessions.open(await office.accounts.me(ada), address="", how="x"),
        (await office.tokens.create(ada, "t", scopes=set(Action))),
    )
    await office.ownership.delete_user(ada, ada.user_id, fate=Fate.TRANSFER, heir_id=heir.user_id)
    assert (await office.projects.get(ROOT, project.id)).owner_id == heir.user_id
    assert await office.permissions.members(ROOT, project.id) == ()
    places = [(d.member.user_id, d.member.role) for d in await office.teams.members(ROOT, team.id)]
    assert places == [(heir.user_id, OWNER)]
    for shown in (token, pat):
        with pytest.raises(Unauthenticated):
            await office.callers.identify(shown, address="")
    with pytest.raises(NotFound):
        await office.accounts.get(ROOT, ada.user_id)


async def test_deleting_takes_their_projects_and_teams_along_but_nobody_else_s(office: Office) -> None:
    team, ada, members = await office.team(await office.person("ada"), bob=MEMBER)
    mine = await office.project(ada, team_id=team.id)
    bobs = await office.project(members["bob"], team_id=team.id)
    await office.ownership.delete_user(ROOT, ada.user_id, fate=Fate.DELETE)
    with pytest.raises(NotFound):
        await office.projects.get(ROOT, mine.id)
    with pytest.raises(NotFound):
        await office.teams.get(ROOT, team.id)
    assert (await office.projects.get(ROOT, bobs.id)).team_id is None


async def test_an_heir_must_be_somebody_active_and_else(office: Office) -> None:
    ada, gone = await office.person("ada"), await office.user("gone")
    await office.accounts.edit(ROOT, gone.id, is_active=False)
    project = await office.project(ada)
    for heir in (gone.id, ada.user_id):
        with pytest.raises(Conflict):
            await office.ownership.delete_user(ada, ada.user_id, fate=Fate.TRANSFER, heir_id=heir)
    with pytest.raises(NotFound):
        await office.ownership.delete_user(ada, ada.user_id, fate=Fate.TRANSFER, heir_id=type(gone.id)(int=5))
    with pytest.raises(Conflict):
        await office.ownership.transfer(ada, project.id, gone.id)
    assert (await office.projects.get(ada, project.id)).owner_id == ada.user_id


async def test_the_last_administrator_and_the_local_user_stay(office: Office) -> None:
    root = await office.person("root", is_superuser=True)
    for attempt in (
        office.ownership.delete_user(root, root.user_id),
        office.accounts.edit(root, root.user_id, is_superuser=False),
        office.accounts.edit(root, root.user_id, is_active=False),
        office.ownership.delete_user(root, ROOT.user_id, fate=Fate.DELETE),
    ):
        with pytest.raises(Conflict):
            await attempt
    await office.user("other", is_superuser=True)
    await office.ownership.delete_user(root, root.user_id)


async def test_only_the_owner_hands_a_project_over_in_person_or_with_a_token_of_all_scopes(
    office: Office,
) -> None:
    ada, bob = await office.person("ada"), await office.person("bob")
    project = await office.project(ada)
    await office.permissions.share(ada, project.id, bob.user_id, ADMIN)
    with pytest.raises(Forbidden):
        await office.ownership.transfer(await office.again(bob), project.id, bob.user_id)
    with pytest.raises(Forbidden):
        await office.ownership.transfer(await office.bearer(ada, "project.delete"), project.id, bob.user_id)
    with pytest.raises(NotFound):
        await office.ownership.transfer(await office.person("eve"), project.id, bob.user_id)
    await office.ownership.transfer(await office.bearer(ada, "*"), project.id, bob.user_id)
    assert await office.permissions.members(ROOT, project.id) == ()
    with pytest.raises(NotFound):
        await office.projects.get(await office.again(ada), project.id)


async def test_nobody_else_deletes_a_user(office: Office) -> None:
    ada, eve = await office.person("ada"), await office.person("eve")
    for key in (ada.user_id, type(ada.user_id)(int=5)):
        with pytest.raises(Forbidden):
            await office.ownership.delete_user(eve, key)
