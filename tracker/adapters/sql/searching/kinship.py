"""Who is a child, descendant or ancestor of somebody, as a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tracker.adapters.sql.tables import experiments, merges
from tracker.domain.ids import ProjectId
from tracker.domain.search.query import Related, Relation

__all__ = ["kin"]


def kin(test: Related, projects: Sequence[ProjectId]) -> sa.Select[Any]:
    """The ids of those who stand in the relation; they need not be in these projects themselves.

    Args:
        test: with its ids looked up.
        projects: to which the lineages belong.
    """
    ids = test.ids or ()
    if test.relation is Relation.CHILD:
        return sa.select(experiments.c.id).where(experiments.c.parent_id.in_(ids))
    edges = _edges(projects).subquery()
    near, far = (
        (edges.c.child, edges.c.parent)
        if test.relation is Relation.DESCENDANT
        else (edges.c.parent, edges.c.child)
    )
    line = sa.select(near.label("id")).where(far.in_(ids)).cte(recursive=True)
    # A union, not all of it: a diamond's tip is reached twice, and gone on from once.
    line = line.union(sa.select(near).join(line, far == line.c.id))
    return sa.select(line.c.id)


def _edges(projects: Sequence[ProjectId]) -> sa.CompoundSelect[Any]:
    primary = sa.select(experiments.c.id.label("child"), experiments.c.parent_id.label("parent")).where(
        experiments.c.parent_id.is_not(None), experiments.c.project_id.in_(projects)
    )
    merged = sa.select(merges.c.experiment_id, merges.c.parent_id)
    return sa.union_all(primary, merged)
