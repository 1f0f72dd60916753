"""What every adapter keeps of teams, memberships, grants, limits and the audit log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.contract.test_identity_contract import LATER, done, kept_users
from tests.factories import NOON, a_grant, a_project, a_team, a_user, an_entry, new_id
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.identity.attempts.limits import Bucket
from tracker.domain.identity.permissions.grant import Effect
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import ProjectMember, TeamMember
from tracker.ports.unit_of_work import UnitsOfWork


class TestTeamRepository:
    async def test_a_team_comes_back_as_it_was_oldest_first(self, units: UnitsOfWork) -> None:
        young, old = a_team(name="b", created_at=LATER), a_team(name="a", description="x" * 1000)
        for team in (young, old):
            await done(units, lambda unit, team=team: unit.teams.add(team))
        async with units.reading() as unit:
            assert await unit.teams.list() == (old, young)
            assert await unit.teams.list(name="b") == (young,)
            assert await unit.teams.get(old.id) == old
            assert await unit.teams.get_many([old.id, new_id()]) == {old.id: old}
        with pytest.raises(AlreadyExists):
            await done(units, lambda unit: unit.teams.add(old))

    async def test_of_two_who_save_one_is_late(self, units: UnitsOfWork) -> None:
        team = a_team()
        await done(units, lambda unit: unit.teams.add(team))
        assert await done(units, lambda unit: unit.teams.save(team)) == team.evolve(version=1)
        with pytest.raises(StaleVersion):
            await done(units, lambda unit: unit.teams.save(team))
        for absent in (lambda unit: unit.teams.save(a_team()), lambda unit: unit.teams.delete(new_id())):
            with pytest.raises(NotFound):
                await done(units, absent)

    async def test_a_deleted_team_leaves_its_projects_and_takes_its_places(self, units: UnitsOfWork) -> None:
        team = a_team()
        project = a_project(team_id=team.id)
        async with units.writing() as unit:
            await unit.teams.add(team)
            await unit.projects.add(project)
            await unit.members.put(
                TeamMember(team_id=team.id, user_id=LOCAL_USER, role=Role.OWNER, added_at=NOON)
            )
            await unit.grants.put(a_grant(await unit.users.get(LOCAL_USER), team_id=team.id))
            await unit.commit()
        await done(units, lambda unit: unit.teams.delete(team.id))
        async with units.reading() as unit:
            assert (await unit.projects.get(project.id)).team_id is None
            assert await unit.members.teams_of(LOCAL_USER) == ()
            assert await unit.grants.of_user(LOCAL_USER) == ()

    async def test_a_project_belongs_to_a_team_and_owner_that_exist(self, units: UnitsOfWork) -> None:
        project = a_project()
        for lost in (a_project(team_id=new_id()), a_project(owner_id=new_id())):
            with pytest.raises(NotFound):
                await done(units, lambda unit, lost=lost: unit.projects.add(lost))
        await done(units, lambda unit: unit.projects.add(project))
        with pytest.raises(NotFound):
            await done(units, lambda unit: unit.projects.save(project.evolve(team_id=new_id())))


class TestMemberRepository:
    async def test_places_come_in_the_order_in_which_they_were_added(self, units: UnitsOfWork) -> None:
        first, second, team, other = a_user(), a_user(), a_team(), a_team()
        await kept_users(units, first, second)
        places = [
            TeamMember(team_id=team.id, user_id=second.id, role=Role.MEMBER, added_at=LATER),
            TeamMember(team_id=team.id, user_id=first.id, role=Role.OWNER, added_at=NOON),
            TeamMember(team_id=other.id, user_id=first.id, role=Role.VIEWER, added_at=LATER),
        ]
        async with units.writing() as unit:
            await unit.teams.add(team)
            await unit.teams.add(other)
            for place in places:
                await unit.members.put(place)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.members.of_team(team.id) == (places[1], places[0])
            assert await unit.members.teams_of(first.id) == (places[1], places[2])

    async def test_a_place_that_is_there_gets_the_role_and_keeps_its_date(self, units: UnitsOfWork) -> None:
        user, project = a_user(), a_project()
        await kept_users(units, user)
        await done(units, lambda unit: unit.projects.add(project))
        place = ProjectMember(project_id=project.id, user_id=user.id, role=Role.VIEWER, added_at=NOON)
        await done(units, lambda unit: unit.members.put(place))
        await done(units, lambda unit: unit.members.put(place.evolve(role=Role.ADMIN, added_at=LATER)))
        async with units.reading() as unit:
            assert await unit.members.of_project(project.id) == (place.evolve(role=Role.ADMIN),)
        for _ in range(2):  # the second time it is no error
            await done(units, lambda unit: unit.members.remove(place))
        async with units.reading() as unit:
            assert await unit.members.of_project(project.id) == ()

    async def test_a_place_needs_its_user_team_and_project(self, units: UnitsOfWork) -> None:
        team = a_team()
        await done(units, lambda unit: unit.teams.add(team))
        lost = (
            TeamMember(team_id=team.id, user_id=new_id(), role=Role.OWNER, added_at=NOON),
            TeamMember(team_id=new_id(), user_id=LOCAL_USER, role=Role.OWNER, added_at=NOON),
            ProjectMember(project_id=new_id(), user_id=LOCAL_USER, role=Role.OWNER, added_at=NOON),
        )
        for place in lost:
            with pytest.raises(NotFound):
                await done(units, lambda unit, place=place: unit.members.put(place))

    async def test_a_deleted_project_takes_its_places_and_grants(self, units: UnitsOfWork) -> None:
        user, project = a_user(), a_project()
        await kept_users(units, user)
        async with units.writing() as unit:
            await unit.projects.add(project)
            await unit.members.put(
                ProjectMember(project_id=project.id, user_id=user.id, role=Role.VIEWER, added_at=NOON)
            )
            await unit.grants.put(a_grant(user, project_id=project.id))
            await unit.commit()
        await done(units, lambda unit: unit.projects.delete(project.id))
        async with units.reading() as unit:
            assert await unit.members.of_project(project.id) == ()
            assert await unit.grants.of_user(user.id) == ()


class TestGrantRepository:
    async def test_the_same_grant_again_replaces_the_first_but_for_its_id(self, units: UnitsOfWork) -> None:
        user, project, team = a_user(), a_project(), a_team()
        await kept_users(units, user)
        async with units.writing() as unit:
            await unit.projects.add(project)
            await unit.teams.add(team)
            await unit.commit()
        first = a_grant(user, project_id=project.id)
        again = a_grant(user, project_id=project.id, until=LATER, created_at=LATER)
        denied = a_grant(user, project_id=project.id, effect=Effect.DENY, created_at=LATER)
        elsewhere = a_grant(user, team_id=team.id)
        for grant in (first, denied, elsewhere):
            assert await done(units, lambda unit, grant=grant: unit.grants.put(grant)) == grant
        kept = await done(units, lambda unit: unit.grants.put(again))
        assert kept == again.evolve(id=first.id)
        async with units.reading() as unit:
            assert set(await unit.grants.on(project.id)) == {kept, denied}
            assert await unit.grants.on(team.id) == (elsewhere,)
            assert len(await unit.grants.of_user(user.id)) == 3
            assert await unit.grants.get(kept.id) == kept
        await done(units, lambda unit: unit.grants.remove(kept.id))
        for absent in (lambda unit: unit.grants.remove(kept.id), lambda unit: unit.grants.get(kept.id)):
            with pytest.raises(NotFound):
                await done(units, absent)

    async def test_a_grant_needs_its_user_and_place(self, units: UnitsOfWork) -> None:
        project = a_project()
        await done(units, lambda unit: unit.projects.add(project))
        for lost in (
            a_grant(a_user(), project_id=project.id),
            a_grant(a_user(id=LOCAL_USER), team_id=new_id()),
        ):
            with pytest.raises(NotFound):
                await done(units, lambda unit, lost=lost: unit.grants.put(lost))


class TestLimitRepository:
    async def test_a_bucket_is_the_last_one_put_until_it_is_forgotten(self, units: UnitsOfWork) -> None:
        async with units.writing() as unit:
            assert await unit.limits.find("a") is None
            await unit.limits.put("a", Bucket(1.5, NOON))
            await unit.limits.put("a", Bucket(2.25, NOON))
            await unit.limits.put("b", Bucket(1.0, LATER))
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.limits.find("a") == Bucket(2.25, NOON)
        await done(units, lambda unit: unit.limits.forget(NOON + timedelta(seconds=1)))
        async with units.reading() as unit:
            assert await unit.limits.find("a") is None
            assert await unit.limits.find("b") == Bucket(1.0, LATER)


class TestAuditRepository:
    async def test_entries_come_back_by_number_for_those_who_may_read_them(self, units: UnitsOfWork) -> None:
        project, team = new_id(), new_id()
        first = an_entry(None, project_id=project, detail={"a": [1, "é", None]}, user_id=LOCAL_USER)
        second = an_entry(first, team_id=team)
        third = an_entry(second, origin="203.0.113.9")
        async with units.writing() as unit:
            assert await unit.audit.last() is None
            for entry in (first, second, third):
                await unit.audit.append(entry)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.audit.last() == third
            assert await unit.audit.list() == (first, second, third)
            assert await unit.audit.list(after=1, limit=1) == (second,)
            assert await unit.audit.list(projects=[project]) == (first,)
            assert await unit.audit.list(teams=[team]) == (second,)
            assert await unit.audit.list(projects=[project], teams=[team]) == (first, second)
            assert await unit.audit.list(projects=[]) == ()
        assert second.follows(first.digest) and not third.follows(first.digest)
        with pytest.raises(AlreadyExists):
            await done(units, lambda unit: unit.audit.append(third))
