"""Evidence by cases: what the laws leave open."""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from tests.evidence_worlds import World, eid
from tests.factories import a_hypothesis, a_project
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.evidence import Absence, Evidence
from tracker.domain.hypotheses.facts import ExperimentRow, Facts, Measure, measure_of
from tracker.domain.hypotheses.hypothesis import BaselineRule, HypothesisStatus, Target
from tracker.domain.projects.project import Direction, MetricDefinition

UP = Measure("acc", None, Direction.MAXIMIZE, 1.0)


def reasons(evidence: Evidence) -> list[tuple[int, Absence]]:
    return [(one.experiment_id.int, one.reason) for one in evidence.left_out]


def test_replicates_differ_in_replicate_keys_only() -> None:
    def row(number: int, features: dict[str, Any], **params: object) -> ExperimentRow:
        return ExperimentRow(
            eid(number), "", Status.COMPLETE, None, MappingProxyType(features), MappingProxyType(params)
        )

    rows = [
        row(1, {"net": {"width": 1, "init": {"seed": 1}}}, lr=1, seed=1),
        row(2, {"net": {"width": 1, "init": {"seed": 2}}}, lr=1, seed=2),
        row(3, {"net": {"width": 1.0, "init": {"seed": 1}}}, lr=1, seed=1),
        row(4, {"net": {"width": True, "init": {"seed": 1}}}, lr=1),
        row(5, {"net": {"width": 1, "init": {"seed": 1}}}, lr=2, seed=1),
    ]
    facts = Facts(rows, {}, replicate_keys=("seed", "net.init"))
    assert facts.replicates(eid(2)) == (eid(1), eid(2))
    assert [len(facts.replicates(eid(n))) for n in (3, 4, 5)] == [1, 1, 1]
    only_seed = Facts(rows, {})
    assert not only_seed.are_replicates(eid(1), eid(2))


def test_a_target_takes_what_it_leaves_open_from_the_project() -> None:
    loss = MetricDefinition(name="loss", direction=Direction.MINIMIZE, label="val")
    test = MetricDefinition(name="acc", label="test", direction=Direction.MINIMIZE)
    plain = MetricDefinition(name="acc")
    tracked = (loss, test, plain)
    assert measure_of(Target(name="loss", weight=2), tracked) == ("loss", "val", Direction.MINIMIZE, 2.0)
    assert measure_of(Target(name="acc"), tracked) == ("acc", None, Direction.MAXIMIZE, 1.0)
    assert measure_of(Target(name="acc", label="test"), tracked)[1:3] == ("test", Direction.MINIMIZE)
    assert measure_of(Target(name="acc", label="other"), tracked)[1:3] == ("other", Direction.MAXIMIZE)
    assert measure_of(Target(name="loss", direction=Direction.MAXIMIZE), tracked)[2] is Direction.MAXIMIZE
    assert measure_of(Target(name="f1"), tracked) == ("f1", None, Direction.MAXIMIZE, 1.0)


BASE = World().with_runs([1.0, 1.2, 0.8], recipe="base")


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (BASE.with_runs([9.0], recipe="x", linked=True, status=Status.PLANNED), (4, Absence.NOT_STARTED)),
        (BASE.with_runs([None], recipe="x", linked=True), (4, Absence.NO_VALUE)),
        (BASE.with_runs([math.nan], recipe="x", linked=True), (4, Absence.NO_VALUE)),
        (replace(BASE, linked=frozenset({eid(2)})), (2, Absence.OWN_BASELINE)),
    ],
)
def test_what_cannot_be_compared_is_left_out_and_says_why(
    world: World, expected: tuple[int, Absence]
) -> None:
    evidence = world.judged()
    assert reasons(evidence) == [expected]
    assert (evidence.units, evidence.score, evidence.headline) == ((), None, None)
    assert "Nothing could be compared yet." in evidence.why


def test_a_baseline_that_was_deleted_or_has_no_value_is_named() -> None:
    world = BASE.with_runs([2.0], recipe="x", linked=True)
    gone = world.judged(hypothesis={"baseline": eid(77)})
    assert reasons(gone) == [(4, Absence.BASELINE_DELETED)]
    assert "which was deleted" in gone.why
    empty = World().with_runs([None, None], recipe="base").with_runs([1.0], recipe="x", linked=True)
    assert reasons(empty.judged()) == [(3, Absence.BASELINE_WITHOUT_VALUE)]
    assert gone.computed_status is empty.judged().computed_status is HypothesisStatus.INCONCLUSIVE


