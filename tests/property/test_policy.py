"""The policy is a pure function; these hold for every actor, action and place."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.factories import NOON, new_id
from tests.strategies import HOUR, PLACES, actions, actors, grants, policy_scopes, project_scopes, roles
from tests.tries import tries
from tracker.domain.errors import Forbidden, NotFound
from tracker.domain.identity import policy
from tracker.domain.identity.actions import ALL_ACTIONS, Action, covered
from tracker.domain.identity.actor import Access, Actor
from tracker.domain.identity.permissions.grant import Effect, Grant
from tracker.domain.identity.policy import (
    Decision,
    ProjectScope,
    Reason,
    Scope,
    TeamScope,
    decide,
    may,
    require,
    require_own,
)
from tracker.domain.identity.roles import Role

PAGE = Path(__file__).parents[2] / "docs/guide/permissions.md"
many = settings(max_examples=tries(50), deadline=None)


def with_grants(actor: Actor, *given: Grant) -> Actor:
    return actor.evolve(access=actor.access.evolve(grants=given))


def allowed(actor: Actor, scope: Scope) -> frozenset[Action]:
    return frozenset(action for action in Action if may(actor, action, scope))


@many
@given(actors, grants(), policy_scopes)
def test_adding_an_allowing_grant_never_removes_access_and_removing_it_never_adds_any(
    actor: Actor, grant: Grant, scope: Scope
) -> None:
    more = with_grants(actor, *actor.access.grants, grant.evolve(effect=Effect.ALLOW))
    assert allowed(actor, scope) <= allowed(more, scope)


@many
@given(actors, grants(), policy_scopes)
def test_adding_a_denial_never_adds_access(actor: Actor, grant: Grant, scope: Scope) -> None:
    less = with_grants(actor, *actor.access.grants, grant.evolve(effect=Effect.DENY))
    assert allowed(less, scope) <= allowed(actor, scope)


@many
@given(actors, policy_scopes)
def test_a_token_is_never_stronger_than_its_user_nor_than_its_scopes(actor: Actor, scope: Scope) -> None:
    assume(actor.scopes is not None)
    got = allowed(actor, scope)
    assert got <= allowed(actor.evolve(scopes=None), scope)
    assert all(not covered(action).isdisjoint(actor.scopes or ()) for action in got)


@many
@given(actors, policy_scopes, actions)
def test_one_more_scope_never_removes_access(actor: Actor, scope: Scope, action: Action) -> None:
    assume(actor.scopes is not None)
    wider = actor.evolve(scopes=(actor.scopes or frozenset()) | {action})
    assert allowed(actor, scope) <= allowed(wider, scope)


@many
@given(actors, policy_scopes, roles, roles, st.sampled_from(PLACES), st.booleans())
def test_a_higher_role_never_loses_what_a_lower_one_has(
    actor: Actor, scope: Scope, one: Role, other: Role, place: object, on_project: bool
) -> None:
    low, high = sorted((one, other), key=lambda role: role.rank)
    table = "projects" if on_project else "teams"

    def having(role: Role) -> Actor:
        held = {**getattr(actor.access, table), place: role}
        return actor.evolve(access=actor.access.evolve(**{table: held}))

    assert low.actions <= high.actions
    assert allowed(having(low), scope) <= allowed(having(high), scope)


@given(roles, roles)
def test_a_role_never_beats_a_higher_one(one: Role, other: Role) -> None:
    assert one.outranks(other) == (other.actions < one.actions)
    assert not (one.outranks(other) and other.outranks(one)) and not one.outranks(one)


@many
@given(actors, st.lists(grants(), max_size=4), policy_scopes)
def test_an_expired_grant_is_as_if_it_had_never_been(actor: Actor, more: list[Grant], scope: Scope) -> None:
    """At noon; one that runs out at noon has run out."""
    live = [grant for grant in more if grant.until is None or grant.until > NOON]
    with_all, without = with_grants(actor, *more), with_grants(actor, *live)
    for action in Action:
        assert decide(with_all, action, scope) == decide(without, action, scope)


@given(actors, policy_scopes)
def test_a_superuser_may_everything(actor: Actor, scope: Scope) -> None:
    assert allowed(actor.evolve(is_superuser=True, scopes=None), scope) == ALL_ACTIONS


@many
@given(actors, st.lists(grants(), max_size=4), policy_scopes, actions)
def test_grants_on_other_places_do_not_matter(
    actor: Actor, more: list[Grant], scope: Scope, action: Action
) -> None:
    here = {getattr(scope, "team_id", None), getattr(scope, "project_id", None)} - {None}
    there = [grant for grant in more if here.isdisjoint({grant.project_id, grant.team_id})]
    assert decide(actor, action, scope) == decide(
        with_grants(actor, *actor.access.grants, *there), action, scope
    )


@many
@given(actors, policy_scopes, actions)
def test_a_decision_s_reason_is_consistent(actor: Actor, scope: Scope, action: Action) -> None:
    decision = decide(actor, action, scope)
    refusals = {
        Reason.TOKEN_LACKS_SCOPE, Reason.DENIED_ON_PROJECT, Reason.DENIED_ON_TEAM, Reason.NOTHING_ALLOWS,
    }  # fmt: skip
    assert decision.allowed == (decision.reason not in refusals)
    assert decision == decide(actor, action, scope)
    by_role = decision.reason in (Reason.ROLE_ON_PROJECT, Reason.ROLE_IN_TEAM)
    assert (decision.role is not None) == by_role
    if decision.role is not None:
        assert action in decision.role.actions
    if decision.reason is Reason.SUPERUSER:
        assert actor.is_superuser
    if decision.reason is Reason.EVERYBODY:
        assert scope is None
    if decision.reason in (Reason.DENIED_ON_PROJECT, Reason.ALLOWED_ON_PROJECT, Reason.ROLE_ON_PROJECT):
        assert isinstance(scope, ProjectScope)


@many
@given(actors, project_scopes, actions)
def test_refusing_tells_nothing_to_who_may_not_see(actor: Actor, scope: ProjectScope, action: Action) -> None:
    key = new_id()
    try:
        require(actor, action, scope, kind="experiment", key=key)
    except NotFound as error:
        assert error.detail == NotFound.of("experiment", key).detail
        assert not may(actor.evolve(scopes=None), Action.PROJECT_VIEW, scope)
    except Forbidden:
        assert not may(actor, action, scope)
        assert may(actor.evolve(scopes=None), Action.PROJECT_VIEW, scope)
    else:
        assert may(actor, action, scope)


@many
@given(actors, policy_scopes, st.frozensets(actions, max_size=4))
def test_nobody_gives_what_they_lack(actor: Actor, scope: Scope, wanted: frozenset[Action]) -> None:
    try:
        require_own(actor, wanted, scope)
    except Forbidden as error:
        assert any(action.value in error.detail for action in wanted - allowed(actor, scope))
    else:
        assert wanted <= allowed(actor, scope)


# The truth table, one line a row: what is explicit on the project and in the team, what the roles have.
ALLOW, DENY = Effect.ALLOW, Effect.DENY
TABLE = {
    ("deny", "any", "any", "any"): (False, Reason.DENIED_ON_PROJECT),
    ("allow", "any", "any", "any"): (True, Reason.ALLOWED_ON_PROJECT),
    ("-", "deny", "any", "any"): (False, Reason.DENIED_ON_TEAM),
    ("-", "allow", "any", "any"): (True, Reason.ALLOWED_ON_TEAM),
    ("-", "-", "yes", "any"): (True, Reason.ROLE_ON_PROJECT),
    ("-", "-", "no", "yes"): (True, Reason.ROLE_IN_TEAM),
    ("-", "-", "no", "no"): (False, Reason.NOTHING_ALLOWS),
}
CELLS = ("deny", "allow", "-"), ("deny", "allow", "-"), ("yes", "no"), ("yes", "no")
ME, OWNER_ID, PROJECT, TEAM = PLACES[0], new_id(), new_id(), new_id()


def row(*facts: str) -> tuple[bool, Reason]:
    """The line of the table that these facts fall under."""
    (found,) = [
        answer
        for line, answer in TABLE.items()
        if all(cell in ("any", fact) for cell, fact in zip(line, facts, strict=True))
    ]
    return found


def asked(on_project: str, in_team: str, project_role: str, team_role: str) -> Decision:
    action, given = Action.EXPERIMENTS_EDIT, []
    for effect, place in ((on_project, {"project_id": PROJECT}), (in_team, {"team_id": TEAM})):
        if effect != "-":
            kind = Effect(effect)
            given.append(Grant(id=new_id(), user_id=ME, action=action, effect=kind, created_at=NOON, **place))
    has = {"yes": Role.MEMBER, "no": Role.VIEWER}
    access = Access(teams={TEAM: has[team_role]}, projects={PROJECT: has[project_role]}, grants=tuple(given))
    actor = Actor(user_id=ME, access=access, at=NOON)
    return decide(actor, action, ProjectScope(project_id=PROJECT, owner_id=OWNER_ID, team_id=TEAM))


@pytest.mark.parametrize("facts", list(product(*CELLS)), ids="/".join)
def test_the_truth_table_holds(facts: tuple[str, ...]) -> None:
    decision = asked(*facts)
    assert (decision.allowed, decision.reason) == row(*facts)


@pytest.mark.parametrize("both", [(ALLOW, DENY), (DENY, ALLOW)])
def test_of_an_allowance_and_a_denial_in_one_place_the_denial_wins(both: tuple[Effect, Effect]) -> None:
    given = tuple(
        Grant(
            id=new_id(), user_id=ME, action=Action.SCALARS_LOG, effect=effect, team_id=TEAM, until=until,
            created_at=NOON,
        )
        for effect, until in zip(both, (None, NOON + HOUR), strict=True)
    )  # fmt: skip
    actor = Actor(user_id=ME, access=Access(grants=given), at=NOON)
    assert decide(actor, Action.SCALARS_LOG, TeamScope(team_id=TEAM)).reason is Reason.DENIED_ON_TEAM


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("role", list(Role))
def test_a_viewer_of_the_project_who_is_more_in_its_team_is_more_there(role: Role, action: Action) -> None:
    access = Access(teams={TEAM: role}, projects={PROJECT: Role.VIEWER})
    actor = Actor(user_id=ME, access=access, at=NOON)
    scope = ProjectScope(project_id=PROJECT, owner_id=OWNER_ID, team_id=TEAM)
    assert may(actor, action, scope) == (action in role.actions)


def test_on_the_installation_everybody_may_make_projects_teams_and_blobs_and_nothing_else() -> None:
    assert allowed(Actor(user_id=ME), None) == {
        Action.PROJECTS_CREATE, Action.TEAMS_MANAGE, Action.ARTIFACTS_LOG,
    }  # fmt: skip


def page_table(heading: str) -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in rows[2:]]


def test_the_page_has_the_truth_table_that_holds() -> None:
    expected = [[*line, "yes" if answer else "no", reason.value] for line, (answer, reason) in TABLE.items()]
    assert page_table("The truth table") == expected


def test_the_page_tells_what_each_role_may_do() -> None:
    marks = [["yes" if action in role.actions else "" for role in Role] for action in Action]
    expected = [[action.value, *cells] for action, cells in zip(Action, marks, strict=True)]
    assert page_table("What roles may do") == expected


def test_the_page_asks_in_the_order_of_the_policy_s_own_words() -> None:
    told = [re.sub(r"\s+", " ", line).strip() for line in (policy.__doc__ or "").splitlines()]
    page = PAGE.read_text(encoding="utf-8")
    asked_there = [" ".join(cells[1:]) for cells in page_table("What is asked, in this order")]
    assert len(asked_there) == 8
    for line in asked_there:
        assert any(line.split(" (")[0].split(" on ")[0] in each for each in told), line
    assert "deny" in page
