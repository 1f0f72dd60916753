"""Use cases of comparing over in-memory adapters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOON, new_id
from tests.service.conftest import House
from tracker.domain.comparison.budgets.service import BudgetService
from tracker.domain.comparison.importance import Method
from tracker.domain.errors import Forbidden, Invalid, NotFound, QuerySyntax, Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import Access, Actor
from tracker.domain.identity.roles import Role
from tracker.domain.ids import BatchId, ExperimentId, UserId
from tracker.domain.projects.project import Direction, MetricDefinition, Project, ProjectSettings
from tracker.domain.scalars.record import ScalarRecord, batch_of
from tracker.domain.scalars.series import Axis

METRICS = (MetricDefinition(name="acc"), MetricDefinition(name="loss", direction=Direction.MINIMIZE))


@pytest.fixture
async def project(house: House) -> Project:
    return await house.projects.create(house.actor, name="digits", metrics=METRICS)


async def a_run(
    house: House, project: Project, name: str, metrics: dict[str, float] | None = None, **fields: Any
) -> Experiment:
    fields = {"status": Status.COMPLETE, **fields}
    run = await house.experiments.create(house.actor, project.id, name=name, **fields)
    for metric, value in (metrics or {}).items():
        await house.metrics.log(house.actor, run.id, metric, value)
    return run


def viewer(*projects: Project, scopes: frozenset[Action] | None = None) -> Actor:
    access = Access(projects={each.id: Role.VIEWER for each in projects})
    return Actor(user_id=UserId(new_id()), access=access, scopes=scopes)


async def log(
    house: House, run: Experiment, points: Sequence[tuple[int, float, float]], name: str = "loss"
) -> None:
    """Points by step, seconds since noon, and value."""
    rows = [
        ScalarRecord(step=step, values={"loss": value}, time=NOON + timedelta(seconds=seconds)).row()
        for step, seconds, value in points
    ]
    batch = batch_of(rows, batch_id=BatchId(new_id()), experiment_id=run.id, now=NOON)
    await house.store.append(run.project_id, batch)


# Side by side.


async def test_replicates_that_nobody_named_give_the_interval(house: House, project: Project) -> None:
    for seed, value in enumerate((0.90, 0.91, 0.92)):
        await a_run(house, project, f"a{seed}", {"acc": value}, params={"lr": 0.1, "seed": seed})
        await a_run(house, project, f"b{seed}", {"acc": value + 0.05}, params={"lr": 0.2, "seed": seed})
    await a_run(house, project, "failed", {"acc": 0.0}, params={"lr": 0.2, "seed": 9}, status=Status.FAILED)
    runs = {run.name: run for run in await house.experiments.list(house.actor, project.id)}
    found = await house.comparisons.compare(house.actor, [runs["b0"].id, runs["a0"].id], runs["a0"].id)
    assert [each.name for each in found.experiments] == ["b0", "a0"]
    assert found.metrics is not None
    contrast = found.metrics[0].cells[0].contrast
    assert contrast is not None and (contrast.n, contrast.baseline_n) == (3, 3)
    assert contrast.effect == pytest.approx(0.05) and contrast.low > 0
    assert [(row.name, row.values[runs["b0"].id]) for row in found.params] == [("lr", 0.2)]


async def test_what_a_project_lets_replicates_differ_in_decides(house: House) -> None:
    settings = ProjectSettings(replicate_keys=("fold",))
    project = await house.projects.create(house.actor, name="p", metrics=METRICS, settings=settings)
    runs = [
        await a_run(house, project, f"{lr}{fold}", {"acc": lr + fold}, params={"lr": lr, "fold": fold})
        for lr in (1, 2)
        for fold in (0, 1)
    ]
    found = await house.comparisons.compare(house.actor, [runs[0].id, runs[2].id])
    assert found.metrics is not None and found.metrics[0].cells[1].contrast is not None
    same = await house.comparisons.compare(house.actor, [runs[0].id, runs[1].id])
    assert same.words is not None and "differ at most in fold" in same.words


async def test_a_baseline_that_is_not_among_them_comes_first(house: House, project: Project) -> None:
    one, two = [await a_run(house, project, name) for name in ("a", "b")]
    found = await house.comparisons.compare(house.actor, [one.id, one.id], two.id)
    assert [each.id for each in found.experiments] == [two.id, one.id] and found.baseline_id == two.id
    child = await a_run(house, project, "c", parent_id=one.id)
    assert (await house.comparisons.compare(house.actor, [child.id, two.id, one.id])).baseline_id == one.id


async def test_a_hidden_experiment_is_refused_like_a_missing_one(house: House, project: Project) -> None:
    secret = await house.projects.create(house.actor, name="secret", metrics=METRICS)
    hidden, seen = await a_run(house, secret, "h", {"acc": 1}), await a_run(house, project, "s", {"acc": 0.5})
    actor = viewer(project)
    ask = [
        lambda key: house.comparisons.compare(actor, [seen.id, key]),
        lambda key: house.comparisons.compare(actor, [seen.id], key),
        lambda key: house.comparisons.matrix(actor, project.id, baseline=key),
        lambda key: house.budgets.compare(actor, [key, seen.id], "loss"),
    ]
    for each in ask:
        told = []
        for key in (hidden.id, ExperimentId(new_id())):
            with pytest.raises(NotFound) as refused:
                await each(key)
            told.append(refused.value.detail.replace(str(key), "KEY"))
        assert told[0] == told[1]


async def test_metrics_are_absent_for_whom_may_not_see_them(house: House, project: Project) -> None:
    parent = await a_run(house, project, "a", {"acc": 0.5}, params={"lr": 1})
    child = await a_run(house, project, "b", {"acc": 0.7}, params={"lr": 2}, parent_id=parent.id)
    blind = viewer(project, scopes=frozenset({Action.EXPERIMENTS_VIEW}))
    found = await house.comparisons.compare(blind, [child.id, parent.id])
    assert found.metrics is None and found.words is not None and "acc" not in found.words
    assert [row.name for row in found.params] == ["lr"]
    table = await house.comparisons.matrix(blind, project.id)
    assert table.columns == () and [row.cells for row in table.rows] == [(), ()]
    with pytest.raises(Forbidden):
        await house.comparisons.front(blind, project.id, ["acc", "loss"])
    with pytest.raises(Forbidden):
        await house.importances.importance(blind, project.id, "acc")
    with pytest.raises(Forbidden):
        await house.budgets.compare(blind, [child.id], "loss")


async def test_experiments_of_two_projects_are_compared(house: House, project: Project) -> None:
    other = await house.projects.create(house.actor, name="other", metrics=METRICS)
    here, there = await a_run(house, project, "a", {"acc": 0.5}), await a_run(house, other, "b", {"acc": 0.9})
    both = await house.comparisons.compare(viewer(project, other), [here.id, there.id])
    assert both.metrics is not None and both.metrics[0].cells[1].delta == pytest.approx(0.4)
    assert {each.project_id for each in both.experiments} == {project.id, other.id}


@pytest.mark.parametrize("count", [0, 101])
async def test_one_to_a_hundred_are_compared(house: House, count: int) -> None:
    with pytest.raises(Invalid, match="ids"):
        await house.comparisons.compare(house.actor, [ExperimentId(new_id()) for _ in range(count)])


# The project's table.


async def test_the_best_of_all_pages_is_marked_on_each_and_deltas_are_improvements(
    house: House, project: Project
) -> None:
    root = await a_run(house, project, "1_root", {"acc": 0.5, "loss": 2.0})
    child = await a_run(house, project, "2_child", {"acc": 0.9, "loss": 3.0}, parent_id=root.id)
    await a_run(house, project, "3_bare")
    first = await house.comparisons.matrix(
        house.actor, project.id, order_by="name", limit=2, baseline=child.id
    )
    assert [column.best for column in first.columns] == [0.9, 2.0]
    (acc, loss), (child_acc, child_loss) = (row.cells for row in first.rows)
    assert (acc.is_best, loss.is_best, child_acc.is_best) == (False, True, True)
    assert child_acc.parent_delta == pytest.approx(0.4) and child_loss.parent_delta == -1.0
    assert acc.baseline_delta == pytest.approx(-0.4) and loss.baseline_delta == 1.0
    rest = await house.comparisons.matrix(
        house.actor, project.id, order_by="name", limit=2, cursor=first.next_cursor
    )
    assert [(c.value, c.is_best, c.parent_delta) for c in rest.rows[0].cells] == [(None, False, None)] * 2
    assert rest.next_cursor is None and [column.best for column in rest.columns] == [0.9, 2.0]
    some = await house.comparisons.matrix(house.actor, project.id, filter="acc < 0.9")
    assert [row.name for row in some.rows] == ["1_root"] and some.columns[0].best == 0.5
    with pytest.raises(QuerySyntax):
        await house.comparisons.matrix(house.actor, project.id, filter="acc <")


# Fronts.


async def test_a_front_holds_what_nothing_beats_and_counts_the_rest(house: House, project: Project) -> None:
    rows = {"fast": (0.8, 1.0), "good": (0.9, 2.0), "bad": (0.7, 3.0), "twin": (0.9, 2.0)}
    for name, (acc, loss) in rows.items():
        await a_run(house, project, name, {"acc": acc, "loss": loss})
    await a_run(house, project, "half", {"acc": 1.0})
    found = await house.comparisons.front(house.actor, project.id, ["acc", "loss"])
    assert [member.name for member in found.members] == ["good", "twin", "fast"]
    assert (found.considered, found.excluded) == (4, 1)
    assert [each.direction for each in found.objectives] == [Direction.MAXIMIZE, Direction.MINIMIZE]
    turned = await house.comparisons.front(
        house.actor, project.id, ["loss"], minimize=["acc"], filter="loss > 0"
    )
    assert turned.objectives[1].direction is Direction.MINIMIZE and turned.members[0].values == (1.0, 0.8)
    for metrics in (["acc"], ["acc", "acc"]):
        with pytest.raises(Invalid, match="metric"):
            await house.comparisons.front(house.actor, project.id, metrics)
    for wrong in ("params.lr", "-acc", "", "acc,loss", "acc ["):
        with pytest.raises(QuerySyntax, match="metric"):
            await house.comparisons.front(house.actor, project.id, ["acc", wrong])


# Budgets.


async def test_the_value_at_the_largest_budget_that_all_came_to(house: House, project: Project) -> None:
    slow, fast, bare = [await a_run(house, project, n) for n in ("slow", "fast", "bare")]
    await log(house, slow, [(step, 0, 1 / (step + 1)) for step in range(100)])
    await log(house, fast, [(step, 0, 0.001 if step == 7 else 1 / (step + 2)) for step in range(50)])
    found = await house.budgets.compare(house.actor, [slow.id, fast.id, bare.id], "loss")
    assert (found.at, found.direction, found.ahead) == (49, Direction.MINIMIZE, (fast.id,))
    one, other, none = found.rows
    assert (one.value, one.step, one.points, one.best) == (1 / 50, 49, 50, 1 / 50)
    assert (other.value, other.best) == (1 / 51, 0.001)
    assert (none.value, none.reached) == (None, False)
    assert found.words.startswith("At step 49 fast is ahead by loss: 0.01961.") and "bare" in found.words
    late = await house.budgets.compare(house.actor, [slow.id, fast.id], "loss", at=70.9)
    assert [row.reached for row in late.rows] == [True, False] and late.ahead == ()
    assert [row.step for row in late.rows] == [70, 49]
    early = await house.budgets.compare(house.actor, [slow.id, fast.id], "loss", at=-1)
    assert [row.value for row in early.rows] == [None, None] and early.ahead == ()


async def test_the_same_time_counts_from_each_one_s_own_start(house: House, project: Project) -> None:
    """One that logs ten times as often has had as much time at its hundredth point."""
    house.clock._now = NOON
    early = await a_run(house, project, "early", status=Status.RUNNING)
    house.clock._now = NOON + timedelta(seconds=1000)
    late = await a_run(house, project, "late", status=Status.RUNNING)
    await log(house, early, [(i, 10 + 10 * i, 1.0 - i / 100) for i in range(30)])
    await log(house, late, [(i, 1001 + i, 1.0 - i / 200) for i in range(100)])
    found = await house.budgets.compare(house.actor, [early.id, late.id], "loss", axis=Axis.TIME)
    assert found.at == 100.0
    assert [(row.step, row.elapsed) for row in found.rows] == [(9, 100.0), (99, 100.0)]
    assert found.ahead == (late.id,) and found.words.startswith("After 100 s late is ahead")
    at = await house.budgets.compare(house.actor, [early.id, late.id], "loss", axis=Axis.TIME, at=25.5)
    assert [(row.step, row.elapsed) for row in at.rows] == [(1, 20.0), (24, 25.0)]


async def test_values_that_are_not_finite_are_told_but_never_ahead(house: House, project: Project) -> None:
    runs = [await a_run(house, project, name) for name in "abc"]
    for run, last in zip(runs, (math.nan, 0.5, 0.5), strict=True):
        await log(house, run, [(0, 0, 0.7), (1, 1, last)])
    found = await house.budgets.compare(house.actor, [run.id for run in runs], "loss")
    assert math.isnan(found.rows[0].value or 0) and found.rows[0].best == 0.7
    assert found.ahead == (runs[1].id, runs[2].id) and "level with each other" in found.words
    none = await house.budgets.compare(house.actor, [runs[0].id], "nonsense")
    assert (none.at, none.ahead) == (None, ()) and none.words == "No experiment has the scalar nonsense."
    for at in (math.nan, math.inf, 1e30):
        with pytest.raises(Invalid, match="at"):
            await house.budgets.compare(house.actor, [runs[0].id], "loss", at=at)


class Counting:
    """A store that counts the points it hands out."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.points = 0

    async def sample(self, *args: Any) -> Any:
        found = await self._store.sample(*args)
        self.points += sum(map(len, found))
        return found

    async def summary(self, *args: Any) -> Any:
        return await self._store.summary(*args)


