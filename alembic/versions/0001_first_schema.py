"""First schema: users, projects, experiments, metrics, purges.

Revision: 0001
Revises: -
"""

from __future__ import annotations

import datetime
import uuid

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The types as they were at this revision: a migration never imports the tables of today.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Creates every table, the local user and the schema version."""
    op.create_table(
        "db_metadata",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_db_metadata"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("team_id", sa.Uuid),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_projects_owner_id_users"),
    )
    op.create_index("ix_projects_name", "projects", ["name"])
    op.create_index("ix_projects_owner_id", "projects", ["owner_id"])
    _experiments()
    _metrics_and_purges()
    _first_rows()


def _experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("parent_id", sa.Uuid),
        sa.Column("features", sa.JSON, nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("git_diff", sa.Text),
        sa.Column("color", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("completed_at", TIME),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_experiments"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name="fk_experiments_project_id_projects", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["experiments.id"],
            name="fk_experiments_parent_id_experiments",
            ondelete="SET NULL",
        ),
    )
    for columns in (["parent_id"], ["created_at"], ["project_id", "position"], ["project_id", "name"]):
        op.create_index(f"ix_experiments_{'_'.join(columns)}", "experiments", columns)


def _metrics_and_purges() -> None:
    op.create_table(
        "metrics",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("experiment_id", sa.Uuid, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metrics"),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiments.id"],
            name="fk_metrics_experiment_id_experiments",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint(
            "experiment_id", "name", "label", "step", name="uq_metrics_experiment_id_name_label_step"
        ),
    )
    op.create_table(
        "purges",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("experiment_id", sa.Uuid),
        sa.Column("requested_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_purges"),
    )


def _first_rows() -> None:
    users = sa.table(
        "users",
        sa.column("id", sa.Uuid),
        sa.column("email", sa.Text),
        sa.column("display_name", sa.Text),
        sa.column("created_at", TIME),
    )
    op.bulk_insert(
        users,
        [
            {
                "id": uuid.UUID("00000000-0000-7000-8000-000000000001"),
                "email": "local@localhost",
                "display_name": "Local user",
                "created_at": datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC),
            }
        ],
    )
    op.execute("INSERT INTO db_metadata (id, version) VALUES (1, 1)")


def downgrade() -> None:
    """Drops every table."""
    for table in ("purges", "metrics", "experiments", "projects", "users", "db_metadata"):
        op.drop_table(table)
