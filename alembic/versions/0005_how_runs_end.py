"""How a run ended, its heartbeat, its key, and the branches that resuming it left.

Revision: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
_KEYS = "uq_experiments_project_id_run_key"
_RUNNING = sa.text("status = 'running'")


def upgrade() -> None:
    """Adds columns that say nothing about the experiments there are."""
    with op.batch_alter_table("experiments") as experiments:
        experiments.add_column(sa.Column("end_kind", sa.Text))
        experiments.add_column(sa.Column("end_reason", sa.Text))
        experiments.add_column(sa.Column("heartbeat_at", TIME))
        experiments.add_column(sa.Column("run_key", sa.Uuid))
        experiments.create_unique_constraint(_KEYS, ["project_id", "run_key"])
    op.create_index(
        "ix_experiments_status",
        "experiments",
        ["status"],
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    )
    op.create_table(
        "branches",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("experiment_id", sa.Uuid, nullable=False),
        sa.Column("from_step", sa.BigInteger, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("made_by", sa.Uuid),
        sa.Column("is_made", sa.Boolean, nullable=False),
        sa.Column("values", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_branches"),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiments.id"], name="fk_branches_experiment_id_experiments",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["users.id"], name="fk_branches_made_by_users", ondelete="SET NULL"
        ),
    )  # fmt: skip
    for column in ("experiment_id", "made_by"):
        op.create_index(f"ix_branches_{column}", "branches", [column])
    op.execute("UPDATE db_metadata SET version = 5 WHERE id = 1")


def downgrade() -> None:
    """Drops what is new."""
    op.drop_table("branches")
    op.drop_index("ix_experiments_status", "experiments")
    with op.batch_alter_table("experiments") as experiments:
        experiments.drop_constraint(_KEYS, type_="unique")
        for column in ("run_key", "heartbeat_at", "end_reason", "end_kind"):
            experiments.drop_column(column)
    op.execute("UPDATE db_metadata SET version = 4 WHERE id = 1")
