"""The tables of what evaluations of language models keep, in the metadata of all tables."""

from __future__ import annotations

import sqlalchemy as sa

from tracker.adapters.sql.artifact_tables import metadata
from tracker.adapters.sql.types import CodePointText, CompactJson, DigestBytes, UtcDateTime

__all__ = [
    "JOB_GOES_ON", "WORKFLOW_GOES_ON", "answers", "catalogue_models", "datasets", "evaluation_secrets",
    "evaluations", "job_files", "job_passes", "job_rows", "job_tallies", "jobs", "metadata", "workflows",
]  # fmt: skip

# Written out, since a partial index serves only conditions that say the same.
JOB_GOES_ON = sa.text("status IN ('created', 'pending', 'running')")
WORKFLOW_GOES_ON = sa.text("status IN ('created', 'running')")


def _of(table: str, column: str, *, action: str = "CASCADE", **more: bool) -> sa.Column[object]:
    return sa.Column(column, sa.Uuid, sa.ForeignKey(f"{table}.id", ondelete=action), **more)  # type: ignore[arg-type]


def _by() -> sa.Column[object]:
    return _of("users", "created_by", action="SET NULL", index=True)


datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _of("projects", "project_id", nullable=False),
    sa.Column("filename", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("digest", DigestBytes, nullable=False, index=True),
    sa.Column("content_hash", DigestBytes, nullable=False),
    sa.Column("names", CompactJson, nullable=False),
    sa.Column("parts", CompactJson, nullable=False),  # which column plays which
    sa.Column("row_count", sa.BigInteger, nullable=False),
    sa.Column("truth_count", sa.BigInteger, nullable=False),
    sa.Column("prediction_count", sa.BigInteger, nullable=False),
    # Without a foreign key: what a job made outlives it.
    sa.Column("job_id", sa.Uuid, index=True),
    _of("datasets", "source_id", action="SET NULL", index=True),
    sa.Column("generated_by", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False),
    _of("datasets", "previous_id", action="SET NULL", index=True),
    sa.Column("label", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    _by(),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("project_id", "filename", "revision"),
    sa.Index(None, "project_id", "created_at", "id"),
    sa.Index(None, "created_at", "id"),
)

# What a listing shows are columns; the rest stands last, as compact JSON, so that a listing does not read it.
# A job outlives its dataset and its workflow, hence no foreign keys.
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _of("projects", "project_id", nullable=False),
    sa.Column("workflow_id", sa.Uuid),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("dataset_id", sa.Uuid, nullable=False),
    sa.Column("max_samples", sa.Integer, nullable=False),
    sa.Column("batch_size", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),  # of the last event
    sa.Column("rows_total", sa.Integer),
    sa.Column("rows_done", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),  # of the last event
    _by(),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("course", CompactJson, nullable=False),  # attempts, lease and times, without what is empty
    sa.Column("config", CompactJson, nullable=False),
    sa.Column("events", CompactJson, nullable=False),
    # They hold all that a listing narrows by: the rows that it skips are not read.
    sa.Index(None, "project_id", "created_at", "id", "kind"),
    sa.Index(None, "created_at", "id", "kind"),
    sa.Index(
        "ix_jobs_that_go_on", "created_at", "id", sqlite_where=JOB_GOES_ON, postgresql_where=JOB_GOES_ON
    ),
)

# So that nobody counts rows; apart from jobs, whose rows are wide.
job_tallies = sa.Table(
    "job_tallies",
    metadata,
    _of("jobs", "job_id"),
    sa.Column("answered", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("job_id"),
)

# A job's rows lie together and in order, without an index beside them.
job_rows = sa.Table(
    "job_rows",
    metadata,
    _of("jobs", "job_id"),
    sa.Column("number", sa.Integer, autoincrement=False),
    sa.Column("is_answered", sa.Boolean, nullable=False),
    sa.Column("outcome", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("job_id", "number"),
    sqlite_with_rowid=False,
)

# Keys come in no order: here an index is smaller than what rows in order would move.
answers = sa.Table(
    "answers",
    metadata,
    _of("projects", "project_id"),
    sa.Column("key", DigestBytes),
    sa.Column("outcome", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("project_id", "key"),
)

job_files = sa.Table(
    "job_files",
    metadata,
    _of("jobs", "job_id"),
    sa.Column("name", CodePointText),
    sa.Column("digest", DigestBytes, nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.PrimaryKeyConstraint("job_id", "name"),
)

job_passes = sa.Table(
    "job_passes",
    metadata,
    _of("jobs", "job_id"),
    sa.Column("attempt", sa.Integer, autoincrement=False),
    sa.Column("handle_digest", DigestBytes, nullable=False),
    sa.Column("pass_digest", DigestBytes),
    sa.Column("admitted_at", UtcDateTime),
    _of("users", "sent_by", nullable=False, index=True),
    sa.PrimaryKeyConstraint("job_id", "attempt"),
)

evaluations = sa.Table(
    "evaluations",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _of("projects", "project_id", nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("dataset_id", sa.Uuid, nullable=False),  # it outlives its dataset
    sa.Column("max_samples", sa.Integer, nullable=False),
    sa.Column("task", CompactJson, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    _by(),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(None, "project_id", "created_at", "id"),
    sa.Index(None, "created_at", "id"),
)

workflows = sa.Table(
    "workflows",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _of("projects", "project_id", nullable=False, index=True),
    _of("evaluations", "evaluation_id", nullable=False),
    _of("experiments", "experiment_id", action="SET NULL", index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("config", CompactJson, nullable=False),
    sa.Column("steps", CompactJson, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("stop_asked_at", UtcDateTime),
    sa.Column("events", CompactJson, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    _by(),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(None, "evaluation_id", "created_at", "id"),
    sa.Index(
        "ix_workflows_that_go_on",
        "created_at",
        "id",
        sqlite_where=WORKFLOW_GOES_ON,
        postgresql_where=WORKFLOW_GOES_ON,
    ),
)

evaluation_secrets = sa.Table(
    "evaluation_secrets",
    metadata,
    _of("users", "owner_id"),
    sa.Column("name", CodePointText),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    _of("users", "updated_by", action="SET NULL", index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("nonce", sa.LargeBinary, nullable=False),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("owner_id", "name"),
)

catalogue_models = sa.Table(
    "catalogue_models",
    metadata,
    sa.Column("provider", CodePointText),
    sa.Column("name", CodePointText),
    sa.Column("entry", CompactJson, nullable=False),
    sa.PrimaryKeyConstraint("provider", "name"),
)
