"""Nobody gives what they lack, nor takes from somebody of their own rank or above, by whatever route."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.service.identity.conftest import ROOT, Office
from tracker.domain.errors import Conflict, Forbidden, Invalid, NotFound, TrackerError
from tracker.domain.identity.actions import Action
from tracker.domain.identity.permissions.grant import Effect
from tracker.domain.identity.permissions.service import Place
from tracker.domain.identity.policy import may
from tracker.domain.identity.roles import Role
from tracker.domain.projects.project import Project

VIEWER, MEMBER, ADMIN, OWNER = Role
DELETE = Action.EXPERIMENTS_DELETE


async def shared(office: Office, **roles: Role):  # type: ignore[no-untyped-def]
    """A project in no team; its owner and those with whom it is shared."""
    owner = await office.person("owner")
    project = await office.project(owner)
    people = {}
    for name, role in roles.items():
        person = await office.person(name)
        await office.permissions.share(ROOT, project.id, person.user_id, role)
        people[name] = await office.again(person)
    return project, owner, people


def on(project: Project) -> Place:
    return Place(project_id=project.id)


async def test_nobody_grants_what_they_lack(office: Office) -> None:
    project, owner, people = await shared(office, admin=ADMIN)
    friend = await office.person("friend")
    with pytest.raises(Forbidden):
        await office.permissions.grant(people["admin"], friend.user_id, Action.TEAMS_DELETE, on(project))
    await office.permissions.grant(people["admin"], friend.user_id, DELETE, on(project))
    token = await office.bearer(owner, "teams.manage")
    with pytest.raises(Forbidden):
        await office.permissions.grant(token, friend.user_id, Action.PROJECT_EDIT, on(project))


@pytest.mark.parametrize("who", [VIEWER, MEMBER, ADMIN])
@pytest.mark.parametrize("whom", list(Role))
async def test_nobody_denies_or_withdraws_from_somebody_of_their_rank_or_above(
    office: Office, who: Role, whom: Role
) -> None:
    project, owner, people = await shared(
        office, viewer=VIEWER, member=MEMBER, admin=ADMIN, viewer2=VIEWER, member2=MEMBER, admin2=ADMIN
    )
    actor = people[who.value]
    other = owner if whom is OWNER else people[f"{whom.value}2"]
    granted = await office.permissions.grant(ROOT, other.user_id, Action.TEAMS_DELETE, on(project))
    allowed = who is ADMIN and whom.rank < ADMIN.rank
    for attempt in (
        office.permissions.grant(actor, other.user_id, DELETE, on(project), effect=Effect.DENY),
        office.permissions.withdraw(actor, granted.id),
    ):
        if allowed:
            await attempt
        else:
            with pytest.raises(Forbidden):
                await attempt


async def test_who_was_denied_cannot_lift_it(office: Office) -> None:
    project, owner, people = await shared(office, admin=ADMIN)
    admin = people["admin"]
    denial = await office.permissions.grant(owner, admin.user_id, DELETE, on(project), effect=Effect.DENY)
    admin = await office.again(admin)
    with pytest.raises(Forbidden):
        await office.permissions.withdraw(admin, denial.id)
    with pytest.raises(Forbidden):
        await office.permissions.grant(
            admin, admin.user_id, DELETE, on(project), effect=Effect.DENY,
            until=office.clock.now() + timedelta(seconds=1),
        )  # fmt: skip
    with pytest.raises(Forbidden):
        await office.permissions.grant(admin, admin.user_id, DELETE, on(project))
    await office.permissions.withdraw(owner, denial.id)
    assert may(await office.again(admin), DELETE, project.scope)


async def test_a_grant_runs_out_by_itself_and_is_never_born_dead(office: Office) -> None:
    project, owner, _ = await shared(office)
    friend, until = await office.person("friend"), office.clock.now() + timedelta(hours=1)
    await office.permissions.grant(owner, friend.user_id, Action.PROJECT_VIEW, on(project), until=until)
    assert await office.projects.get(await office.again(friend), project.id) == project
    office.clock.advance(hours=1)
    with pytest.raises(NotFound):
        await office.projects.get(await office.again(friend), project.id)
    with pytest.raises(Invalid):
        await office.permissions.grant(owner, friend.user_id, DELETE, on(project), until=office.clock.now())


async def test_the_single_action_to_edit_is_not_worth_a_whole_project(office: Office) -> None:
    """Who may edit could else put the project into a team of their own, and own it there."""
    project, owner, people = await shared(office, admin=ADMIN)
    eve = await office.person("eve")
    for action in (Action.PROJECT_VIEW, Action.PROJECT_EDIT, Action.PROJECT_DELETE):
        await office.permissions.grant(owner, eve.user_id, action, on(project))
    for thief in (eve, people["admin"]):
        team = await office.teams.create(thief, "mine")
        with pytest.raises(Forbidden):
            await office.projects.edit(await office.again(thief), project.id, team_id=team.id)
    team = await office.teams.create(owner, "ours")
    token = await office.bearer(await office.again(owner), "project.*", "projects.*")
    with pytest.raises(Forbidden):
        await office.projects.edit(token, project.id, team_id=team.id)
    moved = await office.projects.edit(await office.again(owner), project.id, team_id=team.id)
    assert moved.team_id == team.id


async def test_a_project_goes_only_into_a_team_one_may_write_and_out_of_one_by_who_may_delete(
    office: Office,
) -> None:
    owner = await office.person("owner")
    ours, boss, members = await office.team(await office.person("boss"), owner2=MEMBER, admin=ADMIN)
    project = await office.project(owner)
    with pytest.raises(Invalid) as hidden:
        await office.projects.edit(owner, project.id, team_id=ours.id)
    absent = type(ours.id)(int=9)
    with pytest.raises(Invalid) as missing:
        await office.projects.edit(owner, project.id, team_id=absent)
    assert hidden.value.detail.replace(str(ours.id), "") == missing.value.detail.replace(str(absent), "")
    await office.teams.add_member(ROOT, ours.id, VIEWER, user_id=owner.user_id)
    with pytest.raises(Forbidden):
        await office.projects.edit(await office.again(owner), project.id, team_id=ours.id)
    with pytest.raises(Forbidden):
        await office.projects.create(await office.again(owner), name="x", team_id=ours.id)
    inside = await office.project(members["owner2"], team_id=ours.id)
    await office.permissions.grant(boss, owner.user_id, Action.PROJECT_EDIT, on(inside))
    with pytest.raises(Forbidden):
        await office.projects.edit(await office.again(owner), inside.id, team_id=None)
    taken = await office.projects.edit(members["admin"], inside.id, team_id=None)
    assert taken.team_id is None


async def test_sharing_keeps_the_day_and_never_makes_or_unmakes_an_owner(office: Office) -> None:
    project, owner, people = await shared(office, viewer=VIEWER)
    viewer, begun = people["viewer"], office.clock.now()
    office.clock.advance(days=1)
    detail = await office.permissions.share(owner, project.id, viewer.user_id, MEMBER)
    assert detail.member.added_at == begun
    assert (await office.permissions.members(owner, project.id))[0] == detail
    for attempt in (
        office.permissions.share(owner, project.id, viewer.user_id, OWNER),
        office.permissions.share(owner, project.id, owner.user_id, VIEWER),
        office.permissions.unshare(owner, project.id, owner.user_id),
    ):
        with pytest.raises(Conflict):
            await attempt
    await office.permissions.unshare(viewer, project.id, viewer.user_id)
    with pytest.raises(NotFound):
        await office.permissions.unshare(owner, project.id, viewer.user_id)


async def test_who_may_manage_only_cannot_share_a_role_that_can_do_more(office: Office) -> None:
    project, owner, _ = await shared(office)
    eve = await office.person("eve")
    for action in (Action.PROJECT_VIEW, Action.TEAMS_MANAGE):
        await office.permissions.grant(owner, eve.user_id, action, on(project))
    eve = await office.again(eve)
    for role in (VIEWER, MEMBER):
        with pytest.raises(Forbidden):
            await office.permissions.share(eve, project.id, eve.user_id, role)
    token = await office.bearer(owner, "teams.manage", "project.view")
    with pytest.raises(Forbidden):
        await office.permissions.share(token, project.id, eve.user_id, VIEWER)


async def test_explaining_gives_the_policy_s_own_answer_and_only_to_who_may_ask(office: Office) -> None:
    project, owner, people = await shared(office, viewer=VIEWER)
    viewer = people["viewer"]
    for action in Action:
        explained = await office.permissions.explain(owner, viewer.user_id, action, on(project))
        assert explained.decision.allowed == may(viewer, action, project.scope)
        assert action.value in explained.words or explained.decision.reason == "superuser"
        own = await office.permissions.explain(viewer, viewer.user_id, action, on(project))
        assert own.decision == explained.decision
    with pytest.raises(Forbidden):
        await office.permissions.explain(viewer, owner.user_id, DELETE, on(project))
    for place in (Place(), Place(project_id=project.id, team_id=type(project.id)(int=1))):  # type: ignore[arg-type]
        with pytest.raises(Invalid):
            await office.permissions.explain(owner, viewer.user_id, DELETE, place)


async def test_a_grant_one_may_not_see_answers_like_none(office: Office) -> None:
    project, owner, people = await shared(office, viewer=VIEWER)
    grant = await office.permissions.grant(owner, people["viewer"].user_id, DELETE, on(project))
    eve, absent = await office.person("eve"), type(grant.id)(int=3)
    details = []
    for key in (grant.id, absent):
        with pytest.raises(NotFound) as error:
            await office.permissions.withdraw(eve, key)
        details.append(error.value.detail.replace(str(key), ""))
    assert details[0] == details[1]


async def test_every_change_of_rights_is_in_the_log_of_the_place(office: Office) -> None:
    project, owner, people = await shared(office, viewer=VIEWER)
    viewer = people["viewer"].user_id
    grant = await office.permissions.grant(owner, viewer, DELETE, on(project))
    await office.permissions.withdraw(owner, grant.id)
    await office.permissions.grant(owner, viewer, DELETE, on(project), effect=Effect.DENY)
    await office.permissions.unshare(owner, project.id, viewer)
    await office.ownership.transfer(owner, project.id, viewer)
    told = [entry.what for entry in await office.audit.read(ROOT, project_id=project.id)]
    assert told == [
        "project.create", "project.share", "permission.allow", "permission.withdraw", "permission.deny",
        "project.unshare", "project.transfer",
    ]  # fmt: skip
    with pytest.raises(TrackerError):
        await office.audit.read(await office.again(owner), project_id=project.id)
