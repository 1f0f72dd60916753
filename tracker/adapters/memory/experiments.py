"""Experiments in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tracker.adapters.memory.artifacts import forget_artifacts
from tracker.adapters.memory.evaluation.forgetting import forget_tracked
from tracker.adapters.memory.hypotheses import forget_links
from tracker.adapters.memory.state import Current
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.graph import Member
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, ProjectId, UserId

__all__ = ["MemoryExperimentRepository"]


class MemoryExperimentRepository:
    """Keeps the port :class:`tracker.ports.experiments.ExperimentRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def get(self, experiment_id: ExperimentId) -> Experiment:
        """The experiment."""
        try:
            return self._current.state.experiments[experiment_id]
        except KeyError as error:
            raise NotFound.of("experiment", experiment_id) from error

    async def with_scope(
        self, experiment_id: ExperimentId, *, asker: UserId | None = None
    ) -> tuple[Experiment, ProjectScope]:
        """The experiment and who its project belongs to."""
        experiment = await self.get(experiment_id)
        return experiment, self._current.state.projects[experiment.project_id].scope

    async def get_many(self, experiment_ids: Collection[ExperimentId]) -> Mapping[ExperimentId, Experiment]:
        """Those that exist."""
        found = self._current.state.experiments
        return {key: found[key] for key in experiment_ids if key in found}

    async def list(self, project_id: ProjectId) -> tuple[Experiment, ...]:
        """A project's, in order."""
        return tuple(sorted(self._of(project_id), key=lambda e: (e.position, *_age(e))))

    async def recent(self, project_ids: Collection[ProjectId] | None, limit: int) -> tuple[Experiment, ...]:
        """The newest first."""
        experiments = self._current.state.experiments.values()
        found = [e for e in experiments if project_ids is None or e.project_id in project_ids]
        return tuple(sorted(found, key=_age, reverse=True)[:limit])

    async def named(self, project_id: ProjectId, name: str) -> tuple[Experiment, ...]:
        """Those of one name, oldest first."""
        return tuple(sorted((e for e in self._of(project_id) if e.name == name), key=_age))

    async def with_run_key(self, project_id: ProjectId, run_key: UUID) -> Experiment | None:
        """The one with this key."""
        return next((e for e in self._of(project_id) if e.run_key == run_key), None)

    async def beating(self) -> tuple[Experiment, ...]:
        """Those that said that they live."""
        experiments = self._current.state.experiments.values()
        found = (e for e in experiments if e.status is Status.RUNNING and e.heartbeat_at is not None)
        return tuple(sorted(found, key=lambda e: e.id))

    async def names(
        self, project_id: ProjectId, *, containing: str = ""
    ) -> Sequence[tuple[ExperimentId, str]]:
        """Ids and names, oldest first."""
        return [(e.id, e.name) for e in sorted(self._of(project_id), key=_age) if containing in e.name]

    async def graph(self, project_id: ProjectId) -> tuple[Member, ...]:
        """Light rows, in order."""
        return tuple(
            Member(
                e.id, e.name, e.status, e.parent_id, e.merged_from, e.color, e.position, e.tags, e.created_at
            )
            for e in await self.list(project_id)
        )

    async def positions(self, project_id: ProjectId) -> Mapping[ExperimentId, int]:
        """Positions, in order."""
        return {e.id: e.position for e in await self.list(project_id)}

    async def next_position(self, project_id: ProjectId) -> int:
        """One after the last."""
        return max((e.position for e in self._of(project_id)), default=-1) + 1

    async def line(self, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
        """The primary line above, nearest first."""
        line: list[ExperimentId] = []
        experiments = self._current.state.experiments
        node = experiments.get(experiment_id)
        while node is not None and node.parent_id is not None:
            line.append(node.parent_id)
            node = experiments.get(node.parent_id)
        return tuple(line)

    async def ancestors(self, experiment_ids: Collection[ExperimentId]) -> frozenset[ExperimentId]:
        """Everything above."""
        experiments = self._current.state.experiments
        above: set[ExperimentId] = set()
        found = list(experiment_ids)
        for key in found:
            parents = experiments[key].parents if key in experiments else ()
            new = [parent for parent in parents if parent not in above]
            above.update(new)
            found.extend(new)
        return frozenset(above)

    async def add(self, experiment: Experiment) -> None:
        """Keeps a new one."""
        state = self._current.state
        if experiment.id in state.experiments:
            raise AlreadyExists(f"experiment {experiment.id} is there already")
        key = experiment.run_key
        if key is not None and await self.with_run_key(experiment.project_id, key) is not None:
            raise AlreadyExists(f"an experiment with the run key {key} is there already")
        if experiment.project_id not in state.projects:
            raise NotFound.of("project", experiment.project_id)
        self._require_parents(experiment)
        state.experiments[experiment.id] = experiment

    async def add_many(self, experiments: Sequence[Experiment]) -> None:
        """Keeps new ones."""
        for experiment in experiments:
            await self.add(experiment)

    async def save(self, experiment: Experiment) -> Experiment:
        """Keeps a changed one."""
        present = await self.get(experiment.id)
        if present.version != experiment.version:
            raise StaleVersion.of("experiment", experiment.id)
        self._require_parents(experiment)
        heartbeat_at = None if experiment.heartbeat_at is None else present.heartbeat_at
        saved = experiment.evolve(
            heartbeat_at=heartbeat_at, run_key=present.run_key, version=experiment.version + 1
        )
        self._current.state.experiments[experiment.id] = saved
        return saved

    async def beat(self, experiment_id: ExperimentId, at: datetime) -> bool:
        """Sets the heartbeat."""
        experiments = self._current.state.experiments
        present = experiments.get(experiment_id)
        if present is None or present.status is not Status.RUNNING:
            return False
        experiments[experiment_id] = present.evolve(heartbeat_at=at)
        return True

    async def reorder(self, positions: Mapping[ExperimentId, int]) -> None:
        """Sets positions."""
        experiments = self._current.state.experiments
        for key, position in positions.items():
            if key in experiments:
                present = experiments[key]
                experiments[key] = present.evolve(position=position, version=present.version + 1)

    async def delete(self, experiment_id: ExperimentId) -> None:
        """Removes it; its children move up."""
        gone = await self.get(experiment_id)
        state = self._current.state
        del state.experiments[experiment_id]
        for child in [e for e in state.experiments.values() if experiment_id in e.parents]:
            state.experiments[child.id] = _healed(child, gone)
        branches = state.branches.items()
        state.branches = {key: each for key, each in branches if each.experiment_id != experiment_id}
        state.metrics = {key: m for key, m in state.metrics.items() if m.experiment_id != experiment_id}
        state.series = {key: mark for key, mark in state.series.items() if key[0] != experiment_id}
        forget_artifacts(state, [experiment_id])
        forget_tracked(state, [experiment_id])
        forget_links(state, experiments=[experiment_id])

    def _of(self, project_id: ProjectId) -> Sequence[Experiment]:
        return [e for e in self._current.state.experiments.values() if e.project_id == project_id]

    def _require_parents(self, experiment: Experiment) -> None:
        for parent_id in experiment.parents:
            if parent_id not in self._current.state.experiments:
                raise NotFound.of("experiment", parent_id)


def _age(experiment: Experiment) -> tuple[datetime, UUID]:
    return (experiment.created_at, experiment.id)


def _healed(child: Experiment, gone: Experiment) -> Experiment:
    """The child with the parent of the gone one in its place."""
    heir = gone.parent_id
    parent_id = heir if child.parent_id == gone.id else child.parent_id
    merged = set(child.merged_from) - {gone.id}
    if gone.id in child.merged_from and heir is not None:
        merged.add(heir)
    return child.evolve(
        parent_id=parent_id, merged_from=tuple(merged - {parent_id}), version=child.version + 1
    )
