from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import precondition, rule

from tests.factories import NOON, a_project, a_session, new_id
from tests.side_by_side import SideBySide, close_shared_database
from tests.strategies import api_tokens, grants, instants, roles, teams, users
from tests.tries import tries
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import ProjectMember, Team, TeamMember
from tracker.domain.ids import ApiTokenId, ProjectId, TeamId, UserId

NOBODY, NOWHERE = UserId(new_id()), TeamId(new_id())
EMAILS = st.sampled_from(["ada@example.org", "eve@example.org", "kim@example.org"])


class IdentityInMemoryAndSqlite(SideBySide):
    """Users, tokens, teams, memberships, grants, and where everybody stands."""

    def __init__(self) -> None:
        super().__init__()
        self.users: list[User] = []  # every state ever seen: old ones are stale
        self.teams: list[Team] = []
        self.projects: list[ProjectId] = []
        self.tokens: list[ApiTokenId] = []

    def somebody(self) -> st.SearchStrategy[UserId]:
        return st.sampled_from([LOCAL_USER, NOBODY, *(user.id for user in self.users)])

    def somewhere(self) -> st.SearchStrategy[dict[str, Any]]:
        places = [{"team_id": NOWHERE}, *({"team_id": team.id} for team in self.teams)]
        return st.sampled_from([*places, *({"project_id": key} for key in self.projects)])

    @rule(data=st.data())
    def add_user(self, data: st.DataObject) -> None:
        user = data.draw(users(UserId(new_id()), EMAILS))
        if self.both(lambda unit: unit.users.add(user)) is None:
            self.users.append(user)

    @precondition(lambda self: self.users)
    @rule(data=st.data())
    def save_user(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.users))
        drawn = data.draw(users(old.id, EMAILS)).evolve(version=old.version)
        saved = self.both(lambda unit: unit.users.save(drawn))
        if isinstance(saved, User):
            self.users.append(saved)

    @rule(data=st.data())
    def delete_user(self, data: st.DataObject) -> None:
        user_id = data.draw(self.somebody())
        if user_id != LOCAL_USER:
            self.both(lambda unit: unit.users.delete(user_id))

    @rule(data=st.data())
    def add_team_or_project(self, data: st.DataObject) -> None:
        owner = data.draw(self.somebody())
        if data.draw(st.booleans()):
            team = data.draw(teams(TeamId(new_id())))
            self.both(lambda unit: unit.teams.add(team))
            self.teams.append(team)
            return
        team_id = data.draw(st.sampled_from([None, NOWHERE, *(team.id for team in self.teams)]))
        project = a_project(owner_id=owner, team_id=team_id)
        if self.both(lambda unit: unit.projects.add(project)) is None:
            self.projects.append(project.id)

    @precondition(lambda self: self.teams)
    @rule(data=st.data(), deletes=st.booleans())
    def save_or_delete_team(self, data: st.DataObject, deletes: bool) -> None:
        old = data.draw(st.sampled_from(self.teams))
        if deletes:
            self.both(lambda unit: unit.teams.delete(old.id))
            return
        drawn = data.draw(teams(old.id)).evolve(version=old.version)
        saved = self.both(lambda unit: unit.teams.save(drawn))
        if isinstance(saved, Team):
            self.teams.append(saved)

    @rule(data=st.data(), role=roles, removes=st.booleans())
    def put_or_remove_member(self, data: st.DataObject, role: Role, removes: bool) -> None:
        where, user_id = data.draw(self.somewhere()), data.draw(self.somebody())
        kind = TeamMember if "team_id" in where else ProjectMember
        member = kind(**where, user_id=user_id, role=role, added_at=data.draw(instants))
        if removes:
            self.both(lambda unit: unit.members.remove(member))
        else:
            self.both(lambda unit: unit.members.put(member))

    @rule(data=st.data(), removes=st.booleans())
    def put_or_remove_grant(self, data: st.DataObject, removes: bool) -> None:
        where = {"team_id": None, "project_id": None, **data.draw(self.somewhere())}
        drawn = data.draw(grants(self.somebody()))
        grant = drawn.evolve(id=new_id(), granted_by=LOCAL_USER, **where)
        kept = self.both(lambda unit: unit.grants.put(grant))
        if removes and not isinstance(kept, type):
            self.both(lambda unit: unit.grants.remove(kept.id))

    @rule(data=st.data())
    def add_token(self, data: st.DataObject) -> None:
        # Not the local user's: a token goes with its user alone, and the next example starts without any.
        whose = st.sampled_from([NOBODY, *(user.id for user in self.users)])
        token = data.draw(api_tokens(ApiTokenId(new_id()), whose))
        if self.both(lambda unit: unit.api_tokens.add(token)) is None:
            self.tokens.append(token.id)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def use_or_revoke_token(self, data: st.DataObject) -> None:
        token_id, at = data.draw(st.sampled_from(self.tokens)), data.draw(instants)
        self.both(lambda unit: unit.api_tokens.note_use(token_id, at))
        found = self.both(lambda unit: unit.api_tokens.get(token_id))
        if not isinstance(found, type):
            self.both(lambda unit: unit.api_tokens.save(found.revoked(at)))

    @precondition(lambda self: self.users)
    @rule(data=st.data())
    def end_a_session(self, data: st.DataObject) -> None:
        user = data.draw(st.sampled_from(self.users))
        session = a_session(user)
        self.both(lambda unit: unit.standings.end_session(session))

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        user_id = data.draw(self.somebody())
        self.both(lambda unit: unit.users.list())
        self.both(lambda unit: unit.teams.list())
        self.both(lambda unit: unit.standings.of_user(user_id))
        self.both(lambda unit: unit.api_tokens.of_user(user_id))
        self.both(lambda unit: unit.members.teams_of(user_id))
        self.both(lambda unit: unit.grants.of_user(user_id))
        self.both(lambda unit: unit.users.find_by_email("ada@example.org"))
        for token_id in self.tokens[-2:]:
            self.both(lambda unit, key=token_id: unit.standings.of_api_token(key))
        for team in self.teams[-2:]:
            self.both(lambda unit, key=team.id: unit.members.of_team(key))
            self.both(lambda unit, key=team.id: unit.grants.on(key))
        for project_id in self.projects[-2:]:
            self.both(lambda unit, key=project_id: unit.projects.get(key))
            self.both(lambda unit, key=project_id: unit.members.of_project(key))


IdentityInMemoryAndSqlite.TestCase.settings = settings(
    max_examples=tries(15), stateful_step_count=25, deadline=None
)
TestIdentityInMemoryAndSqliteAgrees = IdentityInMemoryAndSqlite.TestCase


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    close_shared_database()


def test_what_one_unit_does_to_both_is_seen_in_both() -> None:
    machine = IdentityInMemoryAndSqlite()
    team = Team(id=TeamId(new_id()), name="Research", created_at=NOON)
    machine.both(lambda unit: unit.teams.add(team))
    assert machine.both(lambda unit: unit.teams.list()) == (team,)
    machine.teardown()
