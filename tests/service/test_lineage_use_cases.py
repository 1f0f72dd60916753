from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from tests.factories import a_user, new_id
from tracker.domain.errors import Conflict, Forbidden, Invalid, LineageCycle, NotFound
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import ExperimentId, ProjectId, UserId
from tracker.domain.projects.project import ProjectSettings

if TYPE_CHECKING:
    from tests.service.conftest import House
    from tracker.domain.experiments.experiment import Experiment

STRANGER = Actor(user_id=UserId(UUID(int=99)))
PATTERNS = ("{num}_from_{parent}_{change}", "run-{num}")


@pytest.fixture
async def project(house: House) -> ProjectId:
    settings = ProjectSettings(naming_patterns=PATTERNS)
    return (await house.projects.create(house.actor, name="digits", settings=settings)).id


async def made(house: House, project: ProjectId, name: str, **fields: Any) -> Experiment:
    return await house.experiments.create(house.actor, project, name=name, **fields)


async def test_a_name_whose_parent_is_not_there_is_a_warning(house: House, project: ProjectId) -> None:
    told: list[tuple[ExperimentId, str]] = []
    run = await made(house, project, "3_from_9_lr", warn=lambda key, text: told.append((key, text)))
    assert run.parent_id is None
    assert told == [
        (run.id, "3_from_9_lr has no parent: no experiment of the project has the number or the name 9")
    ]
    told.clear()
    for name, parent_id in (("4_from_3_lr", None), ("5_from_9_lr", run.id), ("free", None)):
        await made(house, project, name, parent_id=parent_id, warn=lambda *given: told.append(given))
    assert told == []


async def test_parents_are_found_by_any_pattern_and_an_explicit_one_wins(
    house: House, project: ProjectId
) -> None:
    first = await made(house, project, "run-08")
    other = await made(house, project, "baseline")
    zero = await made(house, project, "0_zero")
    assert (await made(house, project, "9_from_8_lr")).parent_id == first.id
    assert (await made(house, project, "9_from_008_lr")).parent_id == first.id
    assert (await made(house, project, "9_from_00_lr")).parent_id == zero.id
    assert (await made(house, project, "10_from_baseline_lr")).parent_id == other.id
    assert (await made(house, project, "11_from_8_lr", parent_id=other.id)).parent_id == other.id


async def test_the_server_gives_the_next_number(house: House, project: ProjectId) -> None:
    assert (await made(house, project, "{num}_baseline")).name == "1_baseline"
    child = await made(house, project, "{num}_from_1_bigger")
    assert (child.name, child.parent_id is not None) == ("2_from_1_bigger", True)
    assert (await made(house, project, "run-{num}")).name == "run-3"
    many = await house.experiments.create_many(
        house.actor,
        project,
        [{"name": "{num}_a"}, {"name": "{num}_from_4_b"}, {"name": "{num}_from_run-3_c"}],
    )
    assert [each.name for each in many] == ["4_a", "5_from_4_b", "6_from_run-3_c"]
    assert many[1].parent_id == many[0].id
    with pytest.raises(Invalid, match="name"):
        await made(house, project, "{num}" + "x" * 100)


@pytest.mark.parametrize(
    "name", ["{num}_from_1_x", "run-{num}", "9_from_7_x", "free", "1_a", "5_from_run-2_y"]
)
async def test_a_dry_run_says_what_creating_then_does(house: House, project: ProjectId, name: str) -> None:
    await made(house, project, "1_a")
    await made(house, project, "run-2")
    before = await house.experiments.list(house.actor, project)
    check = await house.experiments.check_name(house.actor, project, name)
    assert await house.experiments.list(house.actor, project) == before
    told: list[str] = []
    run = await made(house, project, name, warn=lambda _, text: told.append(text))
    assert (check.name, check.parent_id, check.warnings) == (run.name, run.parent_id, tuple(told))
    assert (check.parent_id is None) == (check.why is not None)
    assert check.is_taken == (name == "1_a")
    assert check.next_number == 3


async def test_further_parents_are_others_of_the_same_project(house: House, project: ProjectId) -> None:
    a, b, c = [await made(house, project, name) for name in "abc"]
    elsewhere = (await house.projects.create(house.actor, name="other")).id
    foreign = await made(house, elsewhere, "a")
    child = await made(house, project, "d", parent_id=a.id, merged_from=(c.id, b.id))
    assert child.merged_from == tuple(sorted((b.id, c.id)))
    for merged, error in (
        ((foreign.id,), Invalid), ((ExperimentId(new_id()),), Invalid), ((a.id,), Invalid),
        ((b.id, b.id), Invalid), ((child.id,), LineageCycle),
    ):  # fmt: skip
        with pytest.raises(error, match="merged_from"):
            await house.experiments.edit(house.actor, child.id, merged_from=merged)
        if error is Invalid:
            with pytest.raises(Invalid, match="merged_from"):
                await made(house, project, "e", parent_id=a.id, merged_from=merged)
    assert await house.experiments.get(house.actor, child.id) == child
    assert len(await house.experiments.list(house.actor, project)) == 4


async def test_a_further_parent_below_the_child_is_a_cycle(house: House, project: ProjectId) -> None:
    a = await made(house, project, "a")
    b = await made(house, project, "b", merged_from=(a.id,))
    c = await made(house, project, "c", parent_id=b.id)
    for change in ({"merged_from": (c.id,)}, {"parent_id": c.id}, {"parent_id": b.id}):
        with pytest.raises(LineageCycle):
            await house.experiments.edit(house.actor, a.id, **change)


