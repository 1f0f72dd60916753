"""Evaluation of language models: datasets, jobs, workflows, secrets and models.

Revision: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
_JOB_GOES_ON = sa.text("status IN ('created', 'pending', 'running')")
_WORKFLOW_GOES_ON = sa.text("status IN ('created', 'running')")
_NEW = (
    "catalogue_models", "evaluation_secrets", "workflows", "evaluations", "job_passes", "job_files",
    "answers", "job_rows", "job_tallies", "jobs", "datasets",
)  # fmt: skip


def _reference(table: str, column: str, to: str, action: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=action)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _indexed(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def upgrade() -> None:
    """Creates the tables."""
    _datasets()
    _jobs()
    _rows()
    _left_by_jobs()
    _evaluations()
    _workflows()
    _secrets_and_models()
    op.execute("UPDATE db_metadata SET version = 6 WHERE id = 1")


def _datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("truth_count", sa.BigInteger, nullable=False),
        sa.Column("prediction_count", sa.BigInteger, nullable=False),
        sa.Column("job_id", sa.Uuid),
        sa.Column("source_id", sa.Uuid),
        sa.Column("generated_by", sa.Text),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("previous_id", sa.Uuid),
        sa.Column("label", sa.Text),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        _key("datasets", "id"),
        _reference("datasets", "project_id", "projects"),
        _reference("datasets", "source_id", "datasets", "SET NULL"),
        _reference("datasets", "previous_id", "datasets", "SET NULL"),
        _reference("datasets", "created_by", "users", "SET NULL"),
        sa.UniqueConstraint(
            "project_id", "filename", "revision", name="uq_datasets_project_id_filename_revision"
        ),
    )
    for column in ("digest", "job_id", "source_id", "previous_id", "created_by"):
        _indexed("datasets", column)
    _indexed("datasets", "project_id", "created_at", "id")
    _indexed("datasets", "created_at", "id")


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("workflow_id", sa.Uuid),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("dataset_id", sa.Uuid, nullable=False),
        sa.Column("max_samples", sa.Integer, nullable=False),
        sa.Column("batch_size", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("rows_total", sa.Integer),
        sa.Column("rows_done", sa.Integer, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("course", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        _key("jobs", "id"),
        _reference("jobs", "project_id", "projects"),
        _reference("jobs", "created_by", "users", "SET NULL"),
    )
    _indexed("jobs", "created_by")
    _indexed("jobs", "project_id", "created_at", "id", "kind")
    _indexed("jobs", "created_at", "id", "kind")
    op.create_index(
        "ix_jobs_that_go_on",
        "jobs",
        ["created_at", "id"],
        sqlite_where=_JOB_GOES_ON,
        postgresql_where=_JOB_GOES_ON,
    )


def _rows() -> None:
    op.create_table(
        "job_tallies",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("answered", sa.Integer, nullable=False),
        _key("job_tallies", "job_id"),
        _reference("job_tallies", "job_id", "jobs"),
    )
    op.create_table(
        "job_rows",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("is_answered", sa.Boolean, nullable=False),
        sa.Column("outcome", sa.LargeBinary, nullable=False),
        _key("job_rows", "job_id", "number"),
        _reference("job_rows", "job_id", "jobs"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "answers",
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("outcome", sa.LargeBinary, nullable=False),
        _key("answers", "project_id", "key"),
        _reference("answers", "project_id", "projects"),
    )


def _left_by_jobs() -> None:
    op.create_table(
        "job_files",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("at", TIME, nullable=False),
        _key("job_files", "job_id", "name"),
        _reference("job_files", "job_id", "jobs"),
    )
    _indexed("job_files", "digest")
    op.create_table(
        "job_passes",
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("attempt", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("handle_digest", sa.LargeBinary, nullable=False),
        sa.Column("pass_digest", sa.LargeBinary),
        sa.Column("admitted_at", TIME),
        sa.Column("sent_by", sa.Uuid, nullable=False),
        _key("job_passes", "job_id", "attempt"),
        _reference("job_passes", "job_id", "jobs"),
        _reference("job_passes", "sent_by", "users"),
    )
    _indexed("job_passes", "sent_by")


def _evaluations() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("dataset_id", sa.Uuid, nullable=False),
        sa.Column("max_samples", sa.Integer, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        _key("evaluations", "id"),
        _reference("evaluations", "project_id", "projects"),
        _reference("evaluations", "created_by", "users", "SET NULL"),
    )
    _indexed("evaluations", "created_by")
    _indexed("evaluations", "project_id", "created_at", "id")
    _indexed("evaluations", "created_at", "id")


def _workflows() -> None:
    op.create_table(
        "workflows",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("project_id", sa.Uuid, nullable=False),
        sa.Column("evaluation_id", sa.Uuid, nullable=False),
        sa.Column("experiment_id", sa.Uuid),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("steps", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("stop_asked_at", TIME),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("created_by", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        _key("workflows", "id"),
        _reference("workflows", "project_id", "projects"),
        _reference("workflows", "evaluation_id", "evaluations"),
        _reference("workflows", "experiment_id", "experiments", "SET NULL"),
        _reference("workflows", "created_by", "users", "SET NULL"),
    )
    for column in ("project_id", "experiment_id", "created_by"):
        _indexed("workflows", column)
    _indexed("workflows", "evaluation_id", "created_at", "id")
    op.create_index(
        "ix_workflows_that_go_on",
        "workflows",
        ["created_at", "id"],
        sqlite_where=_WORKFLOW_GOES_ON,
        postgresql_where=_WORKFLOW_GOES_ON,
    )


def _secrets_and_models() -> None:
    op.create_table(
        "evaluation_secrets",
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("updated_by", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("nonce", sa.LargeBinary, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        _key("evaluation_secrets", "owner_id", "name"),
        _reference("evaluation_secrets", "owner_id", "users"),
        _reference("evaluation_secrets", "updated_by", "users", "SET NULL"),
    )
    _indexed("evaluation_secrets", "updated_by")
    op.create_table(
        "catalogue_models",
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        _key("catalogue_models", "provider", "name"),
    )


def downgrade() -> None:
    """Drops the tables; the bytes of datasets and results stay in their store."""
    for table in _NEW:
        op.drop_table(table)
    op.execute("UPDATE db_metadata SET version = 5 WHERE id = 1")
