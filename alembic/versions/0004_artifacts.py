"""Artifacts, snapshots, and the blobs they are of.

Revision: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
_NEW = ("blob_uploads", "blobs", "snapshots", "manifest_blobs", "manifests", "artifacts")


def _reference(table: str, column: str, to: str, action: str | None = "CASCADE") -> sa.ForeignKeyConstraint:
    target, _, key = to.partition(".")
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.{key or 'id'}"], name=f"fk_{table}_{column}_{target}", ondelete=action
    )


def upgrade() -> None:
    """Creates the tables."""
    _artifacts()
    _snapshots()
    _blobs()
    op.execute("UPDATE db_metadata SET version = 4 WHERE id = 1")


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("experiment_id", sa.Uuid, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("has_step", sa.Boolean, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_artifacts"),
        _reference("artifacts", "experiment_id", "experiments"),
        _reference("artifacts", "created_by", "users", "SET NULL"),
        sa.UniqueConstraint(
            "experiment_id", "name", "has_step", "step", name="uq_artifacts_experiment_id_name_has_step_step"
        ),
    )
    for column in ("digest", "created_by"):
        op.create_index(f"ix_artifacts_{column}", "artifacts", [column])


def _snapshots() -> None:
    op.create_table(
        "manifests",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_manifests"),
        sa.UniqueConstraint("digest", name="uq_manifests_digest"),
    )
    op.create_table(
        "manifest_blobs",
        sa.Column("manifest_id", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("manifest_id", "digest", name="pk_manifest_blobs"),
        _reference("manifest_blobs", "manifest_id", "manifests"),
    )
    op.create_index("ix_manifest_blobs_digest", "manifest_blobs", ["digest"])
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("experiment_id", sa.Uuid, nullable=False),
        sa.Column("manifest_id", sa.Integer, nullable=False),
        sa.Column("environment", sa.JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_snapshots"),
        _reference("snapshots", "experiment_id", "experiments"),
        _reference("snapshots", "manifest_id", "manifests", None),
        _reference("snapshots", "created_by", "users", "SET NULL"),
    )
    for column in ("experiment_id", "manifest_id", "created_by"):
        op.create_index(f"ix_snapshots_{column}", "snapshots", [column])


def _blobs() -> None:
    op.create_table(
        "blobs",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("review_at", TIME),
        sa.PrimaryKeyConstraint("digest", name="pk_blobs"),
    )
    op.create_index("ix_blobs_review_at", "blobs", ["review_at"])
    op.create_table(
        "blob_uploads",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", "user_id", name="pk_blob_uploads"),
        _reference("blob_uploads", "digest", "blobs.digest"),
        _reference("blob_uploads", "user_id", "users"),
    )
    op.create_index("ix_blob_uploads_user_id", "blob_uploads", ["user_id"])


def downgrade() -> None:
    """Drops the tables; the bytes stay in their store."""
    for table in _NEW:
        op.drop_table(table)
    op.execute("UPDATE db_metadata SET version = 3 WHERE id = 1")
