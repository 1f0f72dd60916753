"""What every adapter keeps of users, their credentials and where they stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOON, a_code, a_grant, a_project, a_session, a_team, a_token, a_user, new_id
from tracker.domain.errors import AlreadyExists, Conflict, NotFound, StaleVersion
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.identity.recovery.one_time_code import Purpose
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import ProjectMember, TeamMember
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

LATER = NOON + timedelta(hours=1)


async def done(units: UnitsOfWork, what: Callable[[WritingUnit], Awaitable[Any]]) -> Any:
    """What a committed unit gave."""
    async with units.writing() as unit:
        answer = await what(unit)
        await unit.commit()
    return answer


async def kept_users(units: UnitsOfWork, *users: Any) -> None:
    async with units.writing() as unit:
        for user in users:
            await unit.users.add(user)
        await unit.commit()


class TestUserRepository:
    async def test_a_user_comes_back_as_they_were(self, units: UnitsOfWork) -> None:
        full = a_user(
            avatar_url="https://example.org/a.png", password_hash="$argon2id$", is_active=False,
            is_superuser=True, is_verified=True, epoch=3, display_name="Åda 🎯",
        )  # fmt: skip
        await kept_users(units, full, a_user())
        async with units.reading() as unit:
            assert await unit.users.get(full.id) == full
            assert await unit.users.find_by_email(full.email) == full
            assert await unit.users.find_by_email("nobody@example.org") is None
            assert await unit.users.get_many([full.id, new_id()]) == {full.id: full}

    async def test_the_list_is_oldest_first(self, units: UnitsOfWork) -> None:
        young, old = a_user(created_at=LATER), a_user()
        await kept_users(units, young, old)
        async with units.reading() as unit:
            assert [user.id for user in await unit.users.list()] == [LOCAL_USER, old.id, young.id]

    async def test_an_id_and_an_address_are_taken_once(self, units: UnitsOfWork) -> None:
        user, other = a_user(), a_user()
        await kept_users(units, user, other)
        for again in (a_user(id=user.id), a_user(email=user.email)):
            with pytest.raises(AlreadyExists):
                await kept_users(units, again)
        with pytest.raises(AlreadyExists):
            await done(units, lambda unit: unit.users.save(other.evolve(email=user.email)))

    async def test_of_two_who_save_one_is_late(self, units: UnitsOfWork) -> None:
        user = a_user()
        await kept_users(units, user)
        saved = await done(units, lambda unit: unit.users.save(user.evolve(display_name="Eve")))
        assert saved == user.evolve(display_name="Eve", version=1)
        with pytest.raises(StaleVersion):
            await done(units, lambda unit: unit.users.save(user.evolve(is_active=False)))
        with pytest.raises(NotFound):
            await done(units, lambda unit: unit.users.save(a_user()))

    async def test_a_provider_means_one_user(self, units: UnitsOfWork) -> None:
        user = a_user()
        await kept_users(units, user)
        await done(units, lambda unit: unit.users.link_external("https://idp", "ada", user.id))
        async with units.reading() as unit:
            assert await unit.users.find_external("https://idp", "ada") == user
            assert await unit.users.find_external("https://other", "ada") is None
        with pytest.raises(AlreadyExists):
            await done(units, lambda unit: unit.users.link_external("https://idp", "ada", LOCAL_USER))
        with pytest.raises(NotFound):
            await done(units, lambda unit: unit.users.link_external("https://idp", "eve", new_id()))
        await done(units, lambda unit: unit.users.unlink_external(user.id))
        async with units.reading() as unit:
            assert await unit.users.find_external("https://idp", "ada") is None

    async def test_who_owns_projects_cannot_be_deleted(self, units: UnitsOfWork) -> None:
        user = a_user()
        await kept_users(units, user)
        await done(units, lambda unit: unit.projects.add(a_project(owner_id=user.id)))
        with pytest.raises(Conflict):
            await done(units, lambda unit: unit.users.delete(user.id))
        with pytest.raises(NotFound):
            await done(units, lambda unit: unit.users.delete(new_id()))

    async def test_a_deleted_user_takes_along_what_only_they_have(self, units: UnitsOfWork) -> None:
        user, giver, team, project = a_user(), a_user(), a_team(), a_project()
        await kept_users(units, user, giver)
        token = a_token(user)
        async with units.writing() as unit:
            await unit.projects.add(project)
            await unit.teams.add(team)
            await unit.users.link_external("https://idp", "ada", user.id)
            await unit.api_tokens.add(token)
            await unit.codes.replace(a_code(user_id=user.id))
            await unit.standings.end_session(a_session(user))
            await unit.members.put(
                TeamMember(team_id=team.id, user_id=user.id, role=Role.OWNER, added_at=NOON)
            )
            await unit.grants.put(a_grant(user, team_id=team.id))
            kept = await unit.grants.put(a_grant(giver, team_id=team.id, granted_by=user.id))
            await unit.commit()
        await done(units, lambda unit: unit.users.delete(user.id))
        async with units.reading() as unit:
            assert await unit.users.find_external("https://idp", "ada") is None
            assert await unit.api_tokens.of_user(user.id) == ()
            assert await unit.codes.latest(Purpose.RESET_PASSWORD) is None
            assert await unit.members.of_team(team.id) == ()
            assert await unit.grants.on(team.id) == (kept.evolve(granted_by=None),)
            with pytest.raises(NotFound):
                await unit.standings.of_user(user.id)
            with pytest.raises(NotFound):
                await unit.standings.of_api_token(token.id)


class TestStandingRepository:
    async def test_a_user_stands_with_all_they_were_given_and_nothing_of_others(
        self, units: UnitsOfWork
    ) -> None:
        user, other, team, project = a_user(), a_user(), a_team(), a_project()
        await kept_users(units, user, other)
        session = a_session(user)
        async with units.writing() as unit:
            await unit.teams.add(team)
            await unit.projects.add(project)
            for each, role in ((user, Role.ADMIN), (other, Role.OWNER)):
                await unit.members.put(TeamMember(team_id=team.id, user_id=each.id, role=role, added_at=NOON))
            await unit.members.put(
                ProjectMember(project_id=project.id, user_id=user.id, role=Role.VIEWER, added_at=NOON)
            )
            late = a_grant(user, project_id=project.id, until=LATER, created_at=LATER)
            early = a_grant(user, team_id=team.id, action=Action.TEAMS_DELETE, granted_by=other.id)
            for grant in (late, early, a_grant(other, team_id=team.id)):
                await unit.grants.put(grant)
            await unit.standings.end_session(session)
            await unit.standings.end_session(session)
            await unit.commit()
        async with units.reading() as unit:
            standing = await unit.standings.of_user(user.id)
            nobody = await unit.standings.of_user(LOCAL_USER)
        assert standing.user == user and standing.api_token is None
        assert standing.access.teams == {team.id: Role.ADMIN}
        assert standing.access.projects == {project.id: Role.VIEWER}
        assert standing.access.grants == (early, late)
        assert standing.ended_sessions == {session.id}
        assert (nobody.access.teams, nobody.access.grants, nobody.ended_sessions) == ({}, (), frozenset())

    async def test_a_token_leads_to_its_user_and_itself(self, units: UnitsOfWork) -> None:
        user, team = a_user(), a_team()
        token = a_token(user, scopes=frozenset({Action.SCALARS_LOG, Action.PROJECT_VIEW}), expires_at=LATER)
        await kept_users(units, user)
        async with units.writing() as unit:
            await unit.teams.add(team)
            await unit.members.put(
                TeamMember(team_id=team.id, user_id=user.id, role=Role.VIEWER, added_at=NOON)
            )
            await unit.api_tokens.add(token)
            await unit.api_tokens.add(a_token(user))
            await unit.commit()
        async with units.reading() as unit:
            standing = await unit.standings.of_api_token(token.id)
            with pytest.raises(NotFound):
                await unit.standings.of_api_token(new_id())
            with pytest.raises(NotFound):
                await unit.standings.of_user(new_id())
        assert (standing.user, standing.api_token) == (user, token)
        assert standing.access.teams == {team.id: Role.VIEWER}

    async def test_sessions_that_ran_out_are_forgotten(self, units: UnitsOfWork) -> None:
        user = a_user()
        await kept_users(units, user)
        old, young = a_session(user, expires_at=NOON), a_session(user, expires_at=LATER)
        async with units.writing() as unit:
            await unit.standings.end_session(old)
            await unit.standings.end_session(young)
            await unit.standings.forget_sessions(NOON + timedelta(seconds=1))
            await unit.commit()
        async with units.reading() as unit:
            assert (await unit.standings.of_user(user.id)).ended_sessions == {young.id}
        with pytest.raises(NotFound):
            await done(units, lambda unit: unit.standings.end_session(a_session(a_user())))

    async def test_whatever_changes_a_standing_changes_the_number_once_committed(
        self, units: UnitsOfWork
    ) -> None:
        user, team, project = a_user(), a_team(), a_project()
        token, session = a_token(user), a_session(user)
        place = TeamMember(team_id=team.id, user_id=user.id, role=Role.ADMIN, added_at=NOON)
        shared = ProjectMember(project_id=project.id, user_id=user.id, role=Role.ADMIN, added_at=NOON)
        grant = a_grant(user, team_id=team.id)
        await done(units, lambda unit: unit.projects.add(project))
        seen = [await self.number(units)]
        for change in (
            lambda unit: unit.users.add(user),
            lambda unit: unit.teams.add(team),
            lambda unit: unit.members.put(place),
            lambda unit: unit.members.put(place.evolve(role=Role.VIEWER)),
            lambda unit: unit.members.put(shared),
            lambda unit: unit.grants.put(grant),
            lambda unit: unit.grants.remove(grant.id),
            lambda unit: unit.api_tokens.add(token),
            lambda unit: unit.api_tokens.save(token.revoked(NOON)),
            lambda unit: unit.standings.end_session(session),
            lambda unit: unit.users.save(user.deactivated()),
            lambda unit: unit.members.remove(shared),
            lambda unit: unit.teams.delete(team.id),
            lambda unit: unit.users.delete(user.id),
        ):
            await done(units, change)
            seen.append(await self.number(units))
        assert len(set(seen)) == len(seen)
        async with units.writing() as unit:
            await unit.users.add(a_user())  # never committed
        assert await self.number(units) == seen[-1]

    async def test_what_changes_no_standing_leaves_the_number(self, units: UnitsOfWork) -> None:
        user = a_user()
        token = a_token(user)
        await kept_users(units, user)
        await done(units, lambda unit: unit.api_tokens.add(token))
        before = await self.number(units)
        await done(units, lambda unit: unit.codes.replace(a_code(user_id=user.id)))
        await done(units, lambda unit: unit.projects.add(a_project()))
        assert await self.number(units) == before

    async def number(self, units: UnitsOfWork) -> int:
        async with units.reading() as unit:
            return await unit.standings.changes()


class TestApiTokenRepository:
    async def test_tokens_come_back_oldest_first_and_as_they_were(self, units: UnitsOfWork) -> None:
        user = a_user()
        await kept_users(units, user)
        young = a_token(user, created_at=LATER, scopes=frozenset(Action), description="d" * 1000)
        old = a_token(user, revoked_at=LATER, expires_at=LATER, last_used_at=NOON)
        async with units.writing() as unit:
            for token in (young, old):
                await unit.api_tokens.add(token)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.api_tokens.of_user(user.id) == (old, young)
            assert await unit.api_tokens.get(young.id) == young
        with pytest.raises(AlreadyExists):
            await done(units, lambda unit: unit.api_tokens.add(old))
        with pytest.raises(NotFound):
            await done(units, lambda unit: unit.api_tokens.add(a_token(a_user())))
        with pytest.raises(NotFound):
            await done(units, lambda unit: unit.api_tokens.save(a_token(user)))

    async def test_a_save_leaves_the_last_use_and_a_use_never_goes_back(self, units: UnitsOfWork) -> None:
        user = a_user()
        token = a_token(user)
        await kept_users(units, user)
        await done(units, lambda unit: unit.api_tokens.add(token))
        await done(units, lambda unit: unit.api_tokens.note_use(token.id, LATER))
        await done(units, lambda unit: unit.api_tokens.note_use(token.id, NOON))
        await done(units, lambda unit: unit.api_tokens.note_use(new_id(), NOON))
        await done(units, lambda unit: unit.api_tokens.save(token.evolve(name="renamed")))
        async with units.reading() as unit:
            assert await unit.api_tokens.get(token.id) == token.evolve(name="renamed", last_used_at=LATER)


class TestCodeRepository:
    async def test_a_new_code_replaces_that_of_the_same_purpose_and_user(self, units: UnitsOfWork) -> None:
        user, other = a_user(), a_user()
        await kept_users(units, user, other)
        first, second = a_code(user_id=user.id), a_code(user_id=user.id, created_at=LATER)
        of_other, setup = a_code(user_id=other.id), a_code(purpose=Purpose.SETUP)
        for code in (first, of_other, setup, second):
            await done(units, lambda unit, code=code: unit.codes.replace(code))
        async with units.reading() as unit:
            with pytest.raises(NotFound):
                await unit.codes.get(first.id)
            assert await unit.codes.get(of_other.id) == of_other
            assert await unit.codes.latest(Purpose.SETUP) == setup
            assert await unit.codes.latest(Purpose.RESET_PASSWORD) == second
        with pytest.raises(NotFound):
            await done(units, lambda unit: unit.codes.replace(a_code(user_id=new_id())))

    async def test_a_used_code_stays_used_and_forgotten_ones_are_gone(self, units: UnitsOfWork) -> None:
        user = a_user()
        await kept_users(units, user)
        code, setup = a_code(user_id=user.id), a_code(purpose=Purpose.SETUP)
        for each in (code, setup):
            await done(units, lambda unit, each=each: unit.codes.replace(each))
        await done(units, lambda unit: unit.codes.save(code.used(LATER)))
        async with units.reading() as unit:
            assert (await unit.codes.get(code.id)).used_at == LATER
        await done(units, lambda unit: unit.codes.forget(user.id))
        async with units.reading() as unit:
            assert await unit.codes.latest(Purpose.RESET_PASSWORD) is None
            assert await unit.codes.get(setup.id) == setup
        with pytest.raises(NotFound):
            await done(units, lambda unit: unit.codes.save(code))
