"""Names as people write them, and ratings that weigh their number, in the documents."""

from alembic import op

from migrations.sql import run

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0003")


def downgrade() -> None:
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0001")
