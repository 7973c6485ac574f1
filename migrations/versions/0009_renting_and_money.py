"""Holds, payments, refunds, a ledger that sums to zero, idempotency keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sql import run

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column(
            "headers", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("account_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(
        op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False
    )
    op.create_table(
        "sandbox_intents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("captured_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("charges", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "0 <= refunded_cents AND refunded_cents <= captured_cents AND captured_cents <= amount_cents",
            name=op.f("ck_sandbox_intents_amounts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_intents")),
        sa.UniqueConstraint("key", name=op.f("uq_sandbox_intents_key")),
    )
    op.create_table(
        "sandbox_refunds",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["intent_id"], ["sandbox_intents.id"], name=op.f("fk_sandbox_refunds_intent_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sandbox_refunds")),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("movement", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "account IN ('renter', 'escrow', 'host', 'marketplace')", name=op.f("ck_ledger_account")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_ledger_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sa.UniqueConstraint("movement", "account", name=op.f("uq_ledger_movement_account")),
    )
    op.create_index(op.f("ix_ledger_booking_id"), "ledger", ["booking_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=True),
        sa.Column("client_secret", sa.Text(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("status", sa.Text(), server_default="created", nullable=False),
        sa.Column("target", sa.Text(), server_default="authorised", nullable=False),
        sa.Column("captured_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("ordered_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refunded_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status IN ('created', 'open', 'authorised', 'captured', 'voided')",
            name=op.f("ck_payments_status"),
        ),
        sa.CheckConstraint(
            "target IN ('authorised', 'captured', 'voided')", name=op.f("ck_payments_target")
        ),
        sa.CheckConstraint(
            "0 <= refunded_cents AND refunded_cents <= ordered_cents AND ordered_cents <= captured_cents AND captured_cents <= amount_cents",
            name=op.f("ck_payments_amounts"),
        ),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_payments_booking_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_payments_intent_id")),
        sa.UniqueConstraint("key", name=op.f("uq_payments_key")),
    )
    op.create_index(op.f("ix_payments_booking_id"), "payments", ["booking_id"], unique=False)
    op.create_index(
        op.f("ix_payments_due_at"),
        "payments",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "uq_payments_live",
        "payments",
        ["booking_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'voided'"),
    )
    op.create_table(
        "payment_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_payment_events_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_events")),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("payment_id", sa.BigInteger(), nullable=False),
        sa.Column("cents", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cents > 0", name=op.f("ck_refunds_cents")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
    )
    op.create_index(op.f("ix_refunds_payment_id"), "refunds", ["payment_id"], unique=False)
    op.add_column(
        "bookings",
        sa.Column(
            "lines",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column(
        "bookings", sa.Column("policy", sa.Text(), server_default="moderate", nullable=False)
    )
    op.add_column(
        "bookings",
        sa.Column("needs_approval", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("bookings", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE bookings SET expires_at = now() + interval '15 minutes' WHERE status = 'held'"
    )
    op.create_check_constraint(
        op.f("ck_bookings_held_until"), "bookings", "status <> 'held' OR expires_at IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_bookings_policy"), "bookings", "policy IN ('flexible', 'moderate', 'strict')"
    )
    op.create_index(
        "ix_bookings_beginning",
        "bookings",
        [sa.literal_column("lower(during)")],
        unique=False,
        postgresql_where=sa.text("status = 'confirmed'"),
    )
    op.create_index(
        "ix_bookings_ending",
        "bookings",
        [sa.literal_column("upper(during)")],
        unique=False,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(
        "ix_bookings_expiring",
        "bookings",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'held'"),
    )
    op.add_column(
        "vehicles",
        sa.Column("cancellation_policy", sa.Text(), server_default="moderate", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_vehicles_policy"),
        "vehicles",
        "cancellation_policy IN ('flexible', 'moderate', 'strict')",
    )
    run("ledger_0009")


def downgrade() -> None:
    op.drop_column("vehicles", "cancellation_policy")
    op.drop_index(
        "ix_bookings_expiring", table_name="bookings", postgresql_where=sa.text("status = 'held'")
    )
    op.drop_index(
        "ix_bookings_ending", table_name="bookings", postgresql_where=sa.text("status = 'active'")
    )
    op.drop_index(
        "ix_bookings_beginning",
        table_name="bookings",
        postgresql_where=sa.text("status = 'confirmed'"),
    )
    op.drop_column("bookings", "expires_at")
    op.drop_column("bookings", "needs_approval")
    op.drop_column("bookings", "policy")
    op.drop_column("bookings", "lines")
    op.drop_index(op.f("ix_refunds_payment_id"), table_name="refunds")
    op.drop_table("refunds")
    op.drop_table("payment_events")
    op.drop_index(
        "uq_payments_live", table_name="payments", postgresql_where=sa.text("status <> 'voided'")
    )
    op.drop_index(
        op.f("ix_payments_due_at"),
        table_name="payments",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_payments_booking_id"), table_name="payments")
    op.drop_table("payments")
    op.drop_index(op.f("ix_ledger_booking_id"), table_name="ledger")
    op.drop_table("ledger")
    op.drop_table("sandbox_refunds")
    op.drop_table("sandbox_intents")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.execute("DROP FUNCTION refuse_unbalanced_ledger, refuse_rewritten_ledger")
