"""${message}

Revision: ${up_revision}
Revises: ${down_revision | comma,n}
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
    # Count up here, and in SCHEMA_VERSION of tracker/adapters/sql/tables.py.
    op.execute("UPDATE db_metadata SET version = version + 1 WHERE id = 1")


def downgrade() -> None:
    op.execute("UPDATE db_metadata SET version = version - 1 WHERE id = 1")
    ${downgrades if downgrades else "pass"}