def test_the_parent_is_the_nearest_ancestor_that_is_no_replicate() -> None:
    rows = [(1, None, "base"), (2, 1, "wide"), (3, 2, "wide"), (4, 3, "wide"), (5, 4, "deep")]
    world = World(
        tuple(
            ExperimentRow(
                eid(n), str(n), Status.COMPLETE, None if up is None else eid(up), {}, {"r": kind, "seed": n}
            )
            for n, up, kind in rows
        ),
        {(eid(n), "acc", None): float(n) for n, _, _ in rows},
        frozenset(eid(n) for n in range(1, 6)),
        hypothesis={"baseline": BaselineRule.PARENT},
    )
    evidence = world.judged()
    assert [(g.experiments[0].int, g.n, g.baseline[0].int, len(g.baseline)) for g in evidence.groups] == [
        (2, 3, 1, 1), (5, 1, 2, 3),
    ]  # fmt: skip
    assert reasons(evidence) == [(1, Absence.NO_PARENT)]
    root = world.judged(hypothesis={"baseline": BaselineRule.ROOT})
    assert {unit.baseline for unit in root.units} == {1.0}
    assert reasons(root) == [(1, Absence.OWN_BASELINE)]


def test_the_best_is_sought_among_complete_ones_that_are_no_replicates_of_linked_ones() -> None:
    world = World(targets=(Target(name="acc", direction=Direction.MINIMIZE),))
    world = world.with_runs([3.0, 2.0], recipe="a").with_runs([2.0], recipe="b")
    world = world.with_runs([1.0], recipe="running", status=Status.RUNNING)
    world = world.with_runs([0.5], recipe="x", linked=True).with_runs([0.1], recipe="x")
    best = {"baseline": BaselineRule.BEST}
    (group,) = world.judged(hypothesis=best).groups
    assert group.baseline == (eid(1), eid(2))  # its replicates too; of equals the oldest
    assert group.effect == 2.0
    alone = World().with_runs([1.0], recipe="x", linked=True)
    assert reasons(alone.judged(hypothesis=best)) == [(1, Absence.NO_BASELINE)]


def test_complete_replicates_count_and_running_ones_only_while_there_are_none() -> None:
    running = World().with_runs([1.0], recipe="base", status=Status.RUNNING)
    running = running.with_runs([2.0], recipe="x", linked=True, status=Status.RUNNING)
    evidence = running.judged()
    (group,) = evidence.groups
    assert (group.effect, group.n) == (1.0, 1)
    assert evidence.units[0].confidence == 0.5 * 0.5
    more = replace(running, linked=running.linked).with_runs([5.0], recipe="x", linked=True)
    (group,) = more.judged().groups
    assert (group.effect, group.n) == (4.0, 1)
    assert [unit.replication for unit in more.judged().units] == [2 / 3, 2 / 3]


def test_a_failed_run_counts_as_evidence_of_nothing_whether_or_not_it_has_a_value() -> None:
    good = BASE.with_runs([5.0], recipe="x", linked=True)
    score = good.judged().score
    for value in (9.0, math.nan, None):
        failed = good.with_runs([value], recipe="x", linked=True, status=Status.FAILED)
        assert failed.judged().score == pytest.approx(score / 2)  # type: ignore[operator]
    only = BASE.with_runs([5.0], recipe="x", linked=True, status=Status.FAILED).judged()
    assert (only.score, only.computed_status) == (0.0, HypothesisStatus.INCONCLUSIVE)
    assert only.groups[0].effect is None and only.headline is None


def test_identical_values_give_a_point_for_an_interval() -> None:
    flat = World().with_runs([1.0] * 3, recipe="base").with_runs([1.5] * 3, recipe="x", linked=True)
    (target,) = flat.judged().targets
    assert (target.interval, target.p) == ((0.5, 0.5), 0.0)
    assert flat.judged().computed_status is HypothesisStatus.SUPPORTED


def test_an_interval_that_includes_zero_stops_a_strong_score() -> None:
    world = World().with_runs([1.0, 2.0, 3.0, 2.0], recipe="base")
    weak = world.with_runs([2.0, 2.9, 4.0, 3.4], recipe="x", linked=True)
    evidence = weak.judged()
    assert evidence.score is not None and evidence.score > 0.2
    assert evidence.computed_status is HypothesisStatus.INCONCLUSIVE
    assert "but the intervals do not say the same" in evidence.why and "includes 0" in evidence.why


def test_one_target_above_zero_and_one_below_support_nothing() -> None:
    targets = (Target(name="acc", weight=10), Target(name="loss", direction=Direction.MINIMIZE))
    world = World(targets=targets).with_runs([1.0, 1.1, 0.9], recipe="base")
    world = world.with_runs([9.0, 9.1, 8.9], recipe="x", linked=True)
    losses = {(eid(n), "loss", None): value for n, value in enumerate((1.0, 1.1, 0.9, 5.0, 5.1, 4.9), 1)}
    evidence = world.judged(values={**world.values, **losses})
    assert [target.effect > 0 for target in evidence.targets if target.effect] == [True, False]
    assert evidence.score is not None and evidence.score > 0.2
    assert evidence.computed_status is HypothesisStatus.INCONCLUSIVE
    assert [target.level for target in evidence.targets] in ([0.975, 0.95], [0.95, 0.975])


