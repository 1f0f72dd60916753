"""Hypotheses in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.hypothesis_tables import (
    decisions,
    hypotheses,
    hypothesis_experiments,
    hypothesis_queries,
)
from tracker.adapters.sql.session import Lookup, Row, Session
from tracker.adapters.sql.tables import experiments, projects
from tracker.domain.errors import NotFound, StaleVersion
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.facts import ExperimentRow
from tracker.domain.hypotheses.hypothesis import (
    Baseline,
    BaselineRule,
    Decision,
    Hypothesis,
    HypothesisStatus,
    Target,
)
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, HypothesisId, ProjectId, UserId
from tracker.domain.projects.project import Direction

__all__ = ["SqlHypothesisRepository"]

_Links = dict[HypothesisId, tuple[list[Any], list[Any]]]
"""The linked experiments and saved queries of each hypothesis."""

_AGE = (hypotheses.c.created_at, hypotheses.c.id)
_KEYS_A_QUERY = 500
_ELSEWHERE = frozenset({"experiments", "queries", "decision"})
_LINKS = (
    (hypothesis_experiments, hypothesis_experiments.c.experiment_id),
    (hypothesis_queries, hypothesis_queries.c.query_id),
)


class SqlHypothesisRepository:
    """Keeps the port :class:`tracker.ports.hypotheses.HypothesisRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def with_scope(
        self, hypothesis_id: HypothesisId, *, asker: UserId | None = None
    ) -> tuple[Hypothesis, ProjectScope]:
        """The hypothesis and who its project belongs to."""
        found = await self._session.find(_WITH_SCOPE, hypothesis_id, asker)
        # Asked for whether or not there is one, so that the time does not tell.
        links, last = await self._links([hypothesis_id]), await self._last_decisions([hypothesis_id])
        if found is None:
            raise NotFound.of("hypothesis", hypothesis_id)
        columns, scope = found
        return _hypothesis(columns, links, last), scope

    async def list(self, project_id: ProjectId) -> tuple[Hypothesis, ...]:
        """A project's, oldest first."""
        statement = sa.select(hypotheses).where(hypotheses.c.project_id == project_id).order_by(*_AGE)
        return await self._with_links(await self._session.rows(statement))

    async def recent(self, project_ids: Collection[ProjectId] | None, limit: int) -> tuple[Hypothesis, ...]:
        """The newest first."""
        statement = sa.select(hypotheses).order_by(*(column.desc() for column in _AGE)).limit(limit)
        if project_ids is not None:
            statement = statement.where(hypotheses.c.project_id.in_(project_ids))
        return await self._with_links(await self._session.rows(statement))

    async def add(self, hypothesis: Hypothesis) -> None:
        """Keeps a new one with its links."""
        with inserting("hypothesis", hypothesis.id):
            await self._session.run(sa.insert(hypotheses).values(_columns(hypothesis)))
            await self._link(hypothesis)

    async def save(self, hypothesis: Hypothesis) -> Hypothesis:
        """Keeps a changed one with its links."""
        saved = hypothesis.evolve(version=hypothesis.version + 1)
        statement = (
            sa.update(hypotheses)
            .where(hypotheses.c.id == hypothesis.id, hypotheses.c.version == hypothesis.version)
            .values(_columns(saved))
        )
        with inserting("hypothesis", hypothesis.id):
            changed = await self._session.run(statement)
            if changed:
                await self._link(hypothesis)
        present, _ = await self.with_scope(hypothesis.id)
        if not changed:
            raise StaleVersion.of("hypothesis", hypothesis.id)
        return present

    async def delete(self, hypothesis_id: HypothesisId) -> None:
        """Removes it with its links and decisions."""
        if not await self._session.run(sa.delete(hypotheses).where(hypotheses.c.id == hypothesis_id)):
            raise NotFound.of("hypothesis", hypothesis_id)

    async def decide(self, decision: Decision) -> None:
        """Adds to the log."""
        values = {
            **decision.__dict__,
            "status": None if decision.status is None else decision.status.value,
            "computed": decision.computed.value,
        }
        with inserting("decision", decision.id):
            await self._session.run(sa.insert(decisions).values(values))

    async def decisions(self, hypothesis_id: HypothesisId) -> tuple[Decision, ...]:
        """All about one, oldest first."""
        return tuple(map(_decision, await self._session.rows(_said_of([hypothesis_id]))))

    async def rows(self, project_id: ProjectId) -> Sequence[ExperimentRow]:
        """What evidence needs of a project's experiments."""
        columns = (experiments.c[name] for name in ExperimentRow._fields)
        statement = (
            sa.select(*columns).where(experiments.c.project_id == project_id).order_by(experiments.c.id)
        )
        return [
            ExperimentRow(row.id, row.name, Status(row.status), row.parent_id, row.features, row.params)
            for row in await self._session.rows(statement)
        ]

    async def _with_links(self, found: Sequence[Row]) -> tuple[Hypothesis, ...]:
        keys = [row.id for row in found]
        links, last = await self._links(keys), await self._last_decisions(keys)
        return tuple(_hypothesis(dict(row._mapping), links, last) for row in found)

    async def _links(self, keys: Sequence[HypothesisId]) -> _Links:
        """The linked experiments and queries of each."""
        links: _Links = {key: ([], []) for key in keys}
        for some in _parts(keys):
            parts = [
                sa.select(
                    table.c.hypothesis_id, sa.literal(kind).label("kind"), linked.label("linked")
                ).where(table.c.hypothesis_id.in_(some))
                for kind, (table, linked) in enumerate(_LINKS)
            ]
            for row in await self._session.rows(sa.union_all(*parts)):
                links[row.hypothesis_id][row.kind].append(row.linked)
        return links

    async def _last_decisions(self, keys: Sequence[HypothesisId]) -> dict[HypothesisId, Decision]:
        last: dict[HypothesisId, Decision] = {}
        for some in _parts(keys):
            for row in await self._session.rows(_said_of(some)):
                last[row.hypothesis_id] = _decision(row)
        return last

    async def _link(self, hypothesis: Hypothesis) -> None:
        """Makes the links those of `hypothesis`."""
        present = (await self._links([hypothesis.id]))[hypothesis.id]
        wanted: tuple[Collection[UUID], ...] = (hypothesis.experiments, hypothesis.queries)
        for (table, column), before, after in zip(_LINKS, present, wanted, strict=True):
            for some in _parts(sorted(set(before) - set(after))):
                await self._session.run(
                    sa.delete(table).where(table.c.hypothesis_id == hypothesis.id, column.in_(some))
                )
            for some in _parts(sorted(set(after) - set(before))):
                rows = [{"hypothesis_id": hypothesis.id, column.name: each} for each in some]
                await self._session.run(sa.insert(table).values(rows))


def _parts(keys: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (keys[start : start + _KEYS_A_QUERY] for start in range(0, len(keys), _KEYS_A_QUERY))


def _said_of(keys: Sequence[HypothesisId]) -> sa.Select[Any]:
    return (
        sa.select(decisions)
        .where(decisions.c.hypothesis_id.in_(keys))
        .order_by(decisions.c.at, decisions.c.id)
    )


def _columns(hypothesis: Hypothesis) -> dict[str, Any]:
    return {
        **{name: value for name, value in hypothesis.__dict__.items() if name not in _ELSEWHERE},
        "targets": [target.model_dump(mode="json") for target in hypothesis.targets],
        "baseline": str(hypothesis.baseline),
    }


def _hypothesis(
    columns: dict[str, Any],
    links: _Links,
    last: dict[HypothesisId, Decision],
) -> Hypothesis:
    key = columns["id"]
    decision = last.get(key)
    linked, queries = links[key]
    return Hypothesis(
        **{
            **columns,
            "targets": tuple(map(_target, columns["targets"])),
            "baseline": _baseline(columns["baseline"]),
            "experiments": tuple(linked),
            "queries": tuple(queries),
            "decision": None if decision is None or decision.status is None else decision,
        }
    )


def _target(stored: dict[str, Any]) -> Target:
    direction = stored["direction"]
    return Target(**{**stored, "direction": None if direction is None else Direction(direction)})


def _baseline(text: str) -> Baseline:
    return BaselineRule(text) if text in list(BaselineRule) else ExperimentId(UUID(text))


def _decision(row: Row) -> Decision:
    return Decision(
        **{
            **row._mapping,
            "status": None if row.status is None else HypothesisStatus(row.status),
            "computed": HypothesisStatus(row.computed),
        }
    )


def _with_scope(row: Row) -> tuple[dict[str, Any], ProjectScope]:
    *own, owner_id, team_id = tuple(row)
    columns = dict(zip(hypotheses.c.keys(), own, strict=True))
    return columns, ProjectScope(project_id=row.project_id, owner_id=owner_id, team_id=team_id)


_WITH_SCOPE = Lookup.of_one(
    sa.select(hypotheses, projects.c.owner_id, projects.c.team_id).join(projects),
    hypotheses.c.id,
    _with_scope,
)
