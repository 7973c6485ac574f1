"""The table from which PostgreSQL answers searches, fed by the drain like one more index."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sql import run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run("search_text_0002")
    op.create_table(
        "vehicle_search_view",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("mapping_hash", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("make", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("fuel", sa.Text(), nullable=True),
        sa.Column("transmission", sa.Text(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("features", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("daily_rate", sa.Integer(), nullable=True),
        sa.Column("total", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("review_count", sa.Integer(), nullable=True),
        sa.Column("min_days", sa.Integer(), nullable=True),
        sa.Column("max_days", sa.Integer(), nullable=True),
        sa.Column("instant_book", sa.Boolean(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("host_id", sa.BigInteger(), nullable=True),
        sa.Column("listed_at", sa.BigInteger(), nullable=True),
        sa.Column("free", postgresql.DATEMULTIRANGE(), nullable=True),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.Column("everything", postgresql.TSVECTOR(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_search_view")),
    )
    op.create_index(
        op.f("ix_vehicle_search_view_daily_rate_id"), "vehicle_search_view", ["daily_rate", "id"]
    )
    op.create_index(op.f("ix_vehicle_search_view_lat_lon"), "vehicle_search_view", ["lat", "lon"])
    op.create_index(
        op.f("ix_vehicle_search_view_everything"),
        "vehicle_search_view",
        ["everything"],
        postgresql_using="gin",
    )
    # What is there already reaches the table by the way that everything takes.
    op.execute("INSERT INTO search_dirty (vehicle_id) SELECT id FROM vehicles")


def downgrade() -> None:
    op.drop_table("vehicle_search_view")
    for function in (
        "document_totals(jsonb)",
        "document_days(jsonb)",
        "document_texts(jsonb)",
        "vehicle_query(text, text)",
        "vehicle_words(text)",
        "plain_words(text)",
    ):
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TEXT SEARCH CONFIGURATION vehicle_text")
    op.execute("DROP TEXT SEARCH DICTIONARY vehicle_stem")
    op.execute("DROP EXTENSION unaccent")
