"""Use cases of hypotheses over in-memory adapters."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles import SilentScalars
from tests.factories import new_id
from tests.hypothesis_cases import TARGETS, seeds
from tests.service.conftest import House
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.hypothesis import BaselineRule, HypothesisStatus, Target
from tracker.domain.hypotheses.service import HypothesisService
from tracker.domain.hypotheses.tails.service import SeriesTails
from tracker.domain.hypotheses.verdicts.service import Verdicts
from tracker.domain.identity.actor import Access, Actor
from tracker.domain.identity.roles import Role
from tracker.domain.ids import BatchId, ExperimentId, ProjectId, SavedQueryId
from tracker.domain.projects.project import Direction, MetricDefinition, Project
from tracker.domain.scalars.record import ScalarRecord, batch_of
from tracker.domain.scalars.series import Series, SeriesSummary
from tracker.domain.statistics.spread import mad


@pytest.fixture
async def project(house: House) -> Project:
    metrics = (MetricDefinition(name="acc"), MetricDefinition(name="loss", direction=Direction.MINIMIZE))
    return await house.projects.create(house.actor, name="digits", metrics=metrics)


async def test_a_status_that_a_client_sends_back_unchanged_decides_nothing(
    house: House, project: Project
) -> None:
    made = await house.hypotheses.create(
        house.actor, project.id, title="a", targets=TARGETS, status=HypothesisStatus.PROPOSED
    )
    same = await house.hypotheses.edit(house.actor, made.id, title="b", status=HypothesisStatus.PROPOSED)
    assert (same.hypothesis.title, same.hypothesis.decision) == ("b", None)
    house.clock.advance(hours=1)
    other = await house.hypotheses.edit(house.actor, made.id, status=HypothesisStatus.REFUTED)
    decision = other.hypothesis.decision
    assert decision is not None
    assert (decision.status, decision.reason, decision.computed) == (
        HypothesisStatus.REFUTED, "", HypothesisStatus.PROPOSED,
    )  # fmt: skip
    assert other.hypothesis.updated_at == house.clock.now()
    again = await house.hypotheses.edit(house.actor, made.id, status=HypothesisStatus.REFUTED)
    assert len(await house.hypotheses.decisions(house.actor, again.id)) == 1
    why = {"status": HypothesisStatus.REFUTED, "status_reason": "twice is better"}
    await house.hypotheses.edit(house.actor, made.id, **why)
    assert len(await house.hypotheses.decisions(house.actor, again.id)) == 2


async def test_a_hypothesis_may_be_decided_from_the_start(house: House, project: Project) -> None:
    made = await house.hypotheses.create(
        house.actor, project.id, title="a", status=HypothesisStatus.SUPPORTED, status_reason="known"
    )
    assert (made.status, made.computed_status) == (HypothesisStatus.SUPPORTED, HypothesisStatus.PROPOSED)
    with pytest.raises(Invalid):
        await house.hypotheses.create(
            house.actor, project.id, title="b", status=HypothesisStatus.SUPPORTED, status_reason="x" * 1001
        )
    assert len(await house.hypotheses.list(house.actor, project.id)) == 1


async def test_the_computed_verdict_stays_beside_the_decided_one(house: House, project: Project) -> None:
    base = await seeds(house, project, 8, [0.5])
    wide = await seeds(house, project, 64, [0.9])
    made = await house.hypotheses.create(
        house.actor, project.id, title="a", targets=TARGETS, baseline=base[0].id, experiments=(wide[0].id,)
    )
    await house.hypotheses.decide(house.actor, made.id, HypothesisStatus.INCONCLUSIVE, "one seed")
    shown = await house.hypotheses.get(house.actor, made.id)
    assert (shown.status, shown.computed_status) == (
        HypothesisStatus.INCONCLUSIVE, HypothesisStatus.SUPPORTED,
    )  # fmt: skip
    counts = await house.hypotheses.counts(house.actor, project.id)
    assert counts == {HypothesisStatus.INCONCLUSIVE: 1}
    evidence = await house.hypotheses.evidence(house.actor, made.id)
    assert "chance alone may say the same" in evidence.why


async def test_names_of_targets_keep_what_is_known_of_those_that_stay(house: House, project: Project) -> None:
    acc = Target(name="acc", weight=3.0, direction=Direction.MINIMIZE)
    made = await house.hypotheses.create(house.actor, project.id, title="a", targets=(acc,))
    edited = await house.hypotheses.edit(house.actor, made.id, target_names=("loss", "acc", "loss"))
    assert edited.hypothesis.targets == (Target(name="loss"), acc)


async def test_decisions_and_deletions_are_in_the_audit_log(house: House, project: Project) -> None:
    made = await house.hypotheses.create(house.actor, project.id, title="wider")
    await house.hypotheses.decide(house.actor, made.id, HypothesisStatus.REFUTED, "seen by eye")
    await house.hypotheses.decide(house.actor, made.id, None, "no")
    await house.hypotheses.delete(house.actor, made.id)
    async with house.units.reading() as unit:
        entries = [e for e in await unit.audit.list(projects=[project.id]) if e.kind == "hypothesis"]
    assert [(e.what, dict(e.detail)) for e in entries] == [
        ("hypothesis.decide", {"status": "refuted", "computed": "proposed"}),
        ("hypothesis.decide", {"status": "computed", "computed": "proposed"}),
        ("hypothesis.delete", {"title": "wider"}),
    ]
    assert {e.key for e in entries} == {str(made.id)}


async def test_recent_ones_of_several_projects_are_those_one_may_see(house: House, project: Project) -> None:
    other = await house.projects.create(house.actor, name="other")
    made = []
    for home in (project, other, project):
        house.clock.advance(seconds=1)
        made.append(await house.hypotheses.create(house.actor, home.id, title="a"))
    assert [h.id for h in await house.hypotheses.recent(house.actor)] == [h.id for h in made[::-1]]
    viewer = Actor(user_id=new_id(), access=Access(projects={project.id: Role.VIEWER}))
    assert [h.id for h in await house.hypotheses.recent(viewer)] == [made[2].id, made[0].id]
    assert [h.id for h in await house.hypotheses.recent(viewer, limit=1)] == [made[2].id]
    with pytest.raises(NotFound):
        await house.hypotheses.recent(viewer, project_id=other.id)
    with pytest.raises(NotFound):
        await house.hypotheses.get(viewer, made[1].id)


async def test_saved_queries_link_whatever_they_find_now(house: House, project: Project) -> None:
    base = await seeds(house, project, 8, [0.5])
    query = (await house.search.save_query(house.actor, project.id, name="q", filter="params.width = 64")).id
    made = await house.hypotheses.create(
        house.actor, project.id, title="a", targets=TARGETS, baseline=base[0].id, queries=(query,)
    )
    assert made.status is HypothesisStatus.PROPOSED
    wide = await seeds(house, project, 64, [0.9, 0.8])
    shown = await house.hypotheses.get(house.actor, made.id)
    assert shown.status is HypothesisStatus.SUPPORTED
    assert shown.headline is not None and shown.headline.n == 2
    linked = await house.links.link(house.actor, made.id, [wide[0].id])
    assert linked.headline is not None and linked.headline.n == 2  # twice linked is linked
    without = await house.links.unlink_query(house.actor, made.id, query)
    assert without.headline is not None and without.headline.n == 1
    elsewhere = await house.projects.create(house.actor, name="other")
    other = await house.search.save_query(house.actor, elsewhere.id, name="q")
    for absent in (SavedQueryId(new_id()), other.id):
        with pytest.raises(NotFound, match=f"query {absent} not found"):
            await house.links.link_query(house.actor, made.id, absent)
    again = await house.links.link_query(house.actor, made.id, query)
    assert again.hypothesis.queries == (query,)
    await house.search.delete_query(house.actor, query)
    assert (await house.hypotheses.get(house.actor, made.id)).hypothesis.queries == ()


async def test_a_query_that_names_what_is_gone_finds_nothing(house: House, project: Project) -> None:
    (run,) = await seeds(house, project, 8, [0.5])
    query = await house.search.save_query(house.actor, project.id, name="q", filter='descendant_of("w8s0")')
    made = await house.hypotheses.create(house.actor, project.id, title="a", queries=(query.id,))
    await house.experiments.delete(house.actor, run.id)
    assert (await house.hypotheses.get(house.actor, made.id)).status is HypothesisStatus.PROPOSED


async def test_a_running_experiment_counts_by_the_last_point_of_its_series(
    house: House, project: Project
) -> None:
    (base,) = await seeds(house, project, 8, [0.5])
    run = await house.experiments.create(house.actor, project.id, name="r", status=Status.RUNNING)
    await house.scalars.log(house.actor, run.id, [ScalarRecord(step=1, values={"acc": 0.9})])
    await house.summaries.refresh()
    made = await house.hypotheses.create(
        house.actor, project.id, title="a", targets=TARGETS, baseline=base.id, experiments=(run.id,)
    )
    (unit,) = (await house.hypotheses.evidence(house.actor, made.id)).units
    assert (unit.value, unit.confidence) == (0.9, 0.25)
    await house.metrics.log(house.actor, run.id, "acc", 0.7)
    (unit,) = (await house.hypotheses.evidence(house.actor, made.id)).units
    assert unit.value == 0.7


async def test_a_store_of_scalars_that_is_silent_stops_nothing_else(house: House, project: Project) -> None:
    base = await seeds(house, project, 8, [0.5])
    (wide,) = await seeds(house, project, 64, [0.9])
    records = [ScalarRecord(step=i, values={"acc": float(i % 2)}) for i in range(100)]
    await house.scalars.log(house.actor, wide.id, records)
    made = await house.hypotheses.create(
        house.actor, project.id, title="a", targets=TARGETS, baseline=base[0].id, experiments=(wide.id,)
    )
    (unit,) = (await house.hypotheses.evidence(house.actor, made.id)).units
    assert unit.stability < 1
    silent = Verdicts(SeriesTails(SilentScalars()), house.clock)  # type: ignore[arg-type]
    service = HypothesisService(house.units, house.clock, house.ids, silent)
    evidence = await service.evidence(house.actor, made.id)
    assert evidence.units[0].stability == 1
    assert "could not be read" in evidence.why
    assert (await service.get(house.actor, made.id)).status is HypothesisStatus.SUPPORTED


class CountingStore(MemoryScalarStore):
    """Counts the reads."""

    reads = 0

    async def read(self, *args: Any, **more: Any) -> Series:
        self.reads += 1
        return await super().read(*args, **more)


class AskedStore(MemoryScalarStore):
    """Remembers of which series it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[set[ExperimentId], set[str]]] = []

    async def summary(
        self,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        self.asked.append((set(experiments or ()), set(names or ())))
        return await super().summary(project_id, experiments, names)


async def test_only_series_of_runs_that_are_judged_by_their_metric_are_read() -> None:
    house = House(store=AskedStore())
    project = await house.projects.create(house.actor, name="digits")
    base, wide = await seeds(house, project, 8, [0.5]), await seeds(house, project, 64, [0.9, 0.8])
    planned = await house.experiments.create(house.actor, project.id, name="later")
    await house.metrics.log(house.actor, wide[1].id, "loss", 1.0)
    for metric, runs in (("acc", wide[:1]), ("loss", wide), ("f1", wide), ("acc", [planned]), ("acc", [])):
        await house.hypotheses.create(
            house.actor, project.id, title="a", targets=(Target(name=metric),), baseline=base[0].id,
            experiments=tuple(run.id for run in runs),
        )  # fmt: skip
    assert isinstance(house.store, AskedStore)
    house.store.asked.clear()
    await house.hypotheses.list(house.actor, project.id)
    assert house.store.asked == [({wide[0].id}, {"acc"}), ({wide[1].id}, {"loss"})]
    house.store.asked.clear()
    bare = await house.hypotheses.create(house.actor, project.id, title="b", experiments=(wide[0].id,))
    assert bare.status is HypothesisStatus.INCONCLUSIVE
    assert house.store.asked == []


points = st.lists(
    st.tuples(st.integers(-5, 400) | st.sampled_from([-(2**62), 2**62]), st.floats(width=32)), max_size=60
)


@given(points)
async def test_the_tail_is_the_last_tenth_of_the_finite_points(told: list[tuple[int, float]]) -> None:
    store, run, project = CountingStore(), ExperimentId(new_id()), ProjectId(new_id())
    records = [ScalarRecord(step=step, values={"acc": value}) for step, value in told]
    now = House().clock.now()
    if records:
        batch = batch_of(records, batch_id=BatchId(new_id()), experiment_id=run, now=now)
        await store.append(project, batch)
    finite = [value for _, value in sorted(told, key=lambda point: point[0]) if math.isfinite(value)]
    tails = SeriesTails(store)
    expected = {(run, "acc"): mad(finite[-math.ceil(len(finite) / 10) :])} if finite else {}
    assert await tails(project, [run], ["acc", "loss"]) == expected
    reads = store.reads
    assert await tails(project, [run], ["acc"]) == expected
    assert store.reads == reads
    more = [ScalarRecord(step=2**62 + i, values={"acc": float(i)}) for i in range(200)]
    await store.append(project, batch_of(more, batch_id=BatchId(new_id()), experiment_id=run, now=now))
    after = finite + [float(i) for i in range(200)]
    fresh = await tails(project, [run], ["acc"])
    assert fresh == {(run, "acc"): mad(after[-math.ceil(len(after) / 10) :])}


async def test_a_tail_of_few_far_steps_is_read_on_until_it_is_whole() -> None:
    store, run, project = CountingStore(), ExperimentId(new_id()), ProjectId(new_id())
    steps = [*range(100), *range(10_000, 10_005)]
    records = [ScalarRecord(step=step, values={"acc": float(step % 7)}) for step in steps]
    now = House().clock.now()
    await store.append(project, batch_of(records, batch_id=BatchId(new_id()), experiment_id=run, now=now))
    expected = mad([float(step % 7) for step in steps[-11:]])
    assert await SeriesTails(store)(project, [run], ["acc"]) == {(run, "acc"): expected}
    assert store.reads > 1


async def test_replicates_are_what_the_project_says(house: House, project: Project) -> None:
    (base,) = await seeds(house, project, 8, [0.5])
    wide = [*await seeds(house, project, 64, [0.8]), *await seeds(house, project, 65, [0.9])]
    made = await house.hypotheses.create(
        house.actor, project.id, title="a", targets=TARGETS, baseline=base.id,
        experiments=tuple(run.id for run in wide),
    )  # fmt: skip
    assert len((await house.hypotheses.evidence(house.actor, made.id)).groups) == 2
    keys = project.settings.evolve(replicate_keys=("seed", "width"))
    await house.projects.edit(house.actor, project.id, settings=keys)
    evidence = await house.hypotheses.evidence(house.actor, made.id)
    assert evidence.groups == ()  # all are replicates of the baseline now


async def test_a_long_series_is_not_read_whole() -> None:
    class Measuring(MemoryScalarStore):
        longest = 0

        async def read(self, *args: Any, **more: Any) -> Series:
            series = await super().read(*args, **more)
            self.longest = max(self.longest, len(series))
            return series

    store, run, project = Measuring(), ExperimentId(new_id()), ProjectId(new_id())
    records = [ScalarRecord(step=i, values={"acc": float(i)}) for i in range(10_000)]
    now = House().clock.now()
    await store.append(project, batch_of(records, batch_id=BatchId(new_id()), experiment_id=run, now=now))
    assert await SeriesTails(store)(project, [run], ["acc"]) == {(run, "acc"): pytest.approx(250 * 1.4826)}
    assert 1000 <= store.longest < 1500


async def test_rules_name_the_baseline(house: House, project: Project) -> None:
    base = await seeds(house, project, 8, [0.5])
    wide = await seeds(house, project, 64, [0.9], parent_id=base[0].id)
    for rule in BaselineRule:
        made = await house.hypotheses.create(
            house.actor, project.id, title=rule.value, targets=TARGETS, baseline=rule,
            experiments=(wide[0].id,),
        )  # fmt: skip
        (group,) = (await house.hypotheses.evidence(house.actor, made.id)).groups
        assert group.baseline == (base[0].id,)
