"""Ranks, exhaustively: nobody hands out, changes or takes away a role at or above their own."""

from __future__ import annotations

from itertools import product

import pytest

from tests.service.identity.conftest import ROOT, Office
from tracker.domain.errors import AlreadyExists, Conflict, Forbidden, NotFound, TrackerError
from tracker.domain.identity.actions import Action
from tracker.domain.identity.permissions.grant import Effect
from tracker.domain.identity.permissions.service import Place
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import check_role_change

VIEWER, MEMBER, ADMIN, OWNER = Role
ROLES = (None, *Role)


def outcome(own: Role | None, present: Role | None, wanted: Role | None, *, is_self: bool = False) -> str:
    try:
        check_role_change(own, present, wanted, is_self=is_self)
    except TrackerError as error:
        return type(error).__name__
    return "passes"


@pytest.mark.parametrize(("own", "present", "wanted"), list(product(ROLES, ROLES, ROLES)))
def test_a_change_passes_only_below_one_s_own_rank(
    own: Role | None, present: Role | None, wanted: Role | None
) -> None:
    if OWNER in (present, wanted):
        expected = "Conflict"
    elif own is None or all(role is None or role.rank < own.rank for role in (present, wanted)):
        expected = "passes"
    else:
        expected = "Forbidden"
    assert outcome(own, present, wanted) == expected


@pytest.mark.parametrize(("own", "wanted"), list(product(Role, ROLES)))
def test_oneself_one_may_only_leave_or_step_down_never_up(own: Role, wanted: Role | None) -> None:
    passes = outcome(own, own, wanted, is_self=True) == "passes"
    assert passes == (wanted is None and own is not OWNER)


@pytest.mark.parametrize(
    ("who", "target", "wanted"), list(product(("owner", "admin", "member", "viewer", "root"), Role, ROLES))
)
async def test_who_may_change_whom_to_what(
    office: Office, who: str, target: Role, wanted: Role | None
) -> None:
    """Over the service, with an actor of each rank and another member of each rank."""
    team, owner, members = await office.team(
        await office.person("owner"), admin=ADMIN, member=MEMBER, viewer=VIEWER, admin2=ADMIN, member2=MEMBER,
        viewer2=VIEWER,
    )  # fmt: skip
    actor = {"owner": owner, "root": ROOT, **members}[who]
    other = owner if target is OWNER else members[f"{target.value}2"]
    own = None if who == "root" else Role(who)
    try:
        if wanted is None:
            await office.teams.remove_member(actor, team.id, other.user_id)
        else:
            await office.teams.change_member(actor, team.id, other.user_id, wanted)
        answer = "passes"
    except TrackerError as error:
        answer = type(error).__name__
    if who in ("member", "viewer"):
        expected = "Forbidden"
    elif actor is other:
        expected = "Conflict"
    else:
        expected = outcome(own, target, wanted)
    assert answer == expected
    kept = {detail.member.user_id: detail.member.role for detail in await office.teams.members(ROOT, team.id)}
    assert kept.get(other.user_id) == (wanted if answer == "passes" else target)
    assert list(kept.values()).count(OWNER) == 1


async def test_a_transfer_leaves_one_owner_and_only_the_owner_can_do_it(office: Office) -> None:
    team, owner, members = await office.team(await office.person("owner"), admin=ADMIN, viewer=VIEWER)
    for actor in members.values():
        with pytest.raises(Forbidden):
            await office.teams.transfer(actor, team.id, members["admin"].user_id)
    with pytest.raises(Conflict):
        await office.teams.transfer(owner, team.id, owner.user_id)
    await office.teams.transfer(owner, team.id, members["viewer"].user_id)
    roles = {d.member.user_id: d.member.role for d in await office.teams.members(ROOT, team.id)}
    assert roles[members["viewer"].user_id] is OWNER and roles[owner.user_id] is ADMIN
    with pytest.raises(Forbidden):
        await office.teams.transfer(await office.again(owner), team.id, owner.user_id)


