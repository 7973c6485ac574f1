"""Slices of a rebuild, builds that go stale, the lag of changes, results of audits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATES = "'building', 'serving', 'standby', 'stopped'"


def upgrade() -> None:
    state_in(f"{STATES}, 'stale', 'dropped'")
    op.add_column("index_builds", sa.Column("failing_since", sa.DateTime(timezone=True)))
    op.create_table(
        "index_build_slices",
        sa.Column("build_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("done_to", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["build_id"],
            ["index_builds.id"],
            name=op.f("fk_index_build_slices_build_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("build_id", "number", name=op.f("pk_index_build_slices")),
    )
    # The newest refusal of each vehicle stays.
    op.execute(
        "DELETE FROM index_dead_letters AS older USING index_dead_letters AS newer"
        " WHERE older.index_name = newer.index_name AND older.vehicle_id = newer.vehicle_id"
        " AND older.id < newer.id"
    )
    op.create_unique_constraint(
        op.f("uq_index_dead_letters_index_name_vehicle_id"),
        "index_dead_letters",
        ["index_name", "vehicle_id"],
    )
    op.create_table(
        "index_lag",
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "bucket", name=op.f("pk_index_lag")),
    )
    op.create_table(
        "index_audits",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.BigInteger(), nullable=False),
        sa.Column("stale", sa.BigInteger(), nullable=False),
        sa.Column("extra", sa.BigInteger(), nullable=False),
        sa.Column("differing", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("repaired", sa.Boolean(), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_audits")),
    )


def downgrade() -> None:
    op.drop_table("index_audits")
    op.drop_table("index_lag")
    op.drop_constraint(
        op.f("uq_index_dead_letters_index_name_vehicle_id"), "index_dead_letters", type_="unique"
    )
    op.drop_table("index_build_slices")
    op.drop_column("index_builds", "failing_since")
    op.execute("UPDATE index_builds SET state = 'stopped' WHERE state = 'stale'")
    state_in(f"{STATES}, 'dropped'")


def state_in(states: str) -> None:
    op.drop_constraint(op.f("ck_index_builds_state"), "index_builds", type_="check")
    op.create_check_constraint(
        op.f("ck_index_builds_state"), "index_builds", f"state IN ({states})"
    )
