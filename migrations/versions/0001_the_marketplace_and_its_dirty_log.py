"""The marketplace, its dirty log and the view that the indexer reads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sql import run
from models.base import Xid8

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # btree_gist lets the exclusion constraint compare vehicle ids with =.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(sa.schema.CreateSequence(sa.Sequence("document_version", cache=1)))
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default="renter", nullable=False),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("role IN ('renter', 'host', 'admin')", name=op.f("ck_accounts_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("source_key", name=op.f("uq_accounts_source_key")),
    )
    op.create_table(
        "index_builds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("index_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="building", nullable=False),
        sa.Column("mapping_hash", sa.Text(), nullable=False),
        sa.Column("documents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("swapped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('building', 'serving', 'standby', 'stopped', 'dropped')",
            name=op.f("ck_index_builds_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_builds")),
        sa.UniqueConstraint("index_name", name=op.f("uq_index_builds_index_name")),
    )
    op.create_index(
        "uq_index_builds_serving",
        "index_builds",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state = 'serving'"),
    )
    op.create_table(
        "index_dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("index_name", sa.Text(), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_dead_letters")),
    )
    op.create_index(
        op.f("ix_index_dead_letters_vehicle_id"), "index_dead_letters", ["vehicle_id"], unique=False
    )
    op.create_table(
        "search_dirty",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_dirty")),
    )
    op.create_table(
        "vehicles",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("host_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), server_default="app", nullable=False),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="listed", nullable=False),
        sa.Column("make", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("year", sa.SmallInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("fuel", sa.Text(), nullable=True),
        sa.Column("transmission", sa.Text(), nullable=True),
        sa.Column("seats", sa.SmallInteger(), nullable=True),
        sa.Column("doors", sa.SmallInteger(), nullable=True),
        sa.Column("mileage_km", sa.Integer(), nullable=True),
        sa.Column("daily_rate_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column(
            "weekly_discount_pct", sa.SmallInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "monthly_discount_pct", sa.SmallInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("cleaning_fee_cents", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("min_days", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("max_days", sa.SmallInteger(), server_default=sa.text("365"), nullable=False),
        sa.Column("notice_days", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("instant_book", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("lat", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("lon", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("imported_rating", sa.SmallInteger(), nullable=True),
        sa.Column(
            "imported_review_count", sa.Integer(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("trips", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "listed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("btrim(make) <> ''", name=op.f("ck_vehicles_make_not_blank")),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_vehicles_currency")),
        sa.CheckConstraint(
            "status IN ('listed', 'unlisted', 'archived')", name=op.f("ck_vehicles_status")
        ),
        sa.CheckConstraint(
            "(lat IS NULL) = (lon IS NULL)", name=op.f("ck_vehicles_position_whole")
        ),
        sa.CheckConstraint(
            "cleaning_fee_cents BETWEEN 0 AND 10000000", name=op.f("ck_vehicles_cleaning_fee")
        ),
        sa.CheckConstraint(
            "daily_rate_cents BETWEEN 1 AND 10000000", name=op.f("ck_vehicles_daily_rate")
        ),
        sa.CheckConstraint("doors BETWEEN 1 AND 10", name=op.f("ck_vehicles_doors")),
        sa.CheckConstraint(
            "imported_rating BETWEEN 100 AND 500", name=op.f("ck_vehicles_imported_rating")
        ),
        sa.CheckConstraint("isfinite(listed_at)", name=op.f("ck_vehicles_listed_at")),
        sa.CheckConstraint(
            "imported_review_count >= 0 AND trips >= 0", name=op.f("ck_vehicles_imported_counts")
        ),
        sa.CheckConstraint(
            "lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name=op.f("ck_vehicles_position")
        ),
        sa.CheckConstraint("mileage_km >= 0", name=op.f("ck_vehicles_mileage")),
        sa.CheckConstraint(
            "min_days >= 1 AND max_days BETWEEN min_days AND 365", name=op.f("ck_vehicles_days")
        ),
        sa.CheckConstraint(
            "monthly_discount_pct BETWEEN 0 AND 90", name=op.f("ck_vehicles_monthly_discount")
        ),
        sa.CheckConstraint("notice_days BETWEEN 0 AND 90", name=op.f("ck_vehicles_notice")),
        sa.CheckConstraint("seats BETWEEN 1 AND 60", name=op.f("ck_vehicles_seats")),
        sa.CheckConstraint(
            "weekly_discount_pct BETWEEN 0 AND 90", name=op.f("ck_vehicles_weekly_discount")
        ),
        sa.CheckConstraint("year BETWEEN 1900 AND 2100", name=op.f("ck_vehicles_year")),
        sa.ForeignKeyConstraint(["host_id"], ["accounts.id"], name=op.f("fk_vehicles_host_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicles")),
        sa.UniqueConstraint("source", "source_key", name=op.f("uq_vehicles_source_source_key")),
    )
    op.create_index(op.f("ix_vehicles_host_id"), "vehicles", ["host_id"], unique=False)
    op.create_table(
        "bookings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("renter_id", sa.BigInteger(), nullable=False),
        sa.Column("during", postgresql.DATERANGE(), nullable=False),
        sa.Column("status", sa.Text(), server_default="confirmed", nullable=False),
        sa.Column("total_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
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
        postgresql.ExcludeConstraint(
            (sa.column("vehicle_id"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("status IN ('held', 'confirmed', 'active')"),
            using="gist",
            name="no_double_booking",
        ),
        sa.CheckConstraint(
            "status IN ('held', 'confirmed', 'active', 'completed', 'cancelled', 'expired', 'declined')",
            name=op.f("ck_bookings_status"),
        ),
        sa.CheckConstraint(
            "NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)",
            name=op.f("ck_bookings_during_bounded"),
        ),
        sa.CheckConstraint("total_cents >= 0", name=op.f("ck_bookings_total")),
        sa.ForeignKeyConstraint(["renter_id"], ["accounts.id"], name=op.f("fk_bookings_renter_id")),
        sa.ForeignKeyConstraint(
            ["vehicle_id"], ["vehicles.id"], name=op.f("fk_bookings_vehicle_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
    )
    op.create_index(op.f("ix_bookings_renter_id_id"), "bookings", ["renter_id", "id"], unique=False)
    op.create_index(op.f("ix_bookings_vehicle_id"), "bookings", ["vehicle_id"], unique=False)
    op.create_table(
        "photos",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_photos_position")),
        sa.ForeignKeyConstraint(
            ["vehicle_id"], ["vehicles.id"], name=op.f("fk_photos_vehicle_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("vehicle_id", "position", name=op.f("uq_photos_vehicle_id_position")),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), server_default="app", nullable=False),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("rating BETWEEN 100 AND 500", name=op.f("ck_reviews_rating")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_reviews_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["vehicle_id"], ["vehicles.id"], name=op.f("fk_reviews_vehicle_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("source", "source_key", name=op.f("uq_reviews_source_source_key")),
    )
    op.create_index(op.f("ix_reviews_account_id"), "reviews", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_reviews_vehicle_id_created_at_id"),
        "reviews",
        ["vehicle_id", "created_at", "id"],
        unique=False,
        postgresql_include=["rating"],
    )
    op.create_table(
        "vehicle_features",
        sa.Column("vehicle_id", sa.BigInteger(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.CheckConstraint("btrim(feature) <> ''", name=op.f("ck_vehicle_features_not_blank")),
        sa.ForeignKeyConstraint(
            ["vehicle_id"],
            ["vehicles.id"],
            name=op.f("fk_vehicle_features_vehicle_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("vehicle_id", "feature", name=op.f("pk_vehicle_features")),
    )
    run("functions")
    run("triggers")
    run("vehicle_documents_0001")


def downgrade() -> None:
    op.execute("DROP VIEW vehicle_documents")
    op.drop_table("vehicle_features")
    op.drop_index(
        op.f("ix_reviews_vehicle_id_created_at_id"),
        table_name="reviews",
        postgresql_include=["rating"],
    )
    op.drop_index(op.f("ix_reviews_account_id"), table_name="reviews")
    op.drop_table("reviews")
    op.drop_table("photos")
    op.drop_index(op.f("ix_bookings_vehicle_id"), table_name="bookings")
    op.drop_index(op.f("ix_bookings_renter_id_id"), table_name="bookings")
    op.drop_table("bookings")
    op.drop_index(op.f("ix_vehicles_host_id"), table_name="vehicles")
    op.drop_table("vehicles")
    op.drop_table("search_dirty")
    op.drop_index(op.f("ix_index_dead_letters_vehicle_id"), table_name="index_dead_letters")
    op.drop_table("index_dead_letters")
    op.drop_index(
        "uq_index_builds_serving",
        table_name="index_builds",
        postgresql_where=sa.text("state = 'serving'"),
    )
    op.drop_table("index_builds")
    op.drop_table("accounts")
    op.execute("DROP FUNCTION mark_vehicles_dirty, refuse_truncate, rental_total_cents")
    op.execute(sa.schema.DropSequence(sa.Sequence("document_version")))
