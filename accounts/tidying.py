"""What nobody can use any more goes, so that tables and what they say of people stay small."""

from typing import Any

from psycopg import Connection

# A token is kept beyond its end, so that its reuse is still noticed.
_GONE = (
    "DELETE FROM registrations WHERE expires_at < now()",
    "DELETE FROM password_resets WHERE expires_at < now()",
    "DELETE FROM provider_flows WHERE expires_at < now()",
    "DELETE FROM token_families WHERE expires_at < now() OR revoked_at < now() - interval '7 days'",
    "DELETE FROM second_factors WHERE confirmed_at IS NULL AND created_at < now() - interval '1 d'",
)


def tidy(connection: Connection[Any]) -> int:
    """Delete what has expired; the number of rows, without those that go along."""
    return sum(connection.execute(statement).rowcount for statement in _GONE)
