"""Users with passwords, sessions, API tokens, teams, permissions, limits and the audit log.

Revision: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
_USER_COLUMNS = (
    "avatar_url", "password_hash", "is_active", "is_superuser", "is_verified", "epoch", "version",
)  # fmt: skip


def _reference(table: str, column: str, to: str, action: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}", ondelete=action)


def upgrade() -> None:
    """Widens users, ties projects to teams, and creates the new tables."""
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("avatar_url", sa.Text))
        users.add_column(sa.Column("password_hash", sa.Text))
        users.add_column(sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.true()))
        for name in ("is_superuser", "is_verified"):
            users.add_column(sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
        for name in ("epoch", "version"):
            users.add_column(sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    _credentials()
    _teams()
    # No team could be set before there were any.
    op.execute("UPDATE projects SET team_id = NULL")
    with op.batch_alter_table("projects") as projects:
        projects.create_foreign_key(
            "fk_projects_team_id_teams", "teams", ["team_id"], ["id"], ondelete="SET NULL"
        )
        projects.create_index("ix_projects_team_id", ["team_id"])
    _members_and_grants()
    _limits_and_audit()
    op.execute("UPDATE db_metadata SET version = 2 WHERE id = 1")


def _credentials() -> None:
    op.create_table(
        "external_identities",
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject", name="pk_external_identities"),
        _reference("external_identities", "user_id", "users"),
    )
    op.create_index("ix_external_identities_user_id", "external_identities", ["user_id"])
    op.create_table(
        "ended_sessions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ended_sessions"),
        _reference("ended_sessions", "user_id", "users"),
    )
    op.create_index("ix_ended_sessions_user_id", "ended_sessions", ["user_id"])
    op.create_index("ix_ended_sessions_expires_at", "ended_sessions", ["expires_at"])
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.Column("last_used_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        _reference("api_tokens", "user_id", "users"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])
    op.create_table(
        "codes",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_codes"),
        _reference("codes", "user_id", "users"),
    )
    op.create_index("ix_codes_user_id", "codes", ["user_id"])


def _teams() -> None:
    op.create_table(
        "teams",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_teams"),
    )
    op.create_index("ix_teams_name", "teams", ["name"])


def _members_and_grants() -> None:
    for table, place in (("team_members", "team"), ("project_members", "project")):
        op.create_table(
            table,
            sa.Column(f"{place}_id", sa.Uuid, nullable=False),
            sa.Column("user_id", sa.Uuid, nullable=False),
            sa.Column("role", sa.Text, nullable=False),
            sa.Column("added_at", TIME, nullable=False),
            sa.PrimaryKeyConstraint(f"{place}_id", "user_id", name=f"pk_{table}"),
            _reference(table, f"{place}_id", f"{place}s"),
            _reference(table, "user_id", "users"),
        )
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("effect", sa.Text, nullable=False),
        sa.Column("project_id", sa.Uuid),
        sa.Column("team_id", sa.Uuid),
        sa.Column("until", TIME),
        sa.Column("granted_by", sa.Uuid),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        _reference("grants", "user_id", "users"),
        _reference("grants", "project_id", "projects"),
        _reference("grants", "team_id", "teams"),
        _reference("grants", "granted_by", "users", "SET NULL"),
        sa.CheckConstraint("(project_id IS NULL) <> (team_id IS NULL)", name="ck_grants_one_place"),
    )
    for column in ("user_id", "project_id", "team_id"):
        op.create_index(f"ix_grants_{column}", "grants", [column])


def _limits_and_audit() -> None:
    changes = op.create_table(
        "standing_changes",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("changes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_standing_changes"),
    )
    op.bulk_insert(changes, [{"id": 1, "changes": 0}])
    op.create_table(
        "limits",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("level", sa.Double, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_limits"),
    )
    op.create_index("ix_limits_at", "limits", ["at"])
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("user_id", sa.Uuid),
        sa.Column("api_token_id", sa.Uuid),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("project_id", sa.Uuid),
        sa.Column("team_id", sa.Uuid),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    for column in ("project_id", "team_id"):
        op.create_index(f"ix_audit_{column}", "audit", [column])


def downgrade() -> None:
    """Drops what came with accounts. The users stay, since projects are theirs; no project is in a team."""
    op.execute("UPDATE projects SET team_id = NULL")
    for table in ("audit", "limits", "standing_changes", "grants", "project_members", "team_members"):
        op.drop_table(table)
    with op.batch_alter_table("projects") as projects:
        projects.drop_index("ix_projects_team_id")
        projects.drop_constraint("fk_projects_team_id_teams", type_="foreignkey")
    for table in ("teams", "codes", "api_tokens", "ended_sessions", "external_identities"):
        op.drop_table(table)
    with op.batch_alter_table("users") as users:
        for column in (
            "avatar_url",
            "password_hash",
            "is_active",
            "is_superuser",
            "is_verified",
            "epoch",
            "version",
        ):
            users.drop_column(column)
    op.execute("UPDATE db_metadata SET version = 1 WHERE id = 1")