@pytest.mark.parametrize("axis", list(Axis))
async def test_few_points_of_a_long_series_are_read(house: House, project: Project, axis: Axis) -> None:
    runs = [await a_run(house, project, name) for name in "ab"]
    for run in runs:
        await log(house, run, [(i, i, math.sin(i)) for i in range(5000)])
    store = Counting(house.store)
    budgets = BudgetService(house.units, store)  # type: ignore[arg-type]
    found = await budgets.compare(house.actor, [run.id for run in runs], "loss", axis=axis)
    assert found.rows[0].points == 5000 and found.rows[0].best == min(math.sin(i) for i in range(5000))
    assert store.points <= 2 * len(runs) * 4


async def test_a_silent_store_fails_budgets_and_nothing_else(house: House, project: Project) -> None:
    class Silent:
        async def sample(self, *args: Any) -> Any:
            raise Unavailable("the scalars store does not answer")

        summary = sample

    run = await a_run(house, project, "a", {"acc": 1.0})
    with pytest.raises(Unavailable):
        await BudgetService(house.units, Silent()).compare(house.actor, [run.id], "loss")  # type: ignore[arg-type]
    assert (await house.comparisons.compare(house.actor, [run.id])).metrics


# Importance.


async def test_importance_of_the_parameters_of_a_project(house: House, project: Project) -> None:
    for i in range(30):
        params = {"lr": i, "opt": "ab"[i % 2], "noise": (i * 7) % 30, "seed": 0}
        await a_run(house, project, f"r{i}", {"acc": float(i * i + 100 * (i % 2))}, params=params)
    await a_run(house, project, "without")
    for method in Method:
        found = await house.importances.importance(house.actor, project.id, "acc", method=method)
        assert (found.runs, found.excluded, found.params[0].name) == (30, 1, "lr")
        assert [row.name for row in found.params if row.importance is None] == ["seed"]
        assert found.warnings == ("nothing can be said of seed: it never varies",)
        again = await house.importances.importance(house.actor, project.id, "acc", method=method)
        assert again == found
    some = await house.importances.importance(house.actor, project.id, "acc", filter="params.lr < 3")
    assert some.runs == 3 and "3 runs are few" in some.warnings[0]
    few = await house.importances.importance(
        house.actor, project.id, "acc", filter="params.lr < 3", method=Method.FOREST
    )
    assert "a forest takes 6 runs" in few.warnings[-1]
    nothing = await house.importances.importance(house.actor, project.id, "unheard", method=Method.FOREST)
    assert (nothing.runs, nothing.params) == (0, ())
