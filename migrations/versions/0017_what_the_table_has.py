"""In an outage of Elasticsearch a search can wait until the search table has a write."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A worker of before leaves it false: then `after` waits as long as before.
    op.add_column(
        "search_dirty",
        sa.Column("fed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("search_dirty", "fed")
