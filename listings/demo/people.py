"""The demo's known people: whom to sign in as in a guide, a test or a presentation."""

from typing import Any, NamedTuple

import psycopg

from models import Role


class Person(NamedTuple):
    """Somebody with a fixed name and role."""

    display_name: str
    role: Role

    @property
    def source_key(self) -> str:
        """What finds the account again, whatever its id."""
        return f"demo:{self.role}"


PEOPLE = (
    Person("Alex Rivera", Role.RENTER),
    Person("Malia Kahale", Role.HOST),
    Person("Sam Okafor", Role.ADMIN),
)


def people(conn: psycopg.Connection[Any]) -> dict[str, int]:
    """The known people's account ids by role: "renter", "host" and "admin".

    Raises:
        LookupError: the marketplace has none, because it was not seeded.
    """
    rows = conn.execute(
        "SELECT role, id FROM accounts WHERE source_key = ANY (%s)",
        [[person.source_key for person in PEOPLE]],
    ).fetchall()
    if len(rows) < len(PEOPLE):
        raise LookupError("the demo people are not there: run `rides seed` on an empty database")
    return {str(role): int(account) for role, account in rows}
