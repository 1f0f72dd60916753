"""Branches in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.session import Row, Session
from tracker.adapters.sql.tables import branches, experiments
from tracker.domain.errors import NotFound
from tracker.domain.experiments.branch import AbandonedValue, Branch
from tracker.domain.ids import BranchId, ExperimentId, ProjectId

__all__ = ["SqlBranchRepository"]

_SELECT = sa.select(branches, experiments.c.project_id).join(
    experiments, experiments.c.id == branches.c.experiment_id
)
_KEYS_A_QUERY = 500


class SqlBranchRepository:
    """Keeps the port :class:`tracker.ports.branches.BranchRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, branch: Branch) -> None:
        """Keeps a new one."""
        with inserting("branch", branch.id):
            await self._session.run(sa.insert(branches).values(_columns(branch)))

    async def save(self, branch: Branch) -> None:
        """Keeps a changed one."""
        changed = {name: value for name, value in _columns(branch).items() if name in ("is_made", "values")}
        statement = sa.update(branches).where(branches.c.id == branch.id).values(changed)
        if not await self._session.run(statement):
            raise NotFound.of("branch", branch.id)

    async def of_experiment(self, experiment_id: ExperimentId) -> tuple[Branch, ...]:
        """An experiment's, oldest first."""
        statement = _SELECT.where(branches.c.experiment_id == experiment_id)
        rows = await self._session.rows(statement.order_by(branches.c.made_at, branches.c.id))
        return tuple(map(_branch, rows))

    async def of_project(self, project_id: ProjectId) -> frozenset[BranchId]:
        """The ids of a project's."""
        statement = sa.select(branches.c.id).join(experiments, experiments.c.id == branches.c.experiment_id)
        rows = await self._session.rows(statement.where(experiments.c.project_id == project_id))
        return frozenset(BranchId(row.id) for row in rows)

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Branch]:
        """Those that exist."""
        keys = list(ids)
        found: dict[UUID, Branch] = {}
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = keys[start : start + _KEYS_A_QUERY]
            for row in await self._session.rows(_SELECT.where(branches.c.id.in_(some))):
                found[row.id] = _branch(row)
        return found


def _columns(branch: Branch) -> dict[str, Any]:
    left_out = {"project_id", "points"}
    return {
        **{name: value for name, value in branch.__dict__.items() if name not in left_out},
        "values": [{**each.__dict__, "created_at": each.created_at.isoformat()} for each in branch.values],
    }


def _branch(row: Row) -> Branch:
    values = tuple(
        AbandonedValue(**{**each, "created_at": datetime.fromisoformat(each["created_at"])})
        for each in row._mapping["values"]
    )
    return Branch(**{**row._mapping, "values": values})
