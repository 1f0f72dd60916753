"""Use cases of heartbeats: runs say that they live, and those that fall silent are taken for lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from tracker.domain.errors import NotFound
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.service import visible_experiment
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.ports.clock import Clock
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["MOST_A_LOOK", "HeartbeatService"]

MOST_A_LOOK = 30.0
"""Seconds of silence that one look adds at most."""


class _Silence(NamedTuple):
    """How long a run has not been heard of.

    Attributes:
        beat: its heartbeat when it was last looked at.
        seconds: for so long that was its heartbeat.
    """

    beat: datetime | None
    seconds: float


class HeartbeatService:
    """Takes heartbeats, and finds the runs that have none any more.

    Silence is measured by looking again and again: a run is lost once its heartbeat was *the same* for
    `lost_after` seconds of this process's own monotonic clock. Times of two clocks are never compared,
    so a clock that is set back or forth loses nobody. Nor does a process that slept or could not reach
    the database: nobody could beat meanwhile, so one look adds at most :data:`MOST_A_LOOK` seconds.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ended: told when a run has come to its end.
        monotonic: seconds that only grow.
        lost_after: seconds of silence after which a run is lost.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ended: Callable[[ProjectId, ExperimentId], Awaitable[object]],
        monotonic: Callable[[], float],
        lost_after: float,
    ) -> None:
        self._units = units
        self._clock = clock
        self._ended = ended
        self._monotonic = monotonic
        self._lost_after = lost_after
        self._looked: float | None = None
        self._silences: dict[ExperimentId, _Silence] = {}

    async def beat(self, actor: Actor, experiment_id: ExperimentId) -> None:
        """Notes that the run's process lives; one that was taken for lost runs again.

        What is not running, and was not lost, stays as it is.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
            Forbidden: they may not log to it.
        """
        async with self._units.reading() as unit:
            await visible_experiment(unit, actor, experiment_id, Action.SCALARS_LOG)
        async with self._units.writing() as unit:
            now = self._clock.now()
            if not await unit.experiments.beat(experiment_id, now):
                present = await unit.experiments.get(experiment_id)
                beaten = present.beat(at=now)
                if beaten is present:
                    return
                await unit.experiments.save(beaten)
                await unit.experiments.beat(experiment_id, now)
            await unit.commit()

    async def sweep(self) -> tuple[ExperimentId, ...]:
        """Has the runs fail that are lost; these.

        Several processes may do this to one database: each looks for itself, and of those that find a run
        lost the first one says so.
        """
        async with self._units.reading() as unit:
            beating = await unit.experiments.beating()
        silent = self._silent(beating)
        return tuple([run.id for run in silent if await self._is_lost(run)])

    def _silent(self, beating: tuple[Experiment, ...]) -> list[Experiment]:
        now = self._monotonic()
        passed = 0.0 if self._looked is None else min(now - self._looked, MOST_A_LOOK)
        self._looked = now
        before, self._silences = self._silences, {}
        for run in beating:
            known = before.get(run.id)
            is_same = known is not None and known.beat == run.heartbeat_at
            seconds = known.seconds + passed if known is not None and is_same else 0.0
            self._silences[run.id] = _Silence(run.heartbeat_at, seconds)
        return [run for run in beating if self._silences[run.id].seconds >= self._lost_after]

    async def _is_lost(self, seen: Experiment) -> bool:
        """Marks the run as lost, unless it was heard of or ended since it was looked at."""
        async with self._units.writing() as unit:
            try:
                present = await unit.experiments.get(seen.id)  # held until the unit ends
            except NotFound:
                return False  # it was deleted meanwhile
            if present.heartbeat_at != seen.heartbeat_at:
                return False
            lost = present.lost(at=self._clock.now())
            if lost is present:
                return False
            await unit.experiments.save(lost)
            await unit.commit()
        self._silences.pop(seen.id, None)
        await self._ended(seen.project_id, seen.id)
        return True
