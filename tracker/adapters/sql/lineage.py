"""Statements about who derives from whom; one a question, however large the family is."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.adapters.sql.session import Row
from tracker.adapters.sql.tables import experiments, merges
from tracker.domain.experiments.graph import Member
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId

__all__ = ["MEMBER", "MERGED", "ancestors_of", "healing", "line_of", "members", "merged_ids"]

MERGED: sa.ScalarSelect[Any] = (
    sa.select(sa.func.aggregate_strings(sa.cast(merges.c.parent_id, sa.Text), ","))
    .where(merges.c.experiment_id == experiments.c.id)
    .correlate(experiments)
    .scalar_subquery()
)
"""The ids of further parents as one text, so that an experiment stays one row; NULL for none."""


def merged_ids(text: str | None) -> tuple[ExperimentId, ...]:
    """The ids in it, in order."""
    return tuple(sorted(ExperimentId(UUID(each)) for each in text.split(","))) if text else ()


# The types of columns whose values come back again and again are left out: each value is read once.
MEMBER = sa.select(
    sa.type_coerce(experiments.c.id, sa.Text), experiments.c.name, experiments.c.status,
    sa.type_coerce(experiments.c.parent_id, sa.Text), MERGED, experiments.c.color, experiments.c.position,
    sa.cast(experiments.c.tags, sa.Text), experiments.c.created_at,
)  # fmt: skip
"""What :func:`members` reads."""


def members(rows: Sequence[Row]) -> tuple[Member, ...]:
    """Rows of :data:`MEMBER` as members of a graph."""
    ids = cache(_id)
    tags_in = cache(lambda text: tuple(json.loads(text)))
    return tuple(
        Member(
            ids(key), name, _STATUS[status], None if parent is None else ids(parent), merged_ids(merged),
            color, position, tags_in(tags), created_at,
        )
        for key, name, status, parent, merged, color, position, tags, created_at in map(tuple, rows)
    )  # fmt: skip


_STATUS = {status.value: status for status in Status}


def _id(given: str | UUID) -> ExperimentId:
    """From what the driver gives for an id."""
    return ExperimentId(given if isinstance(given, UUID) else UUID(given))


def line_of(experiment_id: ExperimentId) -> sa.Select[Any]:
    """The primary line above one, nearest first."""
    line = (
        sa.select(experiments.c.parent_id, sa.literal(1).label("distance"))
        .where(experiments.c.id == experiment_id)
        .cte("line", recursive=True)
    )
    above = sa.select(experiments.c.parent_id, line.c.distance + 1).join(
        line, experiments.c.id == line.c.parent_id
    )
    line = line.union_all(above)
    return sa.select(line.c.parent_id).where(line.c.parent_id.is_not(None)).order_by(line.c.distance)


def ancestors_of(experiment_ids: Collection[ExperimentId]) -> sa.Select[Any]:
    """Everything above any of these, in no order."""
    # PostgreSQL wants the recursion in one place. So each experiment is taken twice: once for its
    # primary parent, once (for each there is) for a merged one.
    merged = sa.literal_column("0", sa.Integer).label("merged")
    kind = sa.select(merged).union_all(sa.select(sa.literal_column("1", sa.Integer))).subquery("kind")
    parent = sa.case((kind.c.merged == 0, experiments.c.parent_id), else_=merges.c.parent_id).label("id")
    edges = experiments.outerjoin(merges, merges.c.experiment_id == experiments.c.id).join(kind, sa.true())
    first = sa.select(parent).select_from(edges).where(experiments.c.id.in_(experiment_ids))
    above = first.cte("above", recursive=True)
    above = above.union(sa.select(parent).select_from(edges.join(above, above.c.id == experiments.c.id)))
    return sa.select(above.c.id).where(above.c.id.is_not(None))


def healing(gone: ExperimentId, heir: ExperimentId | None) -> tuple[sa.Executable, ...]:
    """What hands the children of one that goes to its primary parent, in this order."""
    of_gone = experiments.c.parent_id == gone
    merged_gone = sa.select(merges.c.experiment_id).where(merges.c.parent_id == gone)
    aged = {"version": experiments.c.version + 1}
    heired: tuple[sa.Executable, ...] = ()
    if heir is not None:
        children = sa.select(experiments.c.id).where(of_gone)
        derived = sa.select(experiments.c.id).where(experiments.c.parent_id == heir)
        merged = sa.select(merges.c.experiment_id).where(merges.c.parent_id == heir)
        heired = (
            sa.delete(merges).where(merges.c.parent_id == heir, merges.c.experiment_id.in_(children)),
            sa.update(merges)
            .where(merges.c.parent_id == gone, merges.c.experiment_id.not_in(derived.union(merged)))
            .values(parent_id=heir),
        )
    return (
        sa.update(experiments).where(experiments.c.id.in_(merged_gone)).values(aged),
        *heired,
        sa.update(experiments).where(of_gone).values(parent_id=heir, **aged),
    )
