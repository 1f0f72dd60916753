"""The tables that a search looks at, in the metadata of all tables.

They say nothing that experiments and metrics do not say: repositories derive them from what they keep.
"""

from __future__ import annotations

import sqlalchemy as sa

from tracker.adapters.sql.identity_tables import metadata
from tracker.adapters.sql.types import CodePointText, UtcDateTime

__all__ = ["attributes", "metadata", "metric_summaries", "saved_queries", "search_fields"]


def _of_experiment() -> sa.Column[object]:
    return sa.Column("experiment_id", sa.Uuid, sa.ForeignKey("experiments.id", ondelete="CASCADE"))


def _of_field() -> sa.Column[object]:
    return sa.Column("field_id", sa.Integer, sa.ForeignKey("search_fields.id", ondelete="CASCADE"))


# Rows of millions of values name their field by a number; a field is never removed before its project.
search_fields = sa.Table(
    "search_fields",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("path", CodePointText, nullable=False),
    sa.Column("label", CodePointText, nullable=False),  # empty = none
    sa.UniqueConstraint("project_id", "kind", "path", "label"),
)

# What parameters, feature leaves and tags say.
attributes = sa.Table(
    "attributes",
    metadata,
    _of_experiment(),
    _of_field(),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("number", sa.Double),
    sa.Column("text", CodePointText),
    sa.PrimaryKeyConstraint("experiment_id", "field_id"),
    sa.Index(None, "field_id", "number", "experiment_id"),
)

# A number that is not there stands for NaN: SQLite has no NaN, and a row has at least one value.
metric_summaries = sa.Table(
    "metric_summaries",
    metadata,
    _of_experiment(),
    _of_field(),
    sa.Column("value", sa.Double),
    sa.Column("last", sa.Double),
    sa.Column("min", sa.Double),
    sa.Column("max", sa.Double),
    sa.Column("finals", sa.BigInteger, nullable=False),
    sa.Column("points", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("experiment_id", "field_id"),
    sa.Index(None, "field_id", "value", "experiment_id"),
)

saved_queries = sa.Table(
    "saved_queries",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", CodePointText, nullable=False),
    sa.Column("filter", sa.Text, nullable=False),
    sa.Column("order_by", sa.Text, nullable=False),
    sa.Column("author_id", sa.Uuid, sa.ForeignKey("users.id", ondelete="SET NULL"), index=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("project_id", "name"),
)
