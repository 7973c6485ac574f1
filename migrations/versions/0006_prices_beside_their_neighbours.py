"""Medians of comparable listings, and in every document how its price stands to its own."""

import sqlalchemy as sa
from alembic import op

from migrations.sql import run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = "vehicle_search_view"


def upgrade() -> None:
    op.create_table(
        "price_medians",
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("median", sa.Integer(), nullable=False),
        sa.Column("listings", sa.Integer(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint("median > 0", name=op.f("ck_price_medians_median")),
        sa.PrimaryKeyConstraint(
            "currency", "country", "body", "region", name=op.f("pk_price_medians")
        ),
    )
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0006")
    op.add_column(TABLE, sa.Column("price_vs_median", sa.Integer(), nullable=True))
    # Every document has one field more, and with it another hash.
    op.execute("INSERT INTO search_dirty (vehicle_id) SELECT id FROM vehicles")


def downgrade() -> None:
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0003")
    op.drop_column(TABLE, "price_vs_median")
    op.drop_table("price_medians")
