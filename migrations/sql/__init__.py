"""SQL that a revision runs: functions, triggers, views.

A released file is never edited; its successor carries the next revision's number.
"""

from pathlib import Path

from alembic import op


def run(name: str) -> None:
    """Execute `migrations/sql/NAME.sql` in the migration's transaction."""
    sql = (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
    # The driver's own cursor: only a call without parameters takes several statements.
    with op.get_bind().connection.cursor() as cursor:
        cursor.execute(sql)
