"""Similar words come with a search, from the API's vocabulary: nobody looks them up here."""

from alembic import op

from migrations.sql import run

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # An API of before, asking while Elasticsearch is away, fails on a misspelt word: restart it.
    op.execute("DROP FUNCTION similar_names")
    op.execute("DROP TYPE similar_words")
    op.execute("DROP FUNCTION wrong_letters")
    op.execute("DROP EXTENSION fuzzystrmatch")
    op.execute("DELETE FROM vehicle_search_values WHERE field = 'name'")


def downgrade() -> None:
    # Names' words come back as vehicles change, and all of them with `rides reindex`.
    run("similar_names_0004")
