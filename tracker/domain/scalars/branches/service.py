"""Use cases of resuming: a run goes on at an earlier step, and what it gives up is kept beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tracker.domain.experiments.branch import AbandonedValue, Branch
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.service import visible_experiment
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, may, require
from tracker.domain.ids import BranchId, ExperimentId, ProjectId
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.scalars import ScalarStore
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["BranchService"]


class BranchService:
    """Resumes runs, and tells what they left behind.

    A branch is written down first, then the store moves its points, and only then the run is running
    again. Who was interrupted in between resumes once more: what was begun is finished first, and the
    store moves nothing twice.

    Args:
        units: opens units of work.
        store: of the points.
        clock: tells when things happen.
        ids: names branches.
        moved: told when points of an experiment moved away.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        store: ScalarStore,
        clock: Clock,
        ids: IdGenerator,
        moved: Callable[[ProjectId, ExperimentId], Awaitable[object]],
    ) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._ids = ids
        self._moved = moved

    async def resume(
        self, actor: Actor, experiment_id: ExperimentId, *, step: int | None = None
    ) -> Experiment:
        """The experiment, running again.

        Args:
            actor: who resumes it.
            experiment_id: which.
            step: where it goes on: points, tags and final values at this step and behind move to a branch.
                ``None`` = behind all that there is.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
            Forbidden: they may not edit it.
            Invalid: `step` is no 64-bit integer.
            Unavailable: the store does not answer, or cannot keep branches; the run is not running again.
        """
        async with self._units.writing() as unit:
            present = await visible_experiment(unit, actor, experiment_id, Action.EXPERIMENTS_EDIT)
            begun = [each for each in await unit.branches.of_experiment(present.id) if not each.is_made]
            if step is not None and all(each.from_step != step for each in begun):
                branch = Branch(
                    id=BranchId(self._ids.new()),
                    experiment_id=present.id,
                    project_id=present.project_id,
                    from_step=step,
                    made_at=self._clock.now(),
                    made_by=actor.user_id,
                )
                await unit.branches.add(branch)
                begun.append(branch)
            await unit.commit()
        for branch in begun:
            await self._store.branch(
                present.project_id, present.id, step=branch.from_step, into=branch.series_id
            )
        async with self._units.writing() as unit:
            present = await visible_experiment(unit, actor, experiment_id, Action.EXPERIMENTS_EDIT)
            await _finish(unit, present.id, {branch.id for branch in begun})
            resumed = await unit.experiments.save(present.resume(at=self._clock.now()))
            await unit.commit()
        if begun:
            await self._moved(present.project_id, present.id)
        return resumed

    async def list(self, actor: Actor, experiment_id: ExperimentId) -> tuple[Branch, ...]:
        """An experiment's branches, oldest first, as far as `actor` may see points and final values.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
        """
        async with self._units.reading() as unit:
            present, scope = await unit.experiments.with_scope(experiment_id, asker=actor.user_id)
            require(actor, Action.EXPERIMENTS_VIEW, scope, kind="experiment", key=experiment_id)
            found = [each for each in await unit.branches.of_experiment(experiment_id) if each.is_made]
        counts: dict[ExperimentId, int] = {}
        if found and may(actor, Action.SCALARS_VIEW, scope):
            ids = [branch.series_id for branch in found]
            for row in await self._store.summary(present.project_id, ids):
                counts[row.experiment_id] = counts.get(row.experiment_id, 0) + row.count
        sees_values = may(actor, Action.METRICS_VIEW, scope)
        return tuple(
            branch.evolve(points=counts.get(branch.series_id, 0), values=branch.values if sees_values else ())
            for branch in found
        )


async def _finish(unit: WritingUnit, experiment_id: ExperimentId, moved: set[BranchId]) -> None:
    """Takes the final values along, unless somebody else who resumed at the same time did so already."""
    for branch in await unit.branches.of_experiment(experiment_id):
        if branch.id in moved and not branch.is_made:
            taken = await unit.metrics.withdraw(experiment_id, branch.from_step)
            values = tuple(
                AbandonedValue(
                    name=each.name, label=each.label, step=each.step,
                    value=each.value, created_at=each.created_at,
                )
                for each in taken
            )  # fmt: skip
            await unit.branches.save(branch.made(values))
