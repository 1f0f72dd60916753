"""Experiments in SQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.lineage import MEMBER, MERGED, ancestors_of, healing, line_of, members, merged_ids
from tracker.adapters.sql.searching.attributes import AttributeRows
from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.adapters.sql.tables import experiments, merges, projects
from tracker.domain.errors import NotFound, StaleVersion
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.graph import Member
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, ProjectId, UserId
from tracker.domain.json_tree import thaw

__all__ = ["SqlExperimentRepository"]

_AGE = (experiments.c.created_at, experiments.c.id)
_PLACE = (experiments.c.position, *_AGE)
_KEPT = frozenset({"heartbeat_at", "run_key"})
"""What a save leaves as it is."""
_KEYS_A_QUERY = 500  # SQLite and PostgreSQL both bound the parameters of a statement


class SqlExperimentRepository:
    """Keeps the port :class:`tracker.ports.experiments.ExperimentRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._attributes = AttributeRows(session)
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
            for row in await self._session.rows(_SELECT.where(experiments.c.id.in_(some))):
                found[row.id] = _experiment(row)
        return found

    async def list(self, project_id: ProjectId) -> tuple[Experiment, ...]:
        """A project's, in order."""
        return await self._select(_of(project_id).order_by(*_PLACE))

    async def recent(self, project_ids: Collection[ProjectId] | None, limit: int) -> tuple[Experiment, ...]:
        """The newest first."""
        statement = _SELECT.order_by(*(column.desc() for column in _AGE)).limit(limit)
        if project_ids is not None:
            statement = statement.where(experiments.c.project_id.in_(project_ids))
        return await self._select(statement)

    async def named(self, project_id: ProjectId, name: str) -> tuple[Experiment, ...]:
        """Those of one name, oldest first."""
        return await self._select(_of(project_id).where(experiments.c.name == name).order_by(*_AGE))

    async def with_run_key(self, project_id: ProjectId, run_key: UUID) -> Experiment | None:
        """The one with this key."""
        found = await self._select(_of(project_id).where(experiments.c.run_key == run_key))
        return next(iter(found), None)

    async def beating(self) -> tuple[Experiment, ...]:
        """Those that said that they live."""
        running = experiments.c.status == sa.literal_column("'running'")  # as the partial index has it
        statement = _SELECT.where(running, experiments.c.heartbeat_at.is_not(None))
        return await self._select(statement.order_by(experiments.c.id))

    async def names(
        self, project_id: ProjectId, *, containing: str = ""
    ) -> Sequence[tuple[ExperimentId, str]]:
        """Ids and names, oldest first."""
        statement = (
            sa.select(experiments.c.id, experiments.c.name)
            .where(experiments.c.project_id == project_id)
            .order_by(*_AGE)
        )
        if containing:
            place = sa.func.instr if self._session.dialect == "sqlite" else sa.func.strpos
            statement = statement.where(place(experiments.c.name, containing) > 0)
        return [(row.id, row.name) for row in await self._session.rows(statement)]

    async def graph(self, project_id: ProjectId) -> tuple[Member, ...]:
        """Light rows, in order."""
        statement = MEMBER.where(experiments.c.project_id == project_id).order_by(*_PLACE)
        return members(await self._session.rows(statement))

    async def positions(self, project_id: ProjectId) -> Mapping[ExperimentId, int]:
        """Positions, in order."""
        statement = (
            sa.select(experiments.c.id, experiments.c.position)
            .where(experiments.c.project_id == project_id)
            .order_by(*_PLACE)
        )
        return {row.id: row.position for row in await self._session.rows(statement)}

    async def next_position(self, project_id: ProjectId) -> int:
        """One after the last."""
        last = sa.func.coalesce(sa.func.max(experiments.c.position), -1)
        (row,) = await self._session.rows(
            sa.select(last.label("last")).where(experiments.c.project_id == project_id)
        )
        return int(row.last) + 1

    async def line(self, experiment_id: ExperimentId) -> tuple[ExperimentId, ...]:
        """The primary line above, nearest first."""
        return tuple(row.parent_id for row in await self._session.rows(line_of(experiment_id)))

    async def ancestors(self, experiment_ids: Collection[ExperimentId]) -> frozenset[ExperimentId]:
        """Everything above."""
        return frozenset(row.id for row in await self._session.rows(ancestors_of(experiment_ids)))

    async def add(self, experiment: Experiment) -> None:
        """Keeps a new one."""
        with inserting("experiment", experiment.id):
            await self._session.run(sa.insert(experiments).values(_columns(experiment)))
        self._session.valueless.add(experiment.id)
        await self._merge([experiment])
        await self._attributes.add([experiment])

    async def add_many(self, experiments: Sequence[Experiment]) -> None:
        """Keeps new ones."""
        if experiments:
            with inserting("experiment", f"{experiments[0].id} or a later one"):
                await self._session.run(_INSERT, [_columns(each) for each in experiments])
            self._session.valueless.update(each.id for each in experiments)
            await self._merge(experiments)
            await self._attributes.add(experiments)

    async def save(self, experiment: Experiment) -> Experiment:
        """Keeps a changed one."""
        saved = experiment.evolve(version=experiment.version + 1)
        statement = (
            sa.update(experiments)
            .where(experiments.c.id == experiment.id, experiments.c.version == experiment.version)
            .values(_columns(saved, but=_KEPT if saved.heartbeat_at else _KEPT - {"heartbeat_at"}))
            .returning(MERGED.label("merged_from"), experiments.c.heartbeat_at, experiments.c.run_key)
        )
        with inserting("experiment", experiment.id):
            changed = await self._session.rows(statement)
        if not changed:
            await self.get(experiment.id)
            raise StaleVersion.of("experiment", experiment.id)
        saved = saved.evolve(heartbeat_at=changed[0].heartbeat_at, run_key=changed[0].run_key)
        if merged_ids(changed[0].merged_from) != saved.merged_from:
            await self._session.run(sa.delete(merges).where(merges.c.experiment_id == saved.id))
            await self._merge([saved])
        before = self._loaded.get(experiment.id)
        is_known = before is not None and before.version == experiment.version
        await self._attributes.change(before if is_known else None, saved)
        return saved

    async def beat(self, experiment_id: ExperimentId, at: datetime) -> bool:
        """Sets the heartbeat, in one statement."""
        statement = (
            sa.update(experiments)
            .where(experiments.c.id == experiment_id, experiments.c.status == Status.RUNNING.value)
            .values(heartbeat_at=at)
        )
        return await self._session.run(statement) > 0

    async def reorder(self, positions: Mapping[ExperimentId, int]) -> None:
        """Sets positions, in one statement with one parameter."""
        if not positions:
            return
        if self._session.dialect == "sqlite":
            text = json.dumps({key.hex: position for key, position in positions.items()})
            wanted = sa.func.json_each(text).table_valued("key", "value")
            key: sa.ColumnElement[Any] = wanted.c.key
        else:
            text = json.dumps({str(key): position for key, position in positions.items()})
            document = sa.cast(sa.literal(text, sa.Text), postgresql.JSON)
            wanted = sa.func.json_each_text(document).table_valued("key", "value")
            key = sa.cast(wanted.c.key, sa.Uuid)
        await self._session.run(
            sa.update(experiments)
            .where(experiments.c.id == key)
            .values(position=sa.cast(wanted.c.value, sa.Integer), version=experiments.c.version + 1)
        )

    async def delete(self, experiment_id: ExperimentId) -> None:
        """Removes it; its children move up."""
        gone = await self.get(experiment_id)
        for statement in healing(experiment_id, gone.parent_id):
            await self._session.run(statement)
        await self._session.run(sa.delete(experiments).where(experiments.c.id == experiment_id))

    def _remember(self, loaded: Experiment) -> None:
        """What a writing unit may save changed, so that the change need not be looked up."""
        if self._session.is_writing:
            self._loaded[loaded.id] = loaded

    async def _merge(self, children: Sequence[Experiment]) -> None:
        """Keeps their further parents, of which none is kept yet."""
        edges = [
            {"experiment_id": child.id, "parent_id": parent}
            for child in children
            for parent in child.merged_from
        ]
        if edges:
            with inserting("experiment", edges[0]["experiment_id"]):
                await self._session.run(sa.insert(merges), edges)

    async def _select(self, statement: sa.Select[Any]) -> tuple[Experiment, ...]:
        return tuple(map(_experiment, await self._session.rows(statement)))


_SELECT = sa.select(experiments, MERGED.label("merged_from"))
_INSERT = sa.insert(experiments)


def _of(project_id: ProjectId) -> sa.Select[Any]:
    return _SELECT.where(experiments.c.project_id == project_id)


def _columns(experiment: Experiment, but: Collection[str] = ()) -> dict[str, Any]:
    left_out = {"merged_from", *but}
    return {
        **{name: value for name, value in experiment.__dict__.items() if name not in left_out},
        "status": experiment.status.value,
        "end_kind": None if experiment.end_kind is None else experiment.end_kind.value,
        "features": thaw(experiment.features),
        "params": thaw(experiment.params),
        "tags": list(experiment.tags),
    }


def _experiment(row: Row) -> Experiment:
    return _made(dict(row._mapping))


def _made(columns: dict[str, Any]) -> Experiment:
    return Experiment(
        **{
            **columns,
            "status": Status(columns["status"]),
            "end_kind": None if columns["end_kind"] is None else EndKind(columns["end_kind"]),
            "tags": tuple(columns["tags"]),
            "merged_from": merged_ids(columns["merged_from"]),
        }
    )


def _experiment_with_scope(row: Row) -> tuple[Experiment, ProjectScope]:
    *own, owner_id, team_id = tuple(row)
    experiment = _made(dict(zip((*experiments.c.keys(), "merged_from"), own, strict=True)))
    return experiment, ProjectScope(project_id=row.project_id, owner_id=owner_id, team_id=team_id)


_BY_ID = Lookup.of_one(_SELECT, experiments.c.id, _experiment, gathers=True)
# The project stands first: whoever locks rows of both locks it first, and so nobody waits in a circle.
_WITH_SCOPE = Lookup.of_one(
    sa.select(experiments, MERGED.label("merged_from"), projects.c.owner_id, projects.c.team_id).select_from(
        projects.join(experiments)
    ),
    experiments.c.id,
    _experiment_with_scope,
    gathers=True,
)
