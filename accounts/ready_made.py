"""Accounts that need no mail: of an operator's, and of the demo's people."""

from typing import Any

from psycopg import Connection

from accounts.addresses import normalised
from accounts.passwords import hash_now, require_good
from models import Role, Tier


def create_account(
    connection: Connection[Any],
    *,
    email: str,
    password: str,
    display_name: str,
    role: Role = Role.RENTER,
    tier: Tier = Tier.AUTHENTICATED,
) -> int:
    """The id of an account that can sign in at once; one that has the address is changed to this.

    Raises:
        InvalidFieldError: the address is none, or the password breaks a rule.
    """
    address = normalised(email)
    require_good(password, address=address)
    row = connection.execute(
        "INSERT INTO accounts (email, password_hash, display_name, role, tier)"
        " VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash,"
        " display_name = excluded.display_name, role = excluded.role, tier = excluded.tier"
        " RETURNING id",
        [address, hash_now(password), display_name, role, tier],
    ).fetchone()
    assert row is not None
    return int(row[0])


def let_sign_in(connection: Connection[Any], account_id: int, *, email: str, password: str) -> None:
    """Give an account that was made without them, as by seeding, an address and a password.

    Raises:
        InvalidFieldError: the address is none, or the password breaks a rule.
    """
    address = normalised(email)
    require_good(password, address=address)
    connection.execute(
        "UPDATE accounts SET email = %s, password_hash = %s WHERE id = %s",
        [address, hash_now(password), account_id],
    )
