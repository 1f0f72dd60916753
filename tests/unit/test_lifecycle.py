from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tracker.domain.errors import Invalid, InvalidTransition
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId, ProjectId

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
EVENING = NOON + timedelta(hours=6)


def planned(**fields: object) -> Experiment:
    defaults = {
        "id": ExperimentId(UUID(int=1)),
        "project_id": ProjectId(UUID(int=2)),
        "name": "1_baseline",
        "color": "#0072b2",
        "created_at": NOON,
    }
    return Experiment(**{**defaults, **fields})  # type: ignore[arg-type]


def test_started_at_is_set_once_and_completed_at_at_each_end() -> None:
    run = planned().start(at=NOON).fail(at=LATER)
    assert (run.status, run.started_at, run.completed_at) == (Status.FAILED, NOON, LATER)
    resumed = run.start(at=EVENING)
    assert (resumed.started_at, resumed.completed_at) == (NOON, None)
    assert resumed.complete(at=EVENING).completed_at == EVENING


def test_an_experiment_judged_without_running_has_no_start() -> None:
    judged = planned().complete(at=LATER)
    assert (judged.started_at, judged.completed_at) == (None, LATER)


@pytest.mark.parametrize("begun", [Status.RUNNING, Status.COMPLETE, Status.FAILED])
def test_nothing_that_has_begun_becomes_planned_again(begun: Status) -> None:
    with pytest.raises(InvalidTransition, match=f"is {begun} cannot become planned"):
        planned().become(begun, at=NOON).become(Status.PLANNED, at=LATER)


@pytest.mark.parametrize("status", list(Status))
def test_becoming_what_it_is_changes_nothing(status: Status) -> None:
    run = planned().become(status, at=NOON)
    assert run.become(status, at=EVENING) is run


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", "a\x00b"),
        ("name", "\ud800"),
        ("description", "x" * 1001),
        ("color", "red"),
        ("progress", 100.5),
        ("progress", float("nan")),
        ("position", -1),
        ("tags", ("a", "a")),
        ("features", {"lr": float("inf")}),
        ("features", {"big": 2**63}),
        ("features", []),
        ("params", {"layers": [1, 2]}),
        ("created_at", datetime(2026, 1, 1)),  # noqa: DTZ001
        ("colour", "#000000"),
    ],
)
def test_a_broken_rule_names_its_field(field: str, value: object) -> None:
    with pytest.raises(Invalid) as caught:
        planned(**{field: value})
    assert caught.value.problems[0].loc[0] == field
    assert field in caught.value.detail


def test_params_are_flat_under_dotted_names_and_nothing_inside_can_change() -> None:
    run = planned(params={"opt": {"lr": 0.1, "name": "sgd"}}, features={"layers": [{"n": 1}]})
    assert dict(run.params) == {"opt.lr": 0.1, "opt.name": "sgd"}
    with pytest.raises(TypeError):
        run.features["layers"] = 1  # type: ignore[index]
    assert isinstance(run.features["layers"], tuple)


def test_deep_features_are_refused_before_they_exhaust_the_stack() -> None:
    tree: dict[str, object] = {}
    for _ in range(100):
        tree = {"deeper": tree}
    with pytest.raises(Invalid, match="64 levels"):
        planned(features=tree)
