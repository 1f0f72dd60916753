from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tracker.domain.errors import Conflict, Invalid, InvalidTransition
from tracker.domain.experiments.ending import LONGEST_REASON, EndKind, shortened
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
        ("end_reason", ""),
        ("end_reason", "x" * 2001),
        ("end_reason", "a\x00b"),
        ("end_kind", "tired"),
        ("run_key", "no uuid"),
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


def test_what_made_a_run_fail_is_forgotten_when_it_runs_again_or_completes() -> None:
    failed = planned().start(at=NOON).fail(at=LATER, kind=EndKind.EXCEPTION, reason="ValueError: no")
    assert (failed.end_kind, failed.end_reason) == (EndKind.EXCEPTION, "ValueError: no")
    for again in (failed.start(at=EVENING), failed.complete(at=EVENING), failed.resume(at=EVENING)):
        assert (again.end_kind, again.end_reason) == (None, None)


def test_a_run_that_failed_can_be_told_a_better_reason() -> None:
    failed = planned().start(at=NOON).lost(at=LATER)
    told = failed.edited(at=EVENING, end_kind=EndKind.OUT_OF_MEMORY, end_reason="the kernel says so")
    assert (told.end_kind, told.completed_at) == (EndKind.OUT_OF_MEMORY, LATER)


@pytest.mark.parametrize("status", [None, Status.RUNNING, Status.COMPLETE])
@pytest.mark.parametrize("told", [{"end_kind": EndKind.KILLED}, {"end_reason": "why"}])
def test_only_a_run_that_failed_tells_how_it_ended(status: Status | None, told: dict[str, str]) -> None:
    with pytest.raises(Conflict, match=f"{next(iter(told))}: only a run that failed"):
        planned().edited(at=NOON, status=status, **told)
    assert planned().edited(at=NOON, status=status, end_kind=None, end_reason=None).end_kind is None


def test_a_beat_brings_back_what_was_lost_and_nothing_else() -> None:
    running = planned().start(at=NOON).beat(at=LATER)
    assert running.heartbeat_at == LATER
    lost = running.lost(at=EVENING)
    assert (lost.status, lost.end_kind) == (Status.FAILED, EndKind.LOST)
    assert lost.end_reason == "no heartbeat since 2026-01-01 13:00:00 UTC"
    assert lost.beat(at=EVENING) == running.beat(at=EVENING)
    killed = running.fail(at=EVENING, kind=EndKind.KILLED)
    for still in (planned(), killed, running.complete(at=EVENING)):
        assert still.beat(at=EVENING) is still
        assert still.lost(at=EVENING) is still


def test_a_run_that_begins_again_has_no_heartbeat_of_before() -> None:
    running = planned().start(at=NOON).beat(at=LATER)
    assert running.resume(at=EVENING).heartbeat_at is None
    assert running.lost(at=EVENING).start(at=EVENING).heartbeat_at is None
    assert running.fail(at=EVENING).heartbeat_at == LATER


@pytest.mark.parametrize("text", ["", "\x00", "x" * 5000, "a\ud800b", "Ä" * 2001, "ok"])
def test_any_text_can_be_made_a_reason(text: str) -> None:
    reason = planned().fail(at=NOON, reason=shortened(text)).end_reason
    assert reason is not None
    assert reason[:1] == text[:1] or "\x00" in text or not text
    assert len(reason) <= LONGEST_REASON
