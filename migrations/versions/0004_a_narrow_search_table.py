"""A narrow search table: codes instead of texts; words, documents and their dictionary beside it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sql import run
from models.base import Point

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "vehicle_search_view"
DOCUMENTS = "vehicle_search_documents"
TEXTS = "vehicle_search_texts"
VALUES = "vehicle_search_values"
# Stays as it is when the table is narrow, and when it is wide.
COMMON = (
    ("year", sa.Integer()),
    ("seats", sa.Integer()),
    ("daily_rate", sa.Integer()),
    ("rating", sa.Integer()),
    ("review_count", sa.Integer()),
    ("rating_evidence", sa.Integer()),
    ("rating_doubt", sa.Integer()),
    ("min_days", sa.Integer()),
    ("max_days", sa.Integer()),
    ("notice_days", sa.Integer()),
    ("instant_book", sa.Boolean()),
    ("host_id", sa.BigInteger()),
    ("listed_at", sa.BigInteger()),
    ("free", postgresql.DATEMULTIRANGE()),
)
CODED = (
    "make", "model", "body", "fuel", "transmission", "city", "region", "country", "time_zone",
)  # fmt: skip


def _key(table: str) -> tuple[sa.Column[int], sa.PrimaryKeyConstraint]:
    column = sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False)
    return column, sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def _stamp() -> list[sa.Column[object]]:
    return [
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("mapping_hash", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        VALUES,
        sa.Column("code", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(collation="C"), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f(f"pk_{VALUES}")),
        sa.UniqueConstraint("field", "value", name=op.f(f"uq_{VALUES}_field_value")),
    )
    op.create_index(op.f(f"ix_{VALUES}_field_folded"), VALUES, ["field", "folded"])
    op.create_index(op.f(f"ix_{VALUES}_words"), VALUES, ["words"], postgresql_using="gin")
    run("similar_names_0004")
    op.create_table(DOCUMENTS, *_key(DOCUMENTS), *_stamp())
    # Versions must outlive the change, or a late write would bring back what is hidden.
    op.execute(
        f"INSERT INTO {DOCUMENTS} SELECT id, version, hidden, '', NULL, document FROM {TABLE}"  # noqa: S608
    )
    op.drop_table(TABLE)
    op.create_table(
        TABLE,
        *_key(TABLE),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in CODED),
        sa.Column("features", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("weekly_discount_pct", sa.SmallInteger(), nullable=True),
        sa.Column("monthly_discount_pct", sa.SmallInteger(), nullable=True),
        sa.Column("cleaning_fee", sa.Integer(), nullable=True),
        sa.Column("location", Point(), nullable=True),
        *(sa.Column(name, kind, nullable=True) for name, kind in COMMON),
    )
    op.create_index(op.f(f"ix_{TABLE}_daily_rate_id"), TABLE, ["daily_rate", "id"])
    op.create_index(op.f(f"ix_{TABLE}_location"), TABLE, ["location"], postgresql_using="gist")
    op.create_table(TEXTS, *_key(TEXTS), sa.Column("words", postgresql.TSVECTOR(), nullable=False))
    op.create_index(op.f(f"ix_{TEXTS}_words"), TEXTS, ["words"], postgresql_using="gin")
    _read_all_again(DOCUMENTS)


def downgrade() -> None:
    op.drop_table(TABLE)
    op.create_table(
        TABLE,
        *_key(TABLE),
        *_stamp(),
        *(sa.Column(name, sa.Text(), nullable=True) for name in CODED),
        sa.Column("features", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("total", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        *(sa.Column(name, kind, nullable=True) for name, kind in COMMON),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.Column("everything", postgresql.TSVECTOR(), nullable=True),
    )
    op.create_index(op.f(f"ix_{TABLE}_daily_rate_id"), TABLE, ["daily_rate", "id"])
    op.create_index(op.f(f"ix_{TABLE}_lat_lon"), TABLE, ["lat", "lon"])
    op.create_index(op.f(f"ix_{TABLE}_everything"), TABLE, ["everything"], postgresql_using="gin")
    op.execute(
        f"INSERT INTO {TABLE} (id, version, hidden, mapping_hash, document)"  # noqa: S608
        f" SELECT id, version, hidden, '', document FROM {DOCUMENTS}"
    )
    _read_all_again(TABLE)
    op.execute("DROP FUNCTION similar_names")
    op.execute("DROP TYPE similar_words")
    op.execute("DROP FUNCTION wrong_letters")
    for table in (TEXTS, DOCUMENTS, VALUES):
        op.drop_table(table)
    op.execute("DROP EXTENSION fuzzystrmatch")


def _read_all_again(table: str) -> None:
    """What is there reaches the new tables by the way that everything takes."""
    op.execute(f"INSERT INTO search_dirty (vehicle_id) SELECT id FROM {table} WHERE NOT hidden")  # noqa: S608
