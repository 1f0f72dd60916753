"""Use cases of searching: pages, names, what may be seen, and how fresh it is."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from tests.factories import new_id
from tests.service.conftest import House
from tracker.domain.errors import AlreadyExists, Forbidden, Invalid, NotFound, QuerySyntax, Unavailable
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import Access, Actor
from tracker.domain.identity.roles import Role
from tracker.domain.ids import UserId
from tracker.domain.projects.project import Project
from tracker.domain.scalars.record import ScalarRecord


async def a_family(house: House) -> tuple[Project, list[Experiment]]:
    project = await house.projects.create(house.actor, name="digits")
    made = []
    for name, lr in (("1_baseline", 0.1), ("2_from_1_lr", 0.2), ("3_from_2_lr", 0.4)):
        made.append(await house.experiments.create(house.actor, project.id, name=name, params={"lr": lr}))
    for run, accuracy in zip(made, (0.5, 0.9, 0.7), strict=True):
        await house.metrics.log(house.actor, run.id, "acc", accuracy)
    return project, made


async def names(
    house: House, project: Project, filter: str = "", order_by: str = "created", **more: Any
) -> list[str]:
    page = await house.search.search(house.actor, [project.id], filter=filter, order_by=order_by, **more)
    return [run.name for run in page]


async def test_a_result_has_params_and_metrics_and_comes_page_by_page(house: House) -> None:
    project, runs = await a_family(house)
    first = await house.search.search(house.actor, [project.id], order_by="-acc", limit=2)
    assert [(run.id, run.params["lr"], run.metrics["acc"]) for run in first] == [
        (runs[1].id, 0.2, 0.9), (runs[2].id, 0.4, 0.7),
    ]  # fmt: skip
    assert first.next_cursor is not None
    second = await house.search.search(
        house.actor, [project.id], order_by="-acc", limit=2, cursor=first.next_cursor
    )
    assert ([run.id for run in second], second.next_cursor) == ([runs[0].id], None)


async def test_experiments_are_named_by_number_name_or_id(house: House) -> None:
    project, runs = await a_family(house)
    for who in ("1", '"1_baseline"', f'"{runs[0].id}"'):
        assert await names(house, project, f"descendant_of({who})") == ["2_from_1_lr", "3_from_2_lr"]
        assert await names(house, project, f"parent = {who}") == ["2_from_1_lr"]
    assert await names(house, project, "ancestor_of(3)") == ["1_baseline", "2_from_1_lr"]
    assert await names(house, project, "parent is null") == ["1_baseline"]


async def test_a_cursor_is_good_for_its_search_alone(house: House) -> None:
    project, _ = await a_family(house)
    cursor = (await house.search.search(house.actor, [project.id], order_by="acc", limit=1)).next_cursor
    for wrong in ("x", "=", "é", "W10", f"{cursor}x", "A" * 100_000):
        with pytest.raises(Invalid, match="cursor: was not given for this search"):
            await names(house, project, order_by="acc", limit=1, cursor=wrong)
    for other in ({"order_by": "-acc"}, {"filter": "acc > 0"}):
        with pytest.raises(Invalid, match="cursor"):
            await names(house, project, **{"order_by": "acc", **other}, cursor=cursor)


async def test_pages_go_on_from_one_moment_while_experiments_run(house: House) -> None:
    project, runs = await a_family(house)
    for run in runs:
        await house.experiments.edit(house.actor, run.id, status=Status.RUNNING)
        house.clock.advance(seconds=10)
    for order in ("duration", "-duration"):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await house.search.search(
                house.actor, [project.id], filter='created > "-1h"', order_by=order, limit=1, cursor=cursor
            )
            seen += [run.name for run in page]
            cursor = page.next_cursor
            house.clock.advance(seconds=15)
            assert len(seen) <= len(runs)
        assert sorted(seen) == sorted(run.name for run in runs)


async def test_a_new_project_does_not_end_a_search_of_all(house: House) -> None:
    await a_family(house)
    first = await house.search.search(house.actor, limit=1)
    await a_family(house)
    assert len(await house.search.search(house.actor, limit=1, cursor=first.next_cursor)) == 1


async def test_a_number_that_no_name_can_hold_names_nobody(house: House) -> None:
    project, _ = await a_family(house)
    with pytest.raises(QuerySyntax, match="there is no experiment"):
        await names(house, project, f"parent = {'9' * 5000}")


async def test_what_is_wrong_is_told(house: House) -> None:
    project, _ = await a_family(house)
    for filter_, column in (("acc >", 6), ("descendant_of(9)", 15), (f'parent = "{new_id()}"', 8)):
        with pytest.raises(QuerySyntax) as refused:
            await names(house, project, filter_)
        assert refused.value.column == column
    for limit in (0, 1001):
        with pytest.raises(Invalid, match="limit"):
            await names(house, project, limit=limit)


async def test_points_are_found_once_they_are_carried_over_and_for_certain_when_a_run_ends(
    house: House,
) -> None:
    project, runs = await a_family(house)
    run = await house.experiments.edit(house.actor, runs[0].id, status=Status.RUNNING)
    records = [
        ScalarRecord(step=step, values={"loss": value}) for step, value in enumerate((3.0, 1.0, math.nan))
    ]
    await house.scalars.log(house.actor, run.id, records)
    assert await names(house, project, "last(loss) = nan") == []
    await house.summaries.refresh()
    assert await names(house, project, "last(loss) = nan and min(loss) = 1 and max(loss) = 3") == [run.name]
    await house.scalars.log(house.actor, run.id, [ScalarRecord(step=9, values={"loss": 0.5})])
    await house.experiments.edit(house.actor, run.id, status=Status.COMPLETE)
    assert await names(house, project, "loss = 0.5 and min(loss) < 1") == [run.name]
    (summary,) = [s for s in await _summaries(house, run) if s.name == "loss"]
    assert summary.points == 4


async def test_what_could_not_be_carried_over_is_carried_over_later(house: House) -> None:
    project, runs = await a_family(house)
    await house.scalars.log(house.actor, runs[0].id, [ScalarRecord(step=1, values={"loss": 2.0})])
    working = house.store.summary
    house.store.summary = _silent  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await house.summaries.refresh()
    await house.experiments.edit(house.actor, runs[0].id, status=Status.COMPLETE)
    house.store.summary = working  # type: ignore[method-assign]
    assert await names(house, project, "loss = 2") == []
    await house.summaries.refresh()
    assert await names(house, project, "loss = 2") == [runs[0].name]


async def test_after_a_crash_running_experiments_are_caught_up_with(house: House) -> None:
    project, runs = await a_family(house)
    await house.experiments.edit(house.actor, runs[0].id, status=Status.RUNNING)
    await house.scalars.log(house.actor, runs[0].id, [ScalarRecord(step=1, values={"loss": 2.0})])
    reborn = type(house.summaries)(house.units, house.store, house.clock)
    assert await names(house, project, "loss = 2") == []
    await reborn.refresh()
    assert await names(house, project, "loss = 2") == [runs[0].name]


async def test_what_was_noted_survives_a_refresh_that_is_cut_off(house: House) -> None:
    projects = [await a_family(house) for _ in range(3)]
    for _, runs in projects:
        await house.scalars.log(house.actor, runs[0].id, [ScalarRecord(step=1, values={"loss": 2.0})])
    working = house.store.summary
    calls = 0

    async def cut_off(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 5:  # after those that look for what nobody carried over
            raise asyncio.CancelledError
        return await working(*args)

    house.store.summary = cut_off  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await house.summaries.refresh()
    house.store.summary = working  # type: ignore[method-assign]
    await house.summaries.refresh()
    for project, runs in projects:
        assert await names(house, project, "loss = 2") == [runs[0].name]


async def test_series_of_before_are_carried_over_for_projects_that_have_none(house: House) -> None:
    project, runs = await a_family(house)
    await house.experiments.edit(house.actor, runs[0].id, status=Status.COMPLETE)
    await house.scalars.log(house.actor, runs[0].id, [ScalarRecord(step=1, values={"loss": 2.0})])
    reborn = type(house.summaries)(house.units, house.store, house.clock)
    await reborn.refresh()
    assert await names(house, project, "loss = 2") == [runs[0].name]


async def test_whoever_may_not_see_metrics_keeps_no_query_that_asks_for_them(house: House) -> None:
    project, _ = await a_family(house)
    kept = await house.search.save_query(house.actor, project.id, name="kept")
    blind = Actor(
        user_id=UserId(new_id()),
        access=Access(projects={project.id: Role.ADMIN}),
        scopes=frozenset({Action.EXPERIMENTS_VIEW, Action.EXPERIMENTS_EDIT}),
    )
    for asking in ({"filter": "not (params.lr = 1 and acc > 0.5)"}, {"order_by": "-max(acc)"}):
        with pytest.raises(Forbidden, match=r"metrics\.view"):
            await house.search.save_query(blind, project.id, name="new", **asking)
        with pytest.raises(Forbidden, match=r"metrics\.view"):
            await house.search.edit_query(blind, kept.id, **asking)
    assert (await house.search.edit_query(blind, kept.id, filter="params.lr = 1")).filter == "params.lr = 1"


async def test_whoever_makes_an_experiment_is_not_shown_its_parent_for_it(house: House) -> None:
    _, runs = await a_family(house)
    maker = Actor(
        user_id=UserId(new_id()),
        access=Access(projects={runs[0].project_id: Role.MEMBER}),
        scopes=frozenset({Action.EXPERIMENTS_CREATE}),
    )
    made = await house.experiments.create(maker, runs[0].project_id, name="9_from_1_x")
    assert made.parent_id == runs[0].id
    assert await house.experiments.parents(maker, [made]) == {}
    assert await house.experiments.parents(house.actor, [made]) == {runs[0].id: runs[0]}


async def test_queries_are_kept_under_a_name_and_must_parse(house: House) -> None:
    project, _ = await a_family(house)
    kept = await house.search.save_query(house.actor, project.id, name="good", filter="acc > 0.8")
    assert await house.search.queries(house.actor, project.id) == (kept,)
    with pytest.raises(AlreadyExists):
        await house.search.save_query(house.actor, project.id, name="good")
    for change in ({"filter": "acc >"}, {"order_by": "tags"}):
        with pytest.raises(QuerySyntax):
            await house.search.edit_query(house.actor, kept.id, **change)
    with pytest.raises(Invalid, match="project_id: cannot be changed"):
        await house.search.edit_query(house.actor, kept.id, project_id=project.id)
    edited = await house.search.edit_query(house.actor, kept.id, order_by="-acc")
    assert (edited.filter, edited.order_by) == ("acc > 0.8", "-acc")
    await house.search.delete_query(house.actor, kept.id)
    assert await house.search.queries(house.actor, project.id) == ()


async def test_a_viewer_searches_but_keeps_no_queries_and_strangers_see_nothing(house: House) -> None:
    project, _ = await a_family(house)
    kept = await house.search.save_query(house.actor, project.id, name="good")
    viewer = Actor(user_id=UserId(new_id()), access=Access(projects={project.id: Role.VIEWER}))
    stranger = Actor(user_id=UserId(new_id()))
    assert len(await house.search.search(viewer, [project.id])) == 3
    assert await house.search.queries(viewer, project.id) == (kept,)
    for refused, actor in ((Forbidden, viewer), (NotFound, stranger)):
        with pytest.raises(refused):
            await house.search.save_query(actor, project.id, name="other")
        with pytest.raises(refused):
            await house.search.edit_query(actor, kept.id, name="other")
        with pytest.raises(refused):
            await house.search.delete_query(actor, kept.id)
    for ask in (house.search.search(stranger, [project.id]), house.search.fields(stranger, project.id)):
        with pytest.raises(NotFound):
            await ask
    assert await house.search.search(stranger) == ()


async def test_to_whom_may_not_see_metrics_there_are_none(house: House) -> None:
    project, _ = await a_family(house)
    blind = Actor(
        user_id=UserId(new_id()),
        access=Access(projects={project.id: Role.VIEWER}),
        scopes=frozenset({Action.EXPERIMENTS_VIEW}),
    )
    found = await house.search.search(blind, [project.id], order_by="-acc,created")
    assert [(run.name, dict(run.metrics)) for run in found] == [
        ("1_baseline", {}), ("2_from_1_lr", {}), ("3_from_2_lr", {}),
    ]  # fmt: skip
    assert await house.search.search(blind, [project.id], filter="acc > 0 or acc is not null") == ()
    assert {field.name for field in await house.search.fields(blind, project.id)} == {"params.lr"}


async def _silent(*args: object) -> Any:
    raise Unavailable("the store is silent")


async def _summaries(house: House, run: Experiment) -> Any:
    async with house.units.reading() as unit:
        return await unit.summaries.of_experiments([run.id])
