"""Documents are written as text at once, without jsonb in between."""

from alembic import op

from migrations.sql import run

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The same documents in another order of keys, so with other hashes: FORM in search/mapping.py.
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0013")


def downgrade() -> None:
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0011")
