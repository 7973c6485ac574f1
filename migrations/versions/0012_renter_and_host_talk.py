"""Chats of bookings and their messages."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chats",
        sa.Column("booking_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("renter_read", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("host_read", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"],
            ["bookings.id"],
            name=op.f("fk_chats_booking_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_chats")),
    )
    op.create_table(
        "messages",
        sa.Column("booking_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sender_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "sent_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("char_length(body) BETWEEN 1 AND 2000", name=op.f("ck_messages_body")),
        sa.ForeignKeyConstraint(
            ["booking_id"],
            ["chats.booking_id"],
            name=op.f("fk_messages_booking_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["sender_id"], ["accounts.id"], name=op.f("fk_messages_sender_id")),
        sa.PrimaryKeyConstraint("booking_id", "id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "booking_id",
            "sender_id",
            "client_id",
            name=op.f("uq_messages_booking_id_sender_id_client_id"),
        ),
    )


def downgrade() -> None:
    op.drop_table("messages")
    op.drop_table("chats")
