"""Reviews of bookings, hosts' replies, moderation; hidden reviews count nowhere."""

import sqlalchemy as sa
from alembic import op

from migrations.sql import run

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

LISTING = "ix_reviews_vehicle_id_created_at_id"
COLUMNS = (
    ("booking_id", sa.BigInteger()),
    ("reply", sa.Text()),
    ("replied_at", sa.DateTime(timezone=True)),
    ("hidden_at", sa.DateTime(timezone=True)),
    ("hidden_by", sa.BigInteger()),
    ("hidden_reason", sa.Text()),
)


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("reviews", sa.Column(name, kind, nullable=True))
    op.create_unique_constraint(op.f("uq_reviews_booking_id"), "reviews", ["booking_id"])
    op.create_foreign_key(
        op.f("fk_reviews_booking_id"), "reviews", "bookings", ["booking_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_reviews_hidden_by"), "reviews", "accounts", ["hidden_by"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_reviews_reply"), "reviews", "(reply IS NULL) = (replied_at IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_reviews_hidden"),
        "reviews",
        "num_nulls(hidden_at, hidden_by, hidden_reason) IN (0, 3)",
    )
    op.create_index(
        "ix_reviews_hidden", "reviews", ["id"], postgresql_where=sa.text("hidden_at IS NOT NULL")
    )
    listing(["rating", "hidden_at"])
    op.create_table(
        "review_reports",
        sa.Column("review_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["reviews.id"],
            name=op.f("fk_review_reports_review_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_review_reports_account_id")
        ),
        sa.PrimaryKeyConstraint("review_id", "account_id", name=op.f("pk_review_reports")),
    )
    op.create_index(
        "ix_review_reports_open",
        "review_reports",
        ["review_id"],
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    # Documents stay as they are, with their hashes: no review is hidden yet.
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0011")


def downgrade() -> None:
    # Hidden reviews count again.
    op.execute(
        "INSERT INTO search_dirty (vehicle_id)"
        " SELECT DISTINCT vehicle_id FROM reviews WHERE hidden_at IS NOT NULL"
    )
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0010")
    op.drop_table("review_reports")
    listing(["rating"])
    for name, _ in reversed(COLUMNS):
        op.drop_column("reviews", name)


def listing(include: list[str]) -> None:
    op.drop_index(LISTING, "reviews")
    op.create_index(
        LISTING, "reviews", ["vehicle_id", "created_at", "id"], postgresql_include=include
    )
