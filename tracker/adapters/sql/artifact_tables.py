"""The tables of artifacts, snapshots and blobs, in the metadata of all tables."""

from __future__ import annotations

import sqlalchemy as sa

from tracker.adapters.sql.hypothesis_tables import metadata
from tracker.adapters.sql.types import CodePointText, DigestBytes, UtcDateTime

__all__ = ["artifacts", "blob_uploads", "blobs", "manifest_blobs", "manifests", "metadata", "snapshots"]


def _of_experiment(*, index: bool = False) -> sa.Column[object]:
    return sa.Column(
        "experiment_id",
        sa.Uuid,
        sa.ForeignKey("experiments.id", ondelete="CASCADE"),
        nullable=False,
        index=index,
    )


def _by() -> sa.Column[object]:
    return sa.Column("created_by", sa.Uuid, sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)


artifacts = sa.Table(
    "artifacts",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _of_experiment(),
    sa.Column("name", CodePointText, nullable=False),
    # A unique constraint holds two NULLs for different, and every number is a step.
    sa.Column("has_step", sa.Boolean, nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("kind", CodePointText, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("digest", DigestBytes, nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("metadata", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    _by(),
    sa.UniqueConstraint("experiment_id", "name", "has_step", "step"),
)

# Trees of files: most experiments of a project ran with one that another one ran with too.
manifests = sa.Table(
    "manifests",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", DigestBytes, nullable=False, unique=True),
    sa.Column("packed", sa.LargeBinary, nullable=False),  # Manifest.text, by zlib
)

manifest_blobs = sa.Table(
    "manifest_blobs",
    metadata,
    sa.Column("manifest_id", sa.Integer, sa.ForeignKey("manifests.id", ondelete="CASCADE")),
    sa.Column("digest", DigestBytes, index=True),
    sa.PrimaryKeyConstraint("manifest_id", "digest"),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _of_experiment(index=True),
    sa.Column("manifest_id", sa.Integer, sa.ForeignKey("manifests.id"), nullable=False, index=True),
    sa.Column("environment", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    _by(),
)

blobs = sa.Table(
    "blobs",
    metadata,
    sa.Column("digest", DigestBytes, primary_key=True),
    sa.Column("size", sa.BigInteger),  # NULL = its bytes never came
    sa.Column("review_at", UtcDateTime, index=True),  # NULL = somebody refers to it
)

blob_uploads = sa.Table(
    "blob_uploads",
    metadata,
    sa.Column("digest", DigestBytes, sa.ForeignKey("blobs.digest", ondelete="CASCADE")),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.PrimaryKeyConstraint("digest", "user_id"),
)
