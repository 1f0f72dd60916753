"""The tables of what is tracked. Migrations make them; a test proves that both agree.

Those of users, teams and the audit log are in :mod:`tracker.adapters.sql.identity_tables`, those of
searching, hypotheses, artifacts and evaluation in ``search_tables``, ``hypothesis_tables``,
``artifact_tables`` and ``evaluation_tables``.
"""

from __future__ import annotations

import sqlalchemy as sa

from tracker.adapters.sql.types import CodePointText, UtcDateTime

__all__ = [
    "SCHEMA_VERSION",
    "branches",
    "db_metadata",
    "experiments",
    "merges",
    "metadata",
    "metrics",
    "projects",
    "purges",
]

SCHEMA_VERSION = 6
"""What ``db_metadata.version`` says when the database fits this code."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

db_metadata = sa.Table(
    "db_metadata",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
)

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", CodePointText, nullable=False, index=True),
    sa.Column("description", sa.Text, nullable=False),
    # Without an action: a user who owns projects cannot vanish unnoticed.
    sa.Column("owner_id", sa.Uuid, sa.ForeignKey("users.id"), nullable=False, index=True),
    sa.Column("team_id", sa.Uuid, sa.ForeignKey("teams.id", ondelete="SET NULL"), index=True),
    sa.Column("metrics", sa.JSON, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

_RUNNING = sa.text("status = 'running'")

experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", CodePointText, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    # The repository hands children to their grandparent; this is for a project that goes as a whole.
    sa.Column("parent_id", sa.Uuid, sa.ForeignKey("experiments.id", ondelete="SET NULL"), index=True),
    sa.Column("features", sa.JSON, nullable=False),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("git_diff", sa.Text),
    sa.Column("color", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("progress", sa.Double, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False, index=True),
    sa.Column("created_by", sa.Uuid, sa.ForeignKey("users.id", ondelete="SET NULL"), index=True),
    sa.Column("started_at", UtcDateTime),
    sa.Column("completed_at", UtcDateTime),
    sa.Column("end_kind", sa.Text),
    sa.Column("end_reason", sa.Text),
    sa.Column("heartbeat_at", UtcDateTime),
    sa.Column("run_key", sa.Uuid),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("project_id", "run_key"),
    # Of running ones only: what is asked every few seconds, and a beat changes no column of it.
    sa.Index(None, "status", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
    sa.Index(None, "project_id", "position"),
    sa.Index(None, "project_id", "name"),
    sa.Index(None, "project_id", "created_at", "id"),
)

# The points lie in the store of scalars, under the branch's id.
branches = sa.Table(
    "branches",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column(
        "experiment_id",
        sa.Uuid,
        sa.ForeignKey("experiments.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("from_step", sa.BigInteger, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("made_by", sa.Uuid, sa.ForeignKey("users.id", ondelete="SET NULL"), index=True),
    sa.Column("is_made", sa.Boolean, nullable=False),
    sa.Column("values", sa.JSON, nullable=False),
)

# Further parents, beside the one whose line counts.
merges = sa.Table(
    "merges",
    metadata,
    sa.Column("experiment_id", sa.Uuid, sa.ForeignKey("experiments.id", ondelete="CASCADE")),
    sa.Column("parent_id", sa.Uuid, sa.ForeignKey("experiments.id", ondelete="CASCADE"), index=True),
    sa.PrimaryKeyConstraint("experiment_id", "parent_id"),
)

metrics = sa.Table(
    "metrics",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("experiment_id", sa.Uuid, sa.ForeignKey("experiments.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", CodePointText, nullable=False),
    # Empty = none: a unique constraint holds two NULLs for different, and labels are never empty.
    sa.Column("label", CodePointText, nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("experiment_id", "name", "label", "step"),
)

# No foreign keys: an order outlives what it is about.
purges = sa.Table(
    "purges",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("project_id", sa.Uuid, nullable=False),
    sa.Column("experiment_id", sa.Uuid),
    sa.Column("requested_at", UtcDateTime, nullable=False),
)
