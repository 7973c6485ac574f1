"""Names as people write them, and ratings that weigh their number, in the documents."""

import sqlalchemy as sa
from alembic import op

from migrations.sql import run

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLE = "vehicle_search_view"
COLUMNS = (
    ("rating_evidence", sa.Integer()),
    ("rating_doubt", sa.Integer()),
    ("notice_days", sa.Integer()),
    ("time_zone", sa.Text()),
)


def upgrade() -> None:
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0003")
    for name, kind in COLUMNS:
        op.add_column(TABLE, sa.Column(name, kind, nullable=True))
    # What the table holds already lacks them.
    op.execute("INSERT INTO search_dirty (vehicle_id) SELECT id FROM vehicle_search_view")


def downgrade() -> None:
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0001")
    for name, _ in reversed(COLUMNS):
        op.drop_column(TABLE, name)
