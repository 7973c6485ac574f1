"""Calendar blocks, photos that hosts upload, and their variants."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sql import run

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ORDER = "uq_photos_vehicle_id_position"


def upgrade() -> None:
    op.create_table(
        "calendar_blocks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.DATERANGE(), nullable=False),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        postgresql.ExcludeConstraint(
            (sa.column("vehicle_id"), "="),
            (sa.column("during"), "&&"),
            using="gist",
            name="no_day_blocked_twice",
        ),
        sa.CheckConstraint(
            "NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)",
            name=op.f("ck_calendar_blocks_during_bounded"),
        ),
        sa.ForeignKeyConstraint(
            ["vehicle_id"],
            ["vehicles.id"],
            name=op.f("fk_calendar_blocks_vehicle_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_blocks")),
    )
    run("calendar_blocks_0010")
    # Documents stay as they are, with their hashes: there is no block yet.
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0010")
    photo_order(deferrable=True)
    op.add_column(
        "photos",
        sa.Column(
            "variants",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
    )
    op.create_table(
        "photo_uploads",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'uploaded', 'published', 'refused', 'removed')",
            name=op.f("ck_photo_uploads_state"),
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (reason IS NOT NULL)", name=op.f("ck_photo_uploads_reason")
        ),
        sa.CheckConstraint("bytes > 0", name=op.f("ck_photo_uploads_bytes")),
        sa.ForeignKeyConstraint(
            ["vehicle_id"],
            ["vehicles.id"],
            name=op.f("fk_photo_uploads_vehicle_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_uploads")),
    )
    op.create_index(op.f("ix_photo_uploads_vehicle_id"), "photo_uploads", ["vehicle_id"])


def downgrade() -> None:
    op.drop_table("photo_uploads")
    op.drop_column("photos", "variants")
    photo_order(deferrable=False)
    # Blocked days become free again.
    op.execute("INSERT INTO search_dirty (vehicle_id) SELECT vehicle_id FROM calendar_blocks")
    op.execute("DROP VIEW vehicle_documents")
    run("vehicle_documents_0006")
    op.execute("DROP TRIGGER no_booking_of_blocked_days ON bookings")
    op.drop_table("calendar_blocks")
    op.execute("DROP FUNCTION refuse_blocked_days, refuse_booked_days, lock_calendar")


def photo_order(*, deferrable: bool) -> None:
    op.drop_constraint(ORDER, "photos", type_="unique")
    op.create_unique_constraint(
        ORDER,
        "photos",
        ["vehicle_id", "position"],
        deferrable=deferrable or None,
        initially="IMMEDIATE" if deferrable else None,
    )
