"""Use cases of experiments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from tracker.domain.errors import Invalid
from tracker.domain.experiments.drafts.service import (
    EDITABLE,
    Draft,
    Drafting,
    Warn,
    ignored,
    require_here,
)
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.graph import Graph
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.lineage import check_no_cycle, check_parents
from tracker.domain.experiments.names import NameCheck, checked
from tracker.domain.experiments.ordering import positions_after
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.policy import Action, ProjectScope, may, require
from tracker.domain.ids import ExperimentId, ProjectId, PurgeId
from tracker.domain.projects.naming import Family
from tracker.domain.projects.purge import Purge
from tracker.domain.projects.service import visible_project
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["ExperimentService", "erase_experiment", "visible_experiment"]

MOST_AT_ONCE = 1000
"""How many experiments one call creates at most."""


async def visible_experiment(
    unit: ReadingUnit, actor: Actor, experiment_id: ExperimentId, action: Action
) -> Experiment:
    """The experiment, if `actor` may do `action` on it.

    Raises:
        NotFound: there is none, or the actor may not see it.
        Forbidden: they may see it, but not do this.
    """
    experiment, scope = await unit.experiments.with_scope(experiment_id, asker=actor.user_id)
    require(actor, action, scope, kind="experiment", key=experiment_id)
    return experiment


class ExperimentService:
    """Everything people do with experiments.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names new things.
        purge: carries out what deletions left to do; called after each.
        ended: told when an experiment has come to its end.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        clock: Clock,
        ids: IdGenerator,
        purge: Callable[[], Awaitable[object]],
        ended: Callable[[ProjectId, ExperimentId], Awaitable[object]],
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._purge = purge
        self._ended = ended

    async def list(
        self,
        actor: Actor,
        project_id: ProjectId,
        *,
        status: Status | None = None,
        tag: str | None = None,
        name: str | None = None,
    ) -> tuple[Experiment, ...]:
        """A project's experiments in their order, or those with this status, tag and exact name.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_project(unit, actor, project_id, Action.EXPERIMENTS_VIEW)
            if name is None:
                found = await unit.experiments.list(project_id)
            else:
                found = await unit.experiments.named(project_id, name)
        return tuple(
            experiment
            for experiment in found
            if (status is None or experiment.status is status) and (tag is None or tag in experiment.tags)
        )

    async def get(self, actor: Actor, experiment_id: ExperimentId) -> Experiment:
        """One experiment.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            return await visible_experiment(unit, actor, experiment_id, Action.EXPERIMENTS_VIEW)

    async def recent(
        self, actor: Actor, *, project_id: ProjectId | None = None, limit: int = 10
    ) -> tuple[Experiment, ...]:
        """The newest experiments of one project or of all that `actor` may see, newest first.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Invalid: `limit` is not within 1 to 1000.
        """
        if not 1 <= limit <= 1000:
            raise Invalid.field("limit", "must be from 1 to 1000")
        async with self._units.reading() as unit:
            if project_id is not None:
                await visible_project(unit, actor, project_id, Action.EXPERIMENTS_VIEW)
                return await unit.experiments.recent([project_id], limit)
            if actor.is_superuser:
                return await unit.experiments.recent(None, limit)
            projects = await unit.projects.list()
            seen = [p.id for p in projects if may(actor, Action.EXPERIMENTS_VIEW, p.scope)]
            return await unit.experiments.recent(seen, limit)

    async def parents(
        self, actor: Actor, experiments: Iterable[Experiment]
    ) -> Mapping[ExperimentId, Experiment]:
        """The parents of these experiments, which `actor` was given before, as far as they may see them.

        Who made an experiment need not be one who may look at others.
        """
        wanted = {each.parent_id: each.project_id for each in experiments if each.parent_id}
        if not wanted:
            return {}
        async with self._units.reading() as unit:
            seen = {
                project_id
                for project_id in set(wanted.values())
                if may(
                    actor,
                    Action.EXPERIMENTS_VIEW,
                    (await unit.projects.get(project_id, asker=actor.user_id)).scope,
                )
            }
            return await unit.experiments.get_many([key for key in wanted if wanted[key] in seen])

    async def create(
        self,
        actor: Actor,
        project_id: ProjectId,
        *,
        warn: Warn = ignored,
        **fields: Any,
    ) -> Experiment:
        """A new experiment of the project.

        Args:
            actor: who adds it.
            project_id: to which project.
            warn: told what is odd about it, such as a name whose parent is not there.
            fields: its ``name``, 1 to 100 characters, in which ``{num}`` gets the project's next number;
                ``status``, the state it is created in, to which it passes through
                :meth:`Experiment.become`; ``parent_id``, by default found from the name by the
                project's patterns; ``merged_from``; ``color``, by default the palette's next;
                ``position``, by default after all others; description, features, params, git_diff,
                tags, progress; ``end_kind`` and ``end_reason`` of one that failed; ``started_at`` and
                ``completed_at`` of one that ran elsewhere, by default now; ``run_key``, a UUID: where the
                project has an experiment with it, this is given back as it is.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not add to it.
            Invalid: a field breaks a rule, or a parent is not one of the project's experiments.
        """
        async with self._units.writing() as unit:
            project = await visible_project(unit, actor, project_id, Action.EXPERIMENTS_CREATE)
            key = fields.get("run_key")
            if isinstance(key, UUID):
                await unit.lock(f"run:{project_id}:{key}")
                present = await unit.experiments.with_run_key(project_id, key)
                if present is not None:
                    if present.created_by != actor.user_id:
                        require(actor, Action.EXPERIMENTS_VIEW, project.scope, kind="project", key=project_id)
                    return present
            drafting = Drafting(unit, project, actor, self._clock, self._ids)
            (experiment,) = await drafting.made([fields], warn=warn)
            await unit.experiments.add(experiment)
            await unit.commit()
        return experiment

    async def create_many(
        self,
        actor: Actor,
        project_id: ProjectId,
        drafts: Sequence[Draft],
        *,
        warn: Warn = ignored,
        also: Callable[[WritingUnit, Sequence[Experiment]], Awaitable[object]] | None = None,
    ) -> tuple[Experiment, ...]:
        """New experiments of the project, all or none.

        Args:
            actor: who adds them.
            project_id: to which project.
            drafts: at most 1,000 times the fields of :meth:`create`, in the order in which they come
                into being: a name may mean an earlier one as its parent.
            warn: told what is odd about each.
            also: what else is part of it, once they are added.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not add to it.
            Invalid: there are too many, a field breaks a rule, one has a run key, or a parent is not one of
                the project's experiments; the error says in which draft.
        """
        if len(drafts) > MOST_AT_ONCE:
            raise Invalid.field("experiments", f"at most {MOST_AT_ONCE} at once, not {len(drafts)}")
        async with self._units.writing() as unit:
            project = await visible_project(unit, actor, project_id, Action.EXPERIMENTS_CREATE)
            drafting = Drafting(unit, project, actor, self._clock, self._ids)
            experiments = await drafting.made(drafts, warn=warn, within="experiments")
            await unit.experiments.add_many(experiments)
            if also is not None:
                await also(unit, experiments)
            await unit.commit()
        return experiments

    async def check_name(self, actor: Actor, project_id: ProjectId, name: str) -> NameCheck:
        """What creating an experiment of this name would do: a dry run.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            project = await visible_project(unit, actor, project_id, Action.EXPERIMENTS_VIEW)
            patterns = project.settings.naming_patterns
            family = Family(patterns, await unit.experiments.names(project_id))
        return checked(patterns, family, name)

    async def graph(self, actor: Actor, project_id: ProjectId) -> Graph:
        """What came from what in a project.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_project(unit, actor, project_id, Action.EXPERIMENTS_VIEW)
            return Graph(await unit.experiments.graph(project_id))

    async def edit(self, actor: Actor, experiment_id: ExperimentId, **changes: Any) -> Experiment:
        """The experiment with `changes` to any field but its ids and times.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it.
            Invalid: a change breaks a rule, names no editable field, or a parent is not one of the
                project's experiments.
            InvalidTransition: the life cycle does not lead to the wanted status.
            LineageCycle: a wanted parent stands below the experiment.
            Conflict: the run has ended, and so keeps its parameters; or it has not failed, and so has
                nothing to tell of what made it fail.
        """
        for field in changes.keys() - EDITABLE:
            raise Invalid.field(field, "cannot be changed")
        async with self._units.writing() as unit:
            experiment = await visible_experiment(unit, actor, experiment_id, Action.EXPERIMENTS_EDIT)
            changed = experiment.edited(at=self._clock.now(), **changes)
            if changed.parents != experiment.parents:
                await _check_lineage(unit, experiment, changed)
            saved = await unit.experiments.save(changed)
            await unit.commit()
        if saved.status.has_ended and not experiment.status.has_ended:
            await self._ended(saved.project_id, saved.id)
        return saved

    async def reorder(
        self, actor: Actor, project_id: ProjectId, experiment_ids: Sequence[ExperimentId]
    ) -> tuple[Experiment, ...]:
        """The project's experiments after those named were put first, in the given order.

        Their positions are 0, 1, 2, ... then. Others who move or add experiments meanwhile take turns.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not edit its experiments.
            Invalid: an id stands twice or is none of the project's.
        """
        async with self._units.writing() as unit:
            await visible_project(unit, actor, project_id, Action.EXPERIMENTS_EDIT)
            await unit.lock(f"order:{project_id}")
            present = await unit.experiments.positions(project_id)
            await unit.experiments.reorder(positions_after(present, experiment_ids))
            ordered = await unit.experiments.list(project_id)
            await unit.commit()
        return ordered

    async def delete(self, actor: Actor, experiment_id: ExperimentId) -> None:
        """Removes the experiment with its metrics, scalars and branches; its children move to its primary
        parent.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
        """
        async with self._units.writing() as unit:
            experiment, scope = await unit.experiments.with_scope(experiment_id)
            require(actor, Action.EXPERIMENTS_DELETE, scope, kind="experiment", key=experiment_id)
            await erase_experiment(unit, actor, experiment, scope, clock=self._clock, ids=self._ids)
            await unit.commit()
        await self._purge()


