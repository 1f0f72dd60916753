"""The tables of hypotheses, in the metadata of all tables."""

from __future__ import annotations

import sqlalchemy as sa

from tracker.adapters.sql.search_tables import metadata
from tracker.adapters.sql.types import UtcDateTime

__all__ = ["decisions", "hypotheses", "hypothesis_experiments", "hypothesis_queries", "metadata"]


def _of_hypothesis() -> sa.Column[object]:
    return sa.Column("hypothesis_id", sa.Uuid, sa.ForeignKey("hypotheses.id", ondelete="CASCADE"))


hypotheses = sa.Table(
    "hypotheses",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("author_id", sa.Uuid, sa.ForeignKey("users.id", ondelete="SET NULL"), index=True),
    sa.Column("targets", sa.JSON, nullable=False),
    sa.Column("baseline", sa.Text, nullable=False),  # root, parent, best or an experiment's id
    sa.Column("threshold", sa.Double, nullable=False),
    sa.Column("alpha", sa.Double, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False, index=True),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

hypothesis_experiments = sa.Table(
    "hypothesis_experiments",
    metadata,
    _of_hypothesis(),
    sa.Column("experiment_id", sa.Uuid, sa.ForeignKey("experiments.id", ondelete="CASCADE"), index=True),
    sa.PrimaryKeyConstraint("hypothesis_id", "experiment_id"),
)

hypothesis_queries = sa.Table(
    "hypothesis_queries",
    metadata,
    _of_hypothesis(),
    sa.Column("query_id", sa.Uuid, sa.ForeignKey("saved_queries.id", ondelete="CASCADE"), index=True),
    sa.PrimaryKeyConstraint("hypothesis_id", "query_id"),
)

# What people decided against the computed verdict, or to follow it again; the last one counts.
decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "hypothesis_id",
        sa.Uuid,
        sa.ForeignKey("hypotheses.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("status", sa.Text),  # NULL = the computed one counts again
    sa.Column("computed", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("author_id", sa.Uuid, sa.ForeignKey("users.id", ondelete="SET NULL"), index=True),
    sa.Column("at", UtcDateTime, nullable=False),
)