async def test_a_merged_parent_that_becomes_the_primary_one_is_no_longer_merged(
    house: House, project: ProjectId
) -> None:
    a, b = await made(house, project, "a"), await made(house, project, "b")
    child = await made(house, project, "c", parent_id=a.id, merged_from=(b.id,))
    changed = await house.experiments.edit(house.actor, child.id, parent_id=b.id)
    assert (changed.parent_id, changed.merged_from) == (b.id, ())


@pytest.mark.parametrize("ended", [Status.COMPLETE, Status.FAILED])
async def test_parameters_stay_once_a_run_has_ended(house: House, project: ProjectId, ended: Status) -> None:
    run = await made(house, project, "a", status=Status.RUNNING, params={"lr": 1})
    changed = {"lr": 2}
    await house.experiments.edit(house.actor, run.id, params={"lr": 1.5})
    await house.experiments.edit(house.actor, run.id, params={"lr": 1}, status=ended)
    for change in (
        {"params": changed}, {"params": {}}, {"params": {"lr": 1.0}}, {"params": {"lr": True}},
        {"params": changed, "status": Status.RUNNING}, {"params": changed, "name": "b"},
    ):  # fmt: skip
        with pytest.raises(Conflict, match=r"params: .* resume it first by setting its status to running"):
            await house.experiments.edit(house.actor, run.id, **change)
    same = await house.experiments.edit(house.actor, run.id, params={"lr": 1}, name="b")
    assert (same.name, dict(same.params)) == ("b", {"lr": 1})
    await house.experiments.edit(house.actor, run.id, status=Status.RUNNING)
    assert dict((await house.experiments.edit(house.actor, run.id, params=changed)).params) == changed


async def test_many_runs_come_with_their_values_or_not_at_all(house: House, project: ProjectId) -> None:
    value = {"name": "acc", "value": 0.5}
    good = {
        "name": "1_a",
        "params": {"opt": {"lr": 0.1}},
        "metrics": [value, {**value, "step": 2, "label": "val"}],
    }
    child = {"name": "2_from_1_b", "status": Status.COMPLETE, "metrics": [value], "tags": ("x",)}
    first, second = await house.runs.create_many(house.actor, project, [good, child])
    assert (second.parent_id, second.status, second.completed_at) == (first.id, "complete", house.clock.now())
    assert (first.position, second.position, first.color != second.color) == (0, 1, True)
    assert (dict(first.params), first.created_by) == ({"opt.lr": 0.1}, house.actor.user_id)
    found = await house.metrics.of_experiment(house.actor, first.id)
    assert [(m.label, m.step, m.value) for m in found] == [(None, 0, 0.5), ("val", 2, 0.5)]
    for bad, where in (
        ({"name": ""}, "experiments.1.name"),
        ({}, "experiments.1.name"),
        ({"name": "x", "nonsense": 1}, "experiments.1.nonsense"),
        ({"name": "x", "parent_id": ExperimentId(new_id())}, "experiments.1.parent_id"),
        (
            {"name": "x", "metrics": [value, {"name": "acc", "value": float("nan")}]},
            "experiments.1.metrics.1.value",
        ),
        ({"name": "x", "metrics": [{"direction": 1}]}, "experiments.1.metrics.0.direction"),
    ):
        with pytest.raises(Invalid) as refused:
            await house.runs.create_many(house.actor, project, [good, bad])
        assert refused.value.detail.startswith(where)
        assert refused.value.problems[0].loc == tuple(
            int(part) if part.isdigit() else part for part in where.split(".")
        )
    with pytest.raises(Invalid, match="experiments: at most 1000"):
        await house.runs.create_many(house.actor, project, [{"name": "a"}] * 1001)
    assert len(await house.experiments.list(house.actor, project)) == 2


async def test_values_need_the_right_to_log_them(house: House, project: ProjectId) -> None:
    scopes = frozenset({Action.EXPERIMENTS_CREATE, Action.EXPERIMENTS_VIEW})
    token = house.actor.evolve(scopes=scopes)
    await house.runs.create_many(token, project, [{"name": "a"}])
    with pytest.raises(Forbidden, match=r"metrics\.create"):
        await house.runs.create_many(
            token, project, [{"name": "b", "metrics": [{"name": "m", "value": 1.0}]}]
        )
    assert len(await house.experiments.list(house.actor, project)) == 1


async def test_a_stranger_learns_nothing_of_a_lineage(house: House, project: ProjectId) -> None:
    await made(house, project, "1_a")
    absent = ProjectId(UUID(int=7))
    for ask in (
        lambda key: house.experiments.graph(STRANGER, key),
        lambda key: house.experiments.check_name(STRANGER, key, "2_from_1_b"),
        lambda key: house.runs.create_many(STRANGER, key, [{"name": "b"}]),
    ):
        with pytest.raises(NotFound) as hidden:
            await ask(project)
        with pytest.raises(NotFound) as missing:
            await ask(absent)
        assert hidden.value.detail.replace(str(project), "") == missing.value.detail.replace(str(absent), "")


async def test_who_made_an_experiment_is_forgotten_with_their_account(house: House) -> None:
    owner = Actor(user_id=UserId(UUID(int=5)))
    async with house.units.writing() as unit:
        await unit.users.add(a_user(id=owner.user_id))
        await unit.commit()
    project = (await house.projects.create(owner, name="own")).id
    run = await house.experiments.create(owner, project, name="a")
    assert run.created_by == owner.user_id
    async with house.units.writing() as unit:
        kept = await unit.projects.get(project)
        await unit.projects.save(kept.evolve(owner_id=house.actor.user_id))
        await unit.users.delete(owner.user_id)
        await unit.commit()
    assert (await house.experiments.get(house.actor, run.id)).created_by is None
