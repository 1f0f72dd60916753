"""Runs that fall silent, in memory and in databases that several server processes share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.doubles import SettableClock
from tests.factories import a_project, an_experiment
from tracker.domain.errors import Forbidden, NotFound
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.heartbeats.service import MOST_A_LOOK, HeartbeatService
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.ids import ExperimentId, ProjectId, UserId
from tracker.ports.unit_of_work import UnitsOfWork

if TYPE_CHECKING:
    from tests.service.conftest import House

ACTOR = Actor(user_id=LOCAL_USER, is_superuser=True)


class Watch:
    """A server process that looks for silent runs; its monotonic clock is told to go on."""

    def __init__(self, units: UnitsOfWork, clock: SettableClock | None = None) -> None:
        self.now = 0.0
        self.clock = clock or SettableClock()
        self.settled: list[ExperimentId] = []
        self.service = HeartbeatService(units, self.clock, self._settle, lambda: self.now, lost_after=300.0)

    async def _settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        self.settled.append(experiment_id)

    async def look(self, seconds: float, every: float = 10.0) -> list[ExperimentId]:
        """Looks for so long; whom it found lost."""
        lost: list[ExperimentId] = []
        for _ in range(round(seconds / every)):
            self.now += every
            lost += await self.service.sweep()
        return lost


@pytest.fixture
async def run(units: UnitsOfWork) -> Experiment:
    """A run that has just begun."""
    project = a_project()
    run = an_experiment(project).start(at=project.created_at)
    async with units.writing() as unit:
        await unit.projects.add(project)
        await unit.experiments.add(run)
        await unit.commit()
    return run


async def present(units: UnitsOfWork, run: Experiment) -> Experiment:
    async with units.reading() as unit:
        return await unit.experiments.get(run.id)


async def test_a_run_that_falls_silent_fails_as_lost_and_runs_again_with_its_next_beat(
    units: UnitsOfWork, run: Experiment
) -> None:
    watch = Watch(units)
    await watch.service.beat(ACTOR, run.id)
    assert await watch.look(300) == []
    assert await watch.look(20) == [run.id]
    lost = await present(units, run)
    assert (lost.status, lost.end_kind) == (Status.FAILED, EndKind.LOST)
    assert watch.settled == [run.id]
    watch.clock.advance(seconds=1)
    await watch.service.beat(ACTOR, run.id)
    again = await present(units, run)
    assert (again.status, again.end_kind, again.completed_at) == (Status.RUNNING, None, None)
    assert again.heartbeat_at == watch.clock.now()
    assert await watch.look(290) == []


async def test_a_run_that_never_beat_is_never_lost(units: UnitsOfWork, run: Experiment) -> None:
    assert await Watch(units).look(10_000, every=20) == []
    assert (await present(units, run)).status is Status.RUNNING


async def test_a_run_that_beats_is_never_lost_however_clocks_are_set(
    units: UnitsOfWork, run: Experiment
) -> None:
    watch = Watch(units)
    for hours in (0, -3, 5, -2, 0):
        watch.clock.advance(hours=hours, seconds=30)
        await watch.service.beat(ACTOR, run.id)
        assert await watch.look(200) == []


@pytest.mark.parametrize("hours", [-1000, 1000])
async def test_a_clock_that_jumps_keeps_no_lost_run_alive_and_loses_no_other(
    units: UnitsOfWork, run: Experiment, hours: int
) -> None:
    watch = Watch(units)
    await watch.service.beat(ACTOR, run.id)
    assert await watch.look(100) == []
    watch.clock.advance(hours=hours)
    assert await watch.look(100) == []
    assert await watch.look(200) == [run.id]


async def test_a_server_that_slept_gives_runs_time_to_beat(units: UnitsOfWork, run: Experiment) -> None:
    watch = Watch(units)
    await watch.service.beat(ACTOR, run.id)
    await watch.look(10)
    watch.now += 100_000
    assert await watch.service.sweep() == ()
    watch.clock.advance(seconds=1)
    await watch.service.beat(ACTOR, run.id)
    assert await watch.look(300 - MOST_A_LOOK) == []


async def test_of_several_servers_one_says_that_a_run_is_lost(units: UnitsOfWork, run: Experiment) -> None:
    watches = [Watch(units) for _ in range(3)]
    await watches[0].service.beat(ACTOR, run.id)
    found = await asyncio.gather(*(watch.look(400) for watch in watches))
    assert sorted(found, key=len) == [[], [], [run.id]]
    assert (await present(units, run)).version == 1


async def test_one_that_beats_between_the_look_and_the_verdict_stays(
    units: UnitsOfWork, run: Experiment
) -> None:
    first, second = Watch(units), Watch(units)
    await first.service.beat(ACTOR, run.id)
    await first.look(300)
    await second.look(300)
    first.clock.advance(seconds=1)
    await first.service.beat(ACTOR, run.id)
    assert await first.look(10) == await second.look(10) == []


async def test_what_ended_in_another_way_stays_ended(units: UnitsOfWork, run: Experiment) -> None:
    watch = Watch(units)
    await watch.service.beat(ACTOR, run.id)
    async with units.writing() as unit:
        killed = (await unit.experiments.get(run.id)).fail(at=watch.clock.now(), kind=EndKind.KILLED)
        await unit.experiments.save(killed)
        await unit.commit()
    await watch.service.beat(ACTOR, run.id)
    assert await watch.look(400) == []
    assert (await present(units, run)).end_kind is EndKind.KILLED


async def test_a_beat_takes_the_permission_to_log(house: House) -> None:
    project = await house.projects.create(house.actor, name="digits")
    run = await house.experiments.create(house.actor, project.id, name="a", status=Status.RUNNING)
    with pytest.raises(NotFound, match=str(run.id)):
        await house.heartbeats.beat(Actor(user_id=UserId(ExperimentId(run.id))), run.id)
    with pytest.raises(Forbidden, match=r"scalars\.log"):
        viewing = house.actor.evolve(scopes=frozenset({Action.EXPERIMENTS_VIEW}))
        await house.heartbeats.beat(viewing, run.id)
    await house.heartbeats.beat(house.actor.evolve(scopes=frozenset({Action.SCALARS_LOG})), run.id)
    assert (await house.experiments.get(house.actor, run.id)).heartbeat_at == house.clock.now()