async def erase_experiment(
    unit: WritingUnit,
    actor: Actor,
    experiment: Experiment,
    scope: ProjectScope,
    *,
    clock: Clock,
    ids: IdGenerator,
) -> None:
    """Removes an experiment that `actor` may delete, and leaves orders to purge its points; the last of what
    the unit does before it is committed."""
    await unit.lock(f"lineage:{experiment.project_id}")
    for gone in (experiment.id, *await _branches(unit, experiment.id)):
        order = Purge(
            id=PurgeId(ids.new()),
            project_id=experiment.project_id,
            experiment_id=gone,
            requested_at=clock.now(),
        )
        await unit.purges.add(order)
    await unit.blobs.release(experiment.project_id, experiment.id, review_at=order.blobs_from)
    await unit.experiments.delete(experiment.id)
    await record(
        unit, actor, "experiment.delete", "experiment", experiment.id,
        at=clock.now(), scope=scope, name=experiment.name,
    )  # fmt: skip


async def _branches(unit: WritingUnit, experiment_id: ExperimentId) -> list[ExperimentId]:
    """Under which further ids the store keeps points of an experiment."""
    return [branch.series_id for branch in await unit.branches.of_experiment(experiment_id)]


async def _check_lineage(unit: WritingUnit, before: Experiment, after: Experiment) -> None:
    """Lets pass parents that keep the lineage free of cycles, and keeps it as it is until the unit ends."""
    check_parents(after.id, after.parent_id, after.merged_from)
    new = [parent for parent in after.parents if parent not in before.parents]
    if new:
        await unit.lock(f"lineage:{after.project_id}")
        await require_here(unit, after, new)
        check_no_cycle(after.id, new, await unit.experiments.ancestors(new))
