"""What holds of evidence whatever the project."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.evidence_worlds import World, eid
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.facts import ExperimentRow
from tracker.domain.hypotheses.hypothesis import BaselineRule, HypothesisStatus, Target
from tracker.domain.projects.project import Direction

# On a grid, so that sums, shifts and medians are exact where the law says nothing of rounding.
values = st.integers(-(2**20), 2**20).map(lambda n: n / 1024)
statuses = st.sampled_from([Status.COMPLETE, Status.COMPLETE, Status.COMPLETE, *Status])
names = st.sampled_from(["acc", "loss"])
rules = st.sampled_from([*BaselineRule, eid(1), eid(2), eid(99)])
NEAR = 1e-9
OPPOSITE = {
    HypothesisStatus.SUPPORTED: HypothesisStatus.REFUTED,
    HypothesisStatus.REFUTED: HypothesisStatus.SUPPORTED,
}


@st.composite
def worlds(draw: st.DrawFn, rule: st.SearchStrategy[object] = rules) -> World:
    """Projects of a few recipes with some seeds each, of which some are linked. In half of them all runs
    are complete and have values, and whole recipes are linked: there are the intervals."""
    calm = draw(st.booleans())
    count = draw(st.integers(6, 14) if calm else st.integers(1, 14))
    kinds = draw(st.integers(2, 3) if calm else st.integers(1, 4))
    logs = values if calm else st.none() | values | st.sampled_from([math.nan, math.inf])
    rows, logged, tails = [], {}, {}
    for number in range(1, count + 1):
        parent = draw(st.none() | st.integers(1, number - 1)) if number > 1 else None
        rows.append(
            ExperimentRow(
                eid(number), str(number), Status.COMPLETE if calm else draw(statuses),
                None if parent is None else eid(parent), {"recipe": number % kinds}, {"seed": number},
            )
        )  # fmt: skip
        for name in ("acc", "loss"):
            value = draw(logs)
            if value is not None:
                logged[eid(number), name, None] = value
            if draw(st.booleans()):
                tails[eid(number), name] = draw(st.floats(0, 100))
    targets = draw(
        st.lists(
            st.builds(
                Target, name=names, label=st.none(), direction=st.sampled_from(Direction),
                weight=st.floats(0.01, 100),
            ),
            max_size=2, unique_by=lambda target: target.name,
        )
    )  # fmt: skip
    linked = draw(st.frozensets(st.integers(1, count).map(eid)))
    if calm:
        recipes = draw(st.frozensets(st.integers(0, kinds - 1)))
        linked = frozenset(row.id for row in rows if row.features["recipe"] in recipes)
    return World(
        tuple(rows), logged, linked, tails, tuple(targets), {"baseline": draw(rule), "threshold": 0.2}
    )


def swapped(target: Target) -> Target:
    other = Direction.MINIMIZE if target.direction is Direction.MAXIMIZE else Direction.MAXIMIZE
    return target.evolve(direction=other)


def signs(evidence: Evidence, sign: int) -> list[object]:
    """Everything that a swap of the direction turns over, turned over by `sign`."""

    def turned(bounds: tuple[float, float] | None) -> object:
        return bounds if bounds is None or sign > 0 else (-bounds[1], -bounds[0])

    def times(value: float | None) -> float | None:
        return None if value is None else sign * value

    return [
        times(evidence.score),
        [(times(unit.delta), times(unit.normalized), times(unit.score)) for unit in evidence.units],
        [(times(group.effect), turned(group.interval), group.p) for group in evidence.groups],
        [(times(each.effect), turned(each.interval), each.p, each.level) for each in evidence.targets],
    ]


@given(worlds(st.sampled_from([BaselineRule.ROOT, BaselineRule.PARENT, eid(1)])))
def test_swapping_the_direction_flips_every_sign(world: World) -> None:
    one = world.judged()
    other = world.judged(targets=tuple(swapped(target) for target in world.targets))
    assert signs(one, 1) == signs(other, -1)
    assert other.computed_status is OPPOSITE.get(one.computed_status, one.computed_status)


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_experiments_does_not_matter(world: World, shuffle: object) -> None:
    rows, told = list(world.rows), list(world.values.items())
    shuffle.shuffle(rows)  # type: ignore[attr-defined]
    shuffle.shuffle(told)  # type: ignore[attr-defined]
    assert world.judged() == world.judged(rows=tuple(rows), values=dict(told))


def close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=NEAR, abs_tol=NEAR)


def assert_same_verdict(one: Evidence, other: Evidence, factor: float) -> None:
    assert close(one.score, other.score)
    assert len(one.units) == len(other.units)
    for first, second in zip(one.units, other.units, strict=True):
        assert close(first.normalized, second.normalized) and close(first.confidence, second.confidence)
        assert close(first.delta * factor, second.delta) or abs(first.delta) * factor > 1e9
    for first, second in zip(one.targets, other.targets, strict=True):
        assert close(first.p, second.p)
        assert (first.interval is None) == (second.interval is None)
    edge = one.score is not None and abs(abs(one.score) - one.threshold) < NEAR
    bounds = [bound for each in one.targets if each.interval for bound in each.interval]
    if not edge and all(abs(bound) > 1e-6 for bound in bounds):
        assert one.computed_status is other.computed_status


@given(worlds(), st.sampled_from([1 / 1000, 1 / 8, 0.3, 3.0, 1000.0]))
def test_the_unit_of_a_metric_does_not_matter(world: World, factor: float) -> None:
    one = world.judged()
    # Where the scale is |b| the floor of 1e-12 has no unit: a baseline of 0 is left to its own test.
    assume(all(unit.scale > 1e-9 for unit in one.units))
    other = world.judged(
        values={key: factor * value for key, value in world.values.items()},
        tails={key: factor * tail for key, tail in world.tails.items()},
    )
    assert_same_verdict(one, other, factor)


@given(worlds(), st.integers(-(2**20), 2**20).map(lambda n: n / 1024))
def test_where_the_mad_is_the_scale_a_shift_does_not_matter(world: World, shift: float) -> None:
    complete = {row.id for row in world.rows if row.status is Status.COMPLETE}
    for target in world.targets:
        known = [world.values.get((each, target.name, None), math.nan) for each in complete]
        finite = sorted(value for value in known if math.isfinite(value))
        assume(len(finite) >= 4)
        middle = (finite[(len(finite) - 1) // 2] + finite[len(finite) // 2]) / 2
        apart = sorted(abs(value - middle) for value in finite)
        assume(apart[(len(apart) - 1) // 2] + apart[len(apart) // 2] > 0)
    other = world.judged(values={key: value + shift for key, value in world.values.items()})
    assert_same_verdict(world.judged(), other, 1.0)


@given(st.lists(values, min_size=4, max_size=8), st.lists(values, min_size=1, max_size=6), st.integers(1, 6))
def test_a_group_equal_to_its_baseline_never_strengthens_the_evidence(
    others: list[float], changed: list[float], equal: int
) -> None:
    world = World().with_runs([1.0, 1.0, 1.0], recipe="baseline")
    for index, value in enumerate(others):
        world = world.with_runs([value], recipe=f"other {index}")
    world = world.with_runs(changed, recipe="changed", linked=True)
    # It runs, so that it is no part of the spread: the law is about fixed scales.
    more = world.with_runs([1.0] * equal, recipe="equal", linked=True, status=Status.RUNNING)
    before, after = world.judged().score, more.judged().score
    assert before is not None and after is not None
    assert abs(after) <= abs(before)
    assert after == 0 or (after > 0) == (before > 0)


@given(worlds())
def test_every_number_is_where_it_belongs(world: World) -> None:
    evidence = world.judged()
    assert evidence.score is None or -1 < evidence.score < 1
    for unit in evidence.units:
        assert -1 <= unit.normalized <= 1 and 0 <= unit.confidence < 1 and unit.scale > 0
    for one in (*evidence.targets, *evidence.groups):
        if one.interval is not None:
            low, high = one.interval
            assert low <= one.effect <= high and one.n >= 3 and 0 <= one.p <= 1
    said = {unit.experiment_id for unit in evidence.units} | {e.experiment_id for e in evidence.left_out}
    assert said == (set(world.linked) if world.targets else set())
    assert evidence.why and evidence.why.endswith(".")
    assert "nan" not in evidence.why.lower()


@given(worlds())
def test_a_claim_never_contradicts_an_interval(world: World) -> None:
    evidence = world.judged()
    bounds = [each.interval for each in evidence.targets if each.interval]
    if evidence.computed_status is HypothesisStatus.SUPPORTED:
        assert evidence.score is not None and evidence.score > 0.2
        assert all(high >= 0 for _, high in bounds) and (not bounds or any(low > 0 for low, _ in bounds))
    if evidence.computed_status is HypothesisStatus.REFUTED:
        assert evidence.score is not None and evidence.score < -0.2
        assert all(low <= 0 for low, _ in bounds) and (not bounds or any(high < 0 for _, high in bounds))


@given(worlds())
def test_nothing_but_links_ends_and_baselines_decides_between_the_other_verdicts(world: World) -> None:
    evidence = world.judged(hypothesis={**world.hypothesis, "threshold": 0.999999})
    linked = [row.status for row in world.rows if row.id in world.linked]
    if evidence.computed_status in OPPOSITE:
        return
    if all(status is Status.PLANNED for status in linked):
        assert evidence.computed_status is HypothesisStatus.PROPOSED
    elif all(status.has_ended for status in linked):
        assert evidence.computed_status is HypothesisStatus.INCONCLUSIVE
    else:
        assert evidence.computed_status is HypothesisStatus.TESTING
    assert replace(world, linked=frozenset()).judged().status is HypothesisStatus.PROPOSED
