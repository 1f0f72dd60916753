"""Hypothesis strategies of entities. Each names every field: ``st.builds`` leaves out arguments that
have defaults, and a property test could then pass having tried nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from tests.factories import NOON
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.hypothesis import (
    BaselineRule,
    Decision,
    Hypothesis,
    HypothesisStatus,
    Target,
)
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import LOCAL_USER, Access, Actor
from tracker.domain.identity.permissions.grant import Effect, Grant
from tracker.domain.identity.policy import ProjectScope, TeamScope
from tracker.domain.identity.roles import Role
from tracker.domain.identity.teams.team import Team
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.ids import (
    ApiTokenId,
    DecisionId,
    ExperimentId,
    GrantId,
    HypothesisId,
    MetricId,
    ProjectId,
    TeamId,
    UserId,
)
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import (
    Aggregation,
    Direction,
    MetricDefinition,
    Project,
    ProjectSettings,
)

__all__ = [
    "accesses", "actions", "actors", "api_tokens", "decisions", "experiments", "grants", "hypotheses",
    "instants", "json_trees", "metrics", "names", "params", "places", "policy_scopes", "project_scopes",
    "projects", "roles", "teams", "users",
]  # fmt: skip

HOUR = timedelta(hours=1)

# Everything but NUL and surrogates, which no database keeps.
characters = st.characters(codec="utf-8", exclude_characters="\x00")
names = st.text(characters, min_size=1, max_size=100)
instants = st.datetimes(
    datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001
)  # fmt: skip
finite = st.floats(allow_nan=False, allow_infinity=False)
integers = st.integers(-(2**63), 2**63 - 1)
leaves = st.none() | st.booleans() | integers | finite | st.text(characters, max_size=20)
json_trees = st.dictionaries(
    st.text(characters, max_size=10),
    st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(characters, max_size=10), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)
params = st.dictionaries(st.text(characters, min_size=1, max_size=10), leaves, max_size=4)
definitions = st.builds(
    MetricDefinition,
    name=names,
    direction=st.sampled_from(Direction),
    aggregation=st.sampled_from(Aggregation),
    label=st.none() | names,
)


def projects(project_id: ProjectId, owner_id: st.SearchStrategy) -> st.SearchStrategy[Project]:  # type: ignore[type-arg]
    """Projects of this id."""
    return st.builds(
        Project,
        id=st.just(project_id),
        name=names,
        description=st.text(characters, max_size=500),
        owner_id=owner_id,
        team_id=st.none(),
        metrics=st.lists(definitions, max_size=3, unique_by=lambda d: (d.name, d.label)).map(tuple),
        settings=st.builds(
            ProjectSettings,
            naming_patterns=st.lists(
                st.sampled_from(["{num}_from_{parent}_{change}", "run-{num}", "{a}.{num}"]), max_size=3
            ).map(tuple),
            display_metrics=st.lists(names, max_size=3).map(tuple),
            replicate_keys=st.lists(names, max_size=2).map(tuple),
        ),
        created_at=instants,
        version=st.just(0),
    )


RUN_KEYS = [UUID(int=n) for n in (1, 2**127)]
"""Few, so that two experiments want the same one."""


def experiments(
    experiment_id: ExperimentId, project_id: ProjectId, parent_id: ExperimentId | None
) -> st.SearchStrategy[Experiment]:
    """Experiments of this id, project and parent."""
    return st.builds(
        Experiment,
        id=st.just(experiment_id),
        project_id=st.just(project_id),
        name=names,
        description=st.text(characters, max_size=200),
        status=st.sampled_from(Status),
        parent_id=st.just(parent_id),
        merged_from=st.just(()),
        features=json_trees,
        params=params,
        git_diff=st.none() | st.text(characters, max_size=200),
        color=st.from_regex(r"#[0-9a-f]{6}", fullmatch=True),
        position=st.integers(0, 2**31 - 1),
        tags=st.lists(names, max_size=4, unique=True).map(tuple),
        progress=st.floats(0, 100),
        created_at=instants,
        created_by=st.sampled_from([None, LOCAL_USER]),
        started_at=st.none() | instants,
        completed_at=st.none() | instants,
        end_kind=st.none() | st.sampled_from(EndKind),
        end_reason=st.none() | st.text(characters, min_size=1, max_size=2000),
        heartbeat_at=st.none() | instants,
        run_key=st.sampled_from([None, None, *RUN_KEYS]),
        version=st.just(0),
    )


def metrics(metric_id: MetricId, experiment_id: ExperimentId) -> st.SearchStrategy[Metric]:
    """Final values of this id and experiment; few names, labels and steps, so that keys collide."""
    return st.builds(
        Metric,
        id=st.just(metric_id),
        experiment_id=st.just(experiment_id),
        name=st.sampled_from(["acc", "loss", "Ä"]),
        value=finite,
        step=st.sampled_from([-(2**63), 0, 1, 2**63 - 1]),
        label=st.sampled_from([None, "val", "test"]),
        created_at=instants,
    )


def hypotheses(
    hypothesis_id: HypothesisId, project_id: ProjectId, linked: list[ExperimentId]
) -> st.SearchStrategy[Hypothesis]:
    """Hypotheses of this id and project about some of these experiments."""
    targets = st.builds(
        Target,
        name=names,
        label=st.none() | names,
        direction=st.none() | st.sampled_from(Direction),
        weight=st.floats(1e-6, 1e6),
    )
    some = st.lists(st.sampled_from(linked), max_size=3) if linked else st.just([])
    return st.builds(
        Hypothesis,
        id=st.just(hypothesis_id),
        project_id=st.just(project_id),
        title=names,
        description=st.text(characters, max_size=200),
        author_id=st.sampled_from([None, LOCAL_USER]),
        targets=st.lists(targets, max_size=3, unique_by=lambda t: (t.name, t.label)).map(tuple),
        baseline=st.sampled_from([*BaselineRule, *linked]),
        threshold=st.floats(0.001, 0.999),
        alpha=st.floats(0.001, 0.999),
        experiments=some.map(tuple),
        queries=st.just(()),
        decision=st.none(),
        created_at=instants,
        updated_at=instants,
        version=st.just(0),
    )


def decisions(decision_id: DecisionId, hypothesis_id: HypothesisId) -> st.SearchStrategy[Decision]:
    """Decisions of this id about this hypothesis; few times, so that some are equal."""
    return st.builds(
        Decision,
        id=st.just(decision_id),
        hypothesis_id=st.just(hypothesis_id),
        status=st.none() | st.sampled_from(HypothesisStatus),
        computed=st.sampled_from(HypothesisStatus),
        reason=st.text(characters, max_size=100),
        author_id=st.sampled_from([None, LOCAL_USER]),
        at=st.sampled_from([NOON, NOON + HOUR]),
    )


PLACES = [UUID(int=n) for n in range(1, 4)]
"""Few ids for projects, teams and people, so that facts about one often meet questions about it."""

places = st.sampled_from(PLACES)
roles = st.sampled_from(Role)
actions = st.sampled_from(Action)
scopes = st.none() | st.frozensets(actions, max_size=len(Action))


@st.composite
def grants(draw: st.DrawFn, user_id: st.SearchStrategy[Any] = places) -> Grant:
    """Grants on one of few places, some of which have run out at noon."""
    place, on_project = draw(places), draw(st.booleans())
    return Grant(
        id=GrantId(draw(st.uuids())),
        user_id=draw(user_id),
        action=draw(actions),
        effect=draw(st.sampled_from(Effect)),
        project_id=ProjectId(place) if on_project else None,
        team_id=None if on_project else TeamId(place),
        until=draw(st.none() | st.sampled_from([NOON - HOUR, NOON, NOON + HOUR])),
        granted_by=draw(st.none() | places),
        created_at=draw(instants),
    )


accesses = st.builds(
    Access,
    teams=st.dictionaries(places, roles),
    projects=st.dictionaries(places, roles),
    grants=st.lists(grants(), max_size=5).map(tuple),
)
actors = st.builds(
    Actor,
    user_id=places,
    is_superuser=st.sampled_from([False, False, False, True]),
    access=accesses,
    scopes=scopes,
    api_token_id=st.none() | st.uuids(),
    expires_at=st.none() | instants,
    at=st.just(NOON),
    origin=st.sampled_from(["", "192.0.2.1"]),
)
project_scopes = st.builds(ProjectScope, project_id=places, owner_id=places, team_id=st.none() | places)
policy_scopes = st.none() | project_scopes | st.builds(TeamScope, team_id=places)


def users(user_id: UserId, email: st.SearchStrategy[str]) -> st.SearchStrategy[User]:
    """Users of this id."""
    return st.builds(
        User,
        id=st.just(user_id),
        email=email,
        display_name=names,
        avatar_url=st.sampled_from([None, "https://example.org/a.png"]),
        password_hash=st.none() | st.text(characters, max_size=20),
        is_active=st.booleans(),
        is_superuser=st.booleans(),
        is_verified=st.booleans(),
        epoch=st.integers(0, 9),
        created_at=instants,
        version=st.just(0),
    )


def api_tokens(token_id: ApiTokenId, user_id: st.SearchStrategy[UserId]) -> st.SearchStrategy[ApiToken]:
    """API tokens of this id."""
    return st.builds(
        ApiToken,
        id=st.just(token_id),
        user_id=user_id,
        name=names,
        description=st.text(characters, max_size=100),
        digest=st.binary(min_size=32, max_size=32),
        scopes=st.frozensets(actions),
        created_at=instants,
        expires_at=st.none() | instants,
        revoked_at=st.none() | instants,
        last_used_at=st.none() | instants,
    )


def teams(team_id: TeamId) -> st.SearchStrategy[Team]:
    """Teams of this id."""
    return st.builds(
        Team,
        id=st.just(team_id),
        name=st.sampled_from(["Research", "research", "\u00c4rzte"]),
        description=st.text(characters, max_size=100),
        created_at=instants,
        version=st.just(0),
    )
