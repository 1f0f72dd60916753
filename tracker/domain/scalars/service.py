"""Use cases of time series."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from tracker.domain.errors import NotFound, Unavailable
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, ProjectScope, may, require
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.projects.purge import Purge
from tracker.domain.projects.service import visible_project
from tracker.domain.scalars.batch import ScalarBatch, StepTags
from tracker.domain.scalars.recent_scopes import RecentScopes
from tracker.domain.scalars.record import ScalarRecord, batch_of
from tracker.domain.scalars.series import (
    News,
    Ranking,
    SampledSeries,
    SampleQuery,
    Series,
    SeriesSummary,
    TimeWindow,
)
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.scalars import ScalarStore
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["ScalarService"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OPEN = TimeWindow()
_PURGES_A_SWEEP = 100


class ScalarService:
    """Logs points and reads them back as series, samples and summaries.

    Args:
        units: opens units of work.
        store: of the points.
        clock: tells when points without a time came.
        ids: names batches.
        logged: told when an experiment got points.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        store: ScalarStore,
        clock: Clock,
        ids: IdGenerator,
        logged: Callable[[ProjectId, ExperimentId], object],
    ) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._ids = ids
        self._logged = logged
        self._scopes = RecentScopes()

    async def log(
        self,
        actor: Actor,
        experiment_id: ExperimentId,
        records: Sequence[ScalarRecord],
        *,
        batch_id: BatchId | None = None,
    ) -> None:
        """Keeps all records, or none; they are durable when it returns.

        Args:
            actor: who logs.
            experiment_id: to which experiment.
            records: in arrival order.
            batch_id: the same id again changes nothing, so that a retry is safe.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
            Forbidden: they may not log to it.
            Unavailable: the store is full or does not answer; nothing was kept.
        """
        new = batch_id or BatchId(self._ids.new())
        rows = [record.row() for record in records]
        now = self._clock.now()
        await self.append(actor, batch_of(rows, batch_id=new, experiment_id=experiment_id, now=now))

    async def append(self, actor: Actor, batch: ScalarBatch) -> None:
        """Keeps a batch of columns. Raises what :meth:`log` raises."""
        experiment_id = batch.experiment_id
        asked = actor.user_id, experiment_id
        scope = known = self._scopes.find(asked, self._clock.now())
        if scope is None:
            async with self._units.reading() as unit:
                _, scope = await unit.experiments.with_scope(experiment_id, asker=actor.user_id)
        require(actor, Action.SCALARS_LOG, scope, kind="experiment", key=experiment_id)
        if known is None:  # only now: a second refusal must not come sooner than the first
            self._scopes.keep(asked, scope)
        if len(batch) or batch.tags:
            await self._store.append(scope.project_id, batch)
            self._logged(scope.project_id, experiment_id)

    async def read(
        self,
        actor: Actor,
        experiment_id: ExperimentId,
        name: str,
        *,
        start: int | None = None,
        stop: int | None = None,
    ) -> Series:
        """Every point of one scalar with ``start <= step < stop``, by (step, arrival).

        Raises:
            NotFound: there is no such experiment that `actor` may see.
        """
        project_id = await self._home(actor, experiment_id)
        return await self._store.read(project_id, experiment_id, name, start=start, stop=stop)

    async def sample(
        self, actor: Actor, project_id: ProjectId, query: SampleQuery
    ) -> tuple[SampledSeries, ...]:
        """Thinned series of a project's experiments; no experiments in `query` means all of them.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_project(unit, actor, project_id, Action.SCALARS_VIEW)
            if query.experiments:
                runs = await unit.experiments.get_many(query.experiments)
                branches = await unit.branches.get_many(query.experiments)
                homes = {key: each.project_id for key, each in runs.items()}
                homes |= {each.series_id: each.project_id for each in branches.values()}
                chosen = [key for key in query.experiments if homes.get(key) == project_id]
            else:
                chosen = [experiment.id for experiment in await unit.experiments.list(project_id)]
        if not chosen:
            return ()
        return await self._store.sample(project_id, query.evolve(experiments=tuple(dict.fromkeys(chosen))))

    async def sample_experiment(
        self, actor: Actor, experiment_id: ExperimentId, query: SampleQuery
    ) -> tuple[SampledSeries, ...]:
        """Thinned series of one experiment, whichever `query` names.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
        """
        query = query.evolve(experiments=(experiment_id,))
        project_id = await self._home(actor, experiment_id)
        return await self._store.sample(project_id, query)

    async def since(
        self,
        actor: Actor,
        experiment_id: ExperimentId,
        cursor: str | None = None,
        *,
        names: Collection[str] | None = None,
    ) -> News:
        """What an experiment got after `cursor` was given (``None`` = all it has).

        Raises:
            NotFound: there is no such experiment that `actor` may see.
            Invalid: `cursor` was not given for this experiment.
        """
        project_id = await self._home(actor, experiment_id)
        return await self._store.since(project_id, experiment_id, cursor, names=names)

    async def summary_of(
        self, actor: Actor, experiment_id: ExperimentId, names: Collection[str] | None = None
    ) -> tuple[SeriesSummary, ...]:
        """One row for each series of an experiment.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
        """
        project_id = await self._home(actor, experiment_id)
        return await self._store.summary(project_id, [experiment_id], names)

    async def tags(
        self, actor: Actor, experiment_id: ExperimentId, window: TimeWindow = _OPEN
    ) -> tuple[StepTags, ...]:
        """The tags put on an experiment's steps.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
        """
        project_id = await self._home(actor, experiment_id)
        return await self._store.tags(project_id, experiment_id, window)

    async def summary(
        self,
        actor: Actor,
        project_id: ProjectId,
        experiments: Collection[ExperimentId] | None = None,
        names: Collection[str] | None = None,
    ) -> tuple[SeriesSummary, ...]:
        """One row for each series of the project; of branches only of those that are asked for.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_project(unit, actor, project_id, Action.SCALARS_VIEW)
            hidden = await unit.branches.of_project(project_id) if experiments is None else ()
        rows = await self._store.summary(project_id, experiments, names)
        return tuple(row for row in rows if row.experiment_id not in hidden) if hidden else rows

    async def top(
        self,
        actor: Actor,
        project_id: ProjectId,
        name: str,
        *,
        by: Ranking = Ranking.LAST,
        k: int = 10,
        descending: bool = True,
    ) -> tuple[SeriesSummary, ...]:
        """The `k` best series called `name` in the project, those of branches left out.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_project(unit, actor, project_id, Action.SCALARS_VIEW)
            hidden = await unit.branches.of_project(project_id)
        # A branch has at most one series of a name, so among so many there are `k` others, if there are any.
        found = await self._store.top(project_id, name, by=by, k=k + len(hidden), descending=descending)
        return tuple(row for row in found if row.experiment_id not in hidden)[:k]

    async def last_logged(
        self, actor: Actor, project_id: ProjectId, experiments: Collection[ExperimentId] | None = None
    ) -> Mapping[ExperimentId, datetime]:
        """When each experiment that has points last got one (``None`` = of all).

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        latest: dict[ExperimentId, int] = {}
        for row in await self.summary(actor, project_id, experiments):
            latest[row.experiment_id] = max(row.modified, latest.get(row.experiment_id, row.modified))
        return {experiment_id: _EPOCH + _MICROSECOND * time for experiment_id, time in latest.items()}

    async def sweep(self) -> int:
        """Removes the points of what was deleted; the number of orders carried out.

        A deletion is done once it is committed: an order that the store cannot carry out now stays
        for the next sweep and is no error.
        """
        async with self._units.reading() as unit:
            orders = await unit.purges.pending(_PURGES_A_SWEEP)
        done = [order for order in orders if await self._carried_out(order)]
        if done:
            async with self._units.writing() as unit:
                for order in done:
                    await unit.purges.remove(order.id)
                await unit.commit()
        return len(done)

    async def settle(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        """Has the points of an experiment compressed that has ended.

        A store that cannot do it now is no error: maintenance comes by later.
        """
        with suppress(Unavailable):
            await self._store.settle(project_id, experiment_id)

    async def maintain(self, budget: float) -> None:
        """Spends about `budget` seconds on what makes later reads faster and files smaller.

        Raises:
            Unavailable: a part of the store could not be maintained.
        """
        await self._store.maintain(budget)

    async def _carried_out(self, order: Purge) -> bool:
        try:
            await self._store.delete(order.project_id, order.experiment_id)
        except Unavailable:
            return False
        return True

    async def _home(self, actor: Actor, owner_id: ExperimentId) -> ProjectId:
        """The project of an experiment, or of a branch's experiment, whose points `actor` may view."""
        async with self._units.reading() as unit:
            known = await _scope(unit, actor, owner_id)
            if known is None or not may(actor, Action.SCALARS_VIEW, known):
                # Also asked of an experiment that is hidden: that must take as long as if it was none.
                branch = (await unit.branches.get_many([owner_id])).get(owner_id)
                if branch is not None:
                    known = await _scope(unit, actor, branch.experiment_id)
        if known is None:
            raise NotFound.of("experiment", owner_id)
        require(actor, Action.SCALARS_VIEW, known, kind="experiment", key=owner_id)
        return known.project_id


async def _scope(unit: ReadingUnit, actor: Actor, experiment_id: ExperimentId) -> ProjectScope | None:
    try:
        return (await unit.experiments.with_scope(experiment_id, asker=actor.user_id))[1]
    except NotFound:
        return None
