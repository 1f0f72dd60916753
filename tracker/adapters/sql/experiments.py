"""Experiments in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.searching.attributes import AttributeRows
from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.adapters.sql.tables import experiments, projects
from tracker.domain.errors import NotFound, StaleVersion
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, ProjectId, UserId
from tracker.domain.json_tree import thaw

__all__ = ["SqlExperimentRepository"]

_AGE = (experiments.c.created_at, experiments.c.id)
_KEYS_A_QUERY = 500  # SQLite and PostgreSQL both bound the parameters of a statement


class SqlExperimentRepository:
    """Keeps the port :class:`tracker.ports.experiments.ExperimentRepository`."""

    def __init__(self, session: Session, dialect: str) -> None:
        self._session = session
        self._attributes = AttributeRows(session, dialect)
        self._loaded: dict[ExperimentId, Experiment] = {}

    async def get(self, experiment_id: ExperimentId) -> Experiment:
        """The experiment."""
        found = await self._session.find(_BY_ID, experiment_id)
        if found is None:
            raise NotFound.of("experiment", experiment_id)
        self._remember(found)
        return found

    async def with_scope(
        self, experiment_id: ExperimentId, *, asker: UserId | None = None
    ) -> tuple[Experiment, ProjectScope]:
        """The experiment and who its project belongs to, in one query."""
        found = await self._session.find(_WITH_SCOPE, experiment_id, asker)
        if found is None:
            raise NotFound.of("experiment", experiment_id)
        self._remember(found[0])
        return found

    async def get_many(self, experiment_ids: Collection[ExperimentId]) -> Mapping[ExperimentId, Experiment]:
        """Those that exist."""
        keys = list(experiment_ids)
        found = {}
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = keys[start : start + _KEYS_A_QUERY]
            for row in await self._session.rows(sa.select(experiments).where(experiments.c.id.in_(some))):
                found[row.id] = _experiment(row)
        return found

    async def list(self, project_id: ProjectId) -> tuple[Experiment, ...]:
        """A project's, in order."""
        return await self._select(_of(project_id).order_by(experiments.c.position, *_AGE))

    async def recent(self, project_ids: Collection[ProjectId] | None, limit: int) -> tuple[Experiment, ...]:
        """The newest first."""
        statement = sa.select(experiments).order_by(*(column.desc() for column in _AGE)).limit(limit)
        if project_ids is not None:
            statement = statement.where(experiments.c.project_id.in_(project_ids))
        return await self._select(statement)

    async def named(self, project_id: ProjectId, name: str) -> tuple[Experiment, ...]:
        """Those of one name, oldest first."""
        return await self._select(_of(project_id).where(experiments.c.name == name).order_by(*_AGE))

    async def names(self, project_id: ProjectId) -> Sequence[tuple[ExperimentId, str]]:
        """Ids and names, oldest first."""
        statement = (
            sa.select(experiments.c.id, experiments.c.name)
            .where(experiments.c.project_id == project_id)
            .order_by(*_AGE)
        )
        return [(row.id, row.name) for row in await self._session.rows(statement)]

    async def next_position(self, project_id: ProjectId) -> int:
        """One after the last."""
        last = sa.func.coalesce(sa.func.max(experiments.c.position), -1)
        (row,) = await self._session.rows(
            sa.select(last.label("last")).where(experiments.c.project_id == project_id)
        )
        return int(row.last) + 1

    async def ancestors(self, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
        """Everything above, nearest first."""
        line = (
            sa.select(experiments.c.parent_id, sa.literal(1).label("distance"))
            .where(experiments.c.id == experiment_id)
            .cte("line", recursive=True)
        )
        above = sa.select(experiments.c.parent_id, line.c.distance + 1).join(
            line, experiments.c.id == line.c.parent_id
        )
        line = line.union_all(above)
        statement = sa.select(line.c.parent_id).where(line.c.parent_id.is_not(None)).order_by(line.c.distance)
        return tuple(row.parent_id for row in await self._session.rows(statement))

    async def add(self, experiment: Experiment) -> None:
        """Keeps a new one."""
        with inserting("experiment", experiment.id):
            await self._session.run(sa.insert(experiments).values(_columns(experiment)))
        await self._attributes.add([experiment])

    async def save(self, experiment: Experiment) -> Experiment:
        """Keeps a changed one."""
        saved = experiment.evolve(version=experiment.version + 1)
        statement = (
            sa.update(experiments)
            .where(experiments.c.id == experiment.id, experiments.c.version == experiment.version)
            .values(_columns(saved))
        )
        with inserting("experiment", experiment.id):
            changed = await self._session.run(statement)
        if not changed:
            await self.get(experiment.id)
            raise StaleVersion.of("experiment", experiment.id)
        before = self._loaded.get(experiment.id)
        is_known = before is not None and before.version == experiment.version
        await self._attributes.change(before if is_known else None, saved)
        return saved

    async def reorder(self, positions: Mapping[ExperimentId, int]) -> None:
        """Sets positions."""
        for experiment_id, position in positions.items():
            await self._session.run(
                sa.update(experiments)
                .where(experiments.c.id == experiment_id)
                .values(position=position, version=experiments.c.version + 1)
            )

    async def delete(self, experiment_id: ExperimentId) -> None:
        """Removes it; its children move up."""
        gone = await self.get(experiment_id)
        await self._session.run(
            sa.update(experiments)
            .where(experiments.c.parent_id == experiment_id)
            .values(parent_id=gone.parent_id, version=experiments.c.version + 1)
        )
        await self._session.run(sa.delete(experiments).where(experiments.c.id == experiment_id))

    def _remember(self, loaded: Experiment) -> None:
        """What a writing unit may save changed, so that the change need not be looked up."""
        if self._session.is_writing:
            self._loaded[loaded.id] = loaded

    async def _select(self, statement: sa.Select[Any]) -> tuple[Experiment, ...]:
        return tuple(map(_experiment, await self._session.rows(statement)))


def _of(project_id: ProjectId) -> sa.Select[Any]:
    return sa.select(experiments).where(experiments.c.project_id == project_id)


def _columns(experiment: Experiment) -> dict[str, Any]:
    return {
        **{name: value for name, value in experiment.__dict__.items() if name != "merged_from"},
        "status": experiment.status.value,
        "features": thaw(experiment.features),
        "params": thaw(experiment.params),
        "tags": list(experiment.tags),
    }


def _experiment(row: Row) -> Experiment:
    return Experiment(**{**row._mapping, "status": Status(row.status), "tags": tuple(row.tags)})


def _experiment_with_scope(row: Row) -> tuple[Experiment, ProjectScope]:
    *own, owner_id, team_id = tuple(row)
    columns: dict[str, Any] = dict(zip(experiments.c.keys(), own, strict=True))
    columns |= {"status": Status(row.status), "tags": tuple(row.tags)}
    return Experiment(**columns), ProjectScope(project_id=row.project_id, owner_id=owner_id, team_id=team_id)


_BY_ID = Lookup.of_one(sa.select(experiments), experiments.c.id, _experiment)
_WITH_SCOPE = Lookup.of_one(
    sa.select(experiments, projects.c.owner_id, projects.c.team_id).join(projects),
    experiments.c.id,
    _experiment_with_scope,
)