async def test_who_has_only_the_action_to_manage_cannot_hand_out_more_than_that(office: Office) -> None:
    """A grant of the single action ``teams.manage`` is not worth the role of an admin."""
    team, owner, _ = await office.team(await office.person("owner"))
    eve = await office.person("eve")
    await office.permissions.grant(owner, eve.user_id, Action.TEAMS_MANAGE, Place(team_id=team.id))
    await office.permissions.grant(owner, eve.user_id, Action.TEAMS_VIEW, Place(team_id=team.id))
    eve = await office.again(eve)
    for role in (VIEWER, MEMBER):
        with pytest.raises(Forbidden, match="what you lack"):
            await office.teams.add_member(eve, team.id, role, user_id=eve.user_id)


async def test_a_token_cannot_have_a_confederate_do_what_its_scopes_lack(office: Office) -> None:
    team, owner, members = await office.team(await office.person("owner"), viewer=VIEWER)
    friend = await office.person("friend")
    token = await office.bearer(owner, "teams.*")
    for attempt in (
        office.teams.add_member(token, team.id, MEMBER, user_id=friend.user_id),
        office.teams.change_member(token, team.id, members["viewer"].user_id, MEMBER),
        office.teams.transfer(token, team.id, members["viewer"].user_id),
    ):
        with pytest.raises(Forbidden):
            await attempt
    strong = await office.bearer(owner, "*")
    await office.teams.add_member(strong, team.id, MEMBER, user_id=friend.user_id)


async def test_who_was_denied_an_action_cannot_give_it_to_another_account_of_theirs(office: Office) -> None:
    team, owner, members = await office.team(await office.person("owner"), admin=ADMIN)
    admin, alias = members["admin"], await office.person("alias")
    place = Place(team_id=team.id)
    await office.permissions.grant(owner, admin.user_id, Action.EXPERIMENTS_DELETE, place, effect=Effect.DENY)
    admin = await office.again(admin)
    with pytest.raises(Forbidden, match=r"experiments\.delete"):
        await office.teams.add_member(admin, team.id, MEMBER, user_id=alias.user_id)
    await office.teams.add_member(admin, team.id, VIEWER, user_id=alias.user_id)


async def test_a_hidden_team_answers_like_a_missing_one(office: Office) -> None:
    team, _, members = await office.team(await office.person("owner"), viewer=VIEWER)
    eve, key = await office.person("eve"), members["viewer"].user_id
    absent = type(team.id)(int=7)
    for call in (
        lambda team_id: office.teams.get(eve, team_id),
        lambda team_id: office.teams.edit(eve, team_id, name="x"),
        lambda team_id: office.teams.delete(eve, team_id),
        lambda team_id: office.teams.members(eve, team_id),
        lambda team_id: office.teams.add_member(eve, team_id, VIEWER, user_id=eve.user_id),
        lambda team_id: office.teams.change_member(eve, team_id, key, VIEWER),
        lambda team_id: office.teams.remove_member(eve, team_id, eve.user_id),
        lambda team_id: office.teams.transfer(eve, team_id, key),
        lambda team_id: office.audit.read(eve, team_id=team_id),
        lambda team_id: office.permissions.list(eve, Place(team_id=team_id)),
        lambda team_id: office.permissions.explain(
            eve, eve.user_id, Action.TEAMS_VIEW, Place(team_id=team_id)
        ),
    ):
        with pytest.raises(NotFound) as hidden:
            await call(team.id)
        with pytest.raises(NotFound) as missing:
            await call(absent)
        assert hidden.value.detail.replace(str(team.id), "") == missing.value.detail.replace(str(absent), "")
    assert await office.teams.list(eve) == ()


async def test_somebody_belongs_to_a_team_once_and_may_leave_it(office: Office) -> None:
    team, owner, members = await office.team(await office.person("owner"), viewer=VIEWER)
    viewer = members["viewer"]
    with pytest.raises(AlreadyExists):
        await office.teams.add_member(owner, team.id, MEMBER, email="VIEWER@example.org ")
    await office.teams.remove_member(viewer, team.id, viewer.user_id)
    with pytest.raises(NotFound):
        await office.teams.get(await office.again(viewer), team.id)
    with pytest.raises(Conflict):
        await office.teams.remove_member(owner, team.id, owner.user_id)