def test_groups_that_share_a_baseline_share_its_noise() -> None:
    world = World().with_runs([1.0, 2.0, 3.0], recipe="base")
    for kind in ("x", "y"):
        world = world.with_runs([4.0, 5.0, 6.0], recipe=kind, linked=True)
    evidence = world.judged()
    (target,) = evidence.targets
    assert (target.effect, target.n, target.baseline_n) == (3.0, 6, 3)
    low, high = target.interval  # type: ignore[misc]
    # Variances: 1 / 3 of the baseline's mean, 2 x 1 / 4 / 3 = 1 / 6 of the groups': half, not a quarter.
    freedom = 0.5**2 / ((1 / 3) ** 2 / 2 + 2 * (1 / 12) ** 2 / 2)
    assert freedom == pytest.approx(4.0)
    assert high - low == pytest.approx(2 * 2.776445105 * math.sqrt(0.5))


def test_groups_count_by_their_size_in_the_effect_as_in_the_score() -> None:
    world = World().with_runs([0.0, 0.1, -0.1], recipe="base")
    world = world.with_runs([1.0, 1.1, 0.9], recipe="x", linked=True)
    world = world.with_runs([4.0, 4.1, 3.9, 4.0, 4.1, 3.9], recipe="y", linked=True)
    evidence = world.judged()
    (target,) = evidence.targets
    assert target.effect == pytest.approx((3 * 1.0 + 6 * 4.0) / 9)
    small, large = evidence.groups
    assert evidence.score == pytest.approx((3 * small.score + 6 * large.score) / 9)


def test_a_group_s_interval_is_an_improvement_where_less_is_better() -> None:
    targets = (Target(name="acc", direction=Direction.MINIMIZE),)
    world = World(targets=targets).with_runs([5.0, 5.1, 4.9], recipe="base")
    (group,) = world.with_runs([1.0, 1.3, 0.7], recipe="x", linked=True).judged().groups
    assert group.interval is not None and group.effect == pytest.approx(4.0)
    low, high = group.interval
    assert 0 < low < 4.0 < high and high - 4.0 == pytest.approx(4.0 - low)


def test_fewer_than_four_complete_runs_have_no_spread_of_their_own() -> None:
    three = World().with_runs([10.0], recipe="base").with_runs([11.0, 12.0], recipe="x", linked=True)
    assert {unit.scale for unit in three.judged().units} == {10.0}
    four = three.with_runs([20.0], recipe="other")
    assert {unit.scale for unit in four.judged().units} == {1.4826}
    same = three.with_runs([12.0] * 9, recipe="other")
    assert {unit.scale for unit in same.judged().units} == {10.0}  # the deviation is 0


def test_without_targets_or_links_it_says_so() -> None:
    assert "names no target metric" in BASE.judged(targets=()).why
    assert BASE.judged().why == "No experiment is linked to it."


def test_values_at_the_ends_of_the_floats_are_judged_all_the_same() -> None:
    world = World().with_runs([-1.7e308], recipe="base").with_runs([1.7e308], recipe="x", linked=True)
    (unit,) = world.judged().units
    assert (unit.delta, unit.normalized) == (math.inf, pytest.approx(math.tanh(2)))
    zero = World().with_runs([0.0], recipe="base").with_runs([1e-300, 0.0], recipe="x", linked=True)
    assert [unit.scale for unit in zero.judged().units] == [1e-12, 1e-12]
    assert zero.judged().units[0].normalized == pytest.approx(1e-288)


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""}, {"title": "x" * 201}, {"title": "\x00"}, {"description": "x" * 1001},
        {"threshold": 0.0}, {"threshold": 1.0}, {"alpha": math.nan}, {"baseline": "nonsense"},
        {"targets": (Target(name="a"), Target(name="a"))},
    ],
)  # fmt: skip
def test_a_hypothesis_keeps_its_rules(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        a_hypothesis(a_project(), **fields)


@pytest.mark.parametrize("weight", [0, -1, math.inf, 1e7])
def test_a_weight_is_a_positive_number(weight: float) -> None:
    with pytest.raises(Invalid):
        Target(name="a", weight=weight)


def test_links_are_kept_by_id_and_unlinking_what_is_not_linked_is_refused() -> None:
    one = a_hypothesis(a_project())
    linked = one.link((eid(3), eid(1)), at=one.created_at).link((eid(3),), at=one.created_at)
    assert linked.experiments == (eid(1), eid(3))
    assert linked.unlink(eid(1), at=one.created_at).experiments == (eid(3),)
    with pytest.raises(NotFound):
        linked.unlink(eid(2), at=one.created_at)
