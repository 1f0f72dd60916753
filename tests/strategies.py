"""Hypothesis strategies of entities. Each names every field: ``st.builds`` leaves out arguments that
have defaults, and a property test could then pass having tried nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId, MetricId, ProjectId
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import (
    Aggregation,
    Direction,
    MetricDefinition,
    Project,
    ProjectSettings,
)

__all__ = ["experiments", "instants", "json_trees", "metrics", "names", "params", "projects"]

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
            naming_pattern=st.sampled_from(["", "{num}_from_{parent}_{change}", "run-{num}"]),
            display_metrics=st.lists(names, max_size=3).map(tuple),
        ),
        created_at=instants,
        version=st.just(0),
    )


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
        features=json_trees,
        params=params,
        git_diff=st.none() | st.text(characters, max_size=200),
        color=st.from_regex(r"#[0-9a-f]{6}", fullmatch=True),
        position=st.integers(0, 2**31 - 1),
        tags=st.lists(names, max_size=4, unique=True).map(tuple),
        progress=st.floats(0, 100),
        created_at=instants,
        started_at=st.none() | instants,
        completed_at=st.none() | instants,
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
