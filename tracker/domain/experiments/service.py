"""Use cases of experiments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from tracker.domain.errors import Invalid, NotFound
from tracker.domain.experiments.experiment import Experiment, color_at
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.lineage import check_no_cycle
from tracker.domain.experiments.ordering import positions_after
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.audit.service import record
from tracker.domain.identity.policy import Action, may, require
from tracker.domain.ids import ExperimentId, ProjectId, PurgeId
from tracker.domain.projects.naming import parent_reference, resolve_parent
from tracker.domain.projects.project import Project
from tracker.domain.projects.purge import Purge
from tracker.domain.projects.service import visible_project
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["ExperimentService", "visible_experiment"]

_EDITABLE = frozenset(Experiment.model_fields) - {
    "id", "project_id", "created_at", "created_by", "started_at", "completed_at", "version",
}  # fmt: skip


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
        """The parents of these experiments, which `actor` was given before, by the parent's id."""
        wanted = {experiment.parent_id for experiment in experiments if experiment.parent_id}
        if not wanted:
            return {}
        async with self._units.reading() as unit:
            return await unit.experiments.get_many(wanted)

    async def create(
        self,
        actor: Actor,
        project_id: ProjectId,
        *,
        name: str,
        status: Status = Status.PLANNED,
        parent_id: ExperimentId | None = None,
        color: str | None = None,
        position: int | None = None,
        **fields: Any,
    ) -> Experiment:
        """A new experiment of the project.

        Args:
            actor: who adds it.
            project_id: to which project.
            name: 1 to 100 characters.
            status: the state it is created in; it passes through :meth:`Experiment.become`.
            parent_id: what it derives from; by default found from `name` by the project's pattern.
            color: by default the palette's next.
            position: by default after all others.
            fields: description, features, params, git_diff, tags, progress.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not add to it.
            Invalid: a field breaks a rule, or the parent is not one of the project's experiments.
        """
        for field in fields.keys() - _EDITABLE:
            raise Invalid.field(field, "is not a field of an experiment")
        now = self._clock.now()
        async with self._units.writing() as unit:
            project = await visible_project(unit, actor, project_id, Action.EXPERIMENTS_CREATE)
            if position is None or color is None:
                await unit.lock(f"order:{project_id}")
                following = await unit.experiments.next_position(project_id)
                position = following if position is None else position
                color = color_at(following) if color is None else color
            if parent_id is None:
                parent_id = await _parent_by_name(unit, project, name)
            else:
                await _check_parent(unit, project_id, parent_id)
            experiment = Experiment(
                id=ExperimentId(self._ids.new()), project_id=project_id, name=name, parent_id=parent_id,
                color=color, position=position, created_at=now, created_by=actor.user_id, **fields,
            ).become(status, at=now)  # fmt: skip
            await unit.experiments.add(experiment)
            await unit.commit()
        return experiment

    async def edit(self, actor: Actor, experiment_id: ExperimentId, **changes: Any) -> Experiment:
        """The experiment with `changes` to any field but its ids and times.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not edit it.
            Invalid: a change breaks a rule, names no editable field, or the parent is not one of
                the project's experiments.
            InvalidTransition: the life cycle does not lead to the wanted status.
            LineageCycle: the wanted parent stands below the experiment.
        """
        for field in changes.keys() - _EDITABLE:
            raise Invalid.field(field, "cannot be changed")
        status = changes.pop("status", None)
        async with self._units.writing() as unit:
            experiment = await visible_experiment(unit, actor, experiment_id, Action.EXPERIMENTS_EDIT)
            parent_id = changes.get("parent_id")
            if parent_id is not None and parent_id != experiment.parent_id:
                await unit.lock(f"lineage:{experiment.project_id}")
                await _check_parent(unit, experiment.project_id, parent_id)
                check_no_cycle(experiment_id, parent_id, await unit.experiments.ancestors(parent_id))
            changed = experiment.evolve(**changes)
            if status is not None:
                changed = changed.become(status, at=self._clock.now())
            saved = await unit.experiments.save(changed)
            await unit.commit()
        if saved.status.has_ended and not experiment.status.has_ended:
            await self._ended(saved.project_id, saved.id)
        return saved

    async def reorder(
        self, actor: Actor, project_id: ProjectId, experiment_ids: Sequence[ExperimentId]
    ) -> tuple[Experiment, ...]:
        """The project's experiments after those named were put first, in the given order.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not edit its experiments.
            Invalid: an id stands twice or is none of the project's.
        """
        async with self._units.writing() as unit:
            await visible_project(unit, actor, project_id, Action.EXPERIMENTS_EDIT)
            await unit.lock(f"order:{project_id}")
            present = await unit.experiments.list(project_id)
            await unit.experiments.reorder(positions_after(present, experiment_ids))
            ordered = await unit.experiments.list(project_id)
            await unit.commit()
        return ordered

    async def delete(self, actor: Actor, experiment_id: ExperimentId) -> None:
        """Removes the experiment with its metrics and scalars; its children move to its parent.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
        """
        async with self._units.writing() as unit:
            experiment, scope = await unit.experiments.with_scope(experiment_id)
            require(actor, Action.EXPERIMENTS_DELETE, scope, kind="experiment", key=experiment_id)
            await unit.lock(f"lineage:{experiment.project_id}")
            await unit.purges.add(
                Purge(
                    id=PurgeId(self._ids.new()),
                    project_id=experiment.project_id,
                    experiment_id=experiment_id,
                    requested_at=self._clock.now(),
                )
            )
            await unit.experiments.delete(experiment_id)
            await record(
                unit, actor, "experiment.delete", "experiment", experiment_id,
                at=self._clock.now(), scope=scope, name=experiment.name,
            )  # fmt: skip
            await unit.commit()
        await self._purge()


async def _check_parent(unit: ReadingUnit, project_id: ProjectId, parent_id: ExperimentId) -> None:
    try:
        parent = await unit.experiments.get(parent_id)
    except NotFound:
        parent = None
    # A parent elsewhere is answered like a missing one: its existence is nobody's business here.
    if parent is None or parent.project_id != project_id:
        raise Invalid.field("parent_id", f"experiment {parent_id} is not in this project", "parent")


async def _parent_by_name(unit: ReadingUnit, project: Project, name: str) -> ExperimentId | None:
    pattern = project.settings.naming_pattern
    reference = parent_reference(pattern, name)
    if reference is None:
        return None
    return resolve_parent(pattern, reference, await unit.experiments.names(project.id))
