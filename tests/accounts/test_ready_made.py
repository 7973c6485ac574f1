"""Accounts that an operator or the demo makes, and what is tidied away of others."""

import pytest

from accounts.errors import InvalidFieldError
from accounts.ready_made import create_account, let_sign_in
from accounts.tidying import tidy
from models import Role, Tier
from tests.factory import insert, store_account

PASSWORD = "taro lagoon ukulele rain"  # pragma: allowlist secret


def test_it_can_be_made_again_with_another_role(conn):
    person = {"email": "Keala@Example.org", "password": PASSWORD, "display_name": "Keala"}
    first = create_account(conn, **person)
    again = create_account(conn, **person, role=Role.ADMIN, tier=Tier.PREMIUM)
    assert first == again
    row = conn.execute("SELECT email, role, tier FROM accounts").fetchall()
    assert row == [("keala@example.org", "admin", "premium")]


def test_its_password_keeps_the_rules(conn):
    with pytest.raises(InvalidFieldError, match="at least 15"):
        create_account(conn, email="k@example.org", password="short", display_name="K")


def test_a_seeded_account_can_be_let_in(conn):
    account = store_account(conn, role="host")
    let_sign_in(conn, account, email="Malia@Example.org", password=PASSWORD)
    row = conn.execute("SELECT id, email, role, password_hash FROM accounts").fetchone()
    assert row[:3] == (account, "malia@example.org", "host")
    assert row[3].startswith("$argon2id$")
    with pytest.raises(InvalidFieldError, match="at least 15"):
        let_sign_in(conn, account, email="malia@example.org", password="short")


def test_what_has_expired_goes_and_the_rest_stays(conn):
    account = store_account(conn, email="keala@example.org")
    registration = {"email": "a@example.org", "display_name": "A", "password_hash": "x"}
    family = {"account_id": account}
    for expires_at in ("2000-01-01", "2999-01-01"):
        gone = insert(conn, "registrations", registration | {"expires_at": expires_at})
        insert(
            conn,
            "mails",
            {"kind": "verify-email", "recipient": "a@example.org", "registration_id": gone},
        )
        reset = {"account_id": account, "token_hash": expires_at.encode()}
        insert(conn, "password_resets", reset | {"expires_at": expires_at})
        insert(conn, "token_families", family | {"expires_at": expires_at})
    insert(
        conn, "token_families", family | {"expires_at": "2999-01-01", "revoked_at": "2000-01-01"}
    )
    assert tidy(conn) == 4
    for table in ("registrations", "mails", "password_resets", "token_families"):
        assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,), table
    assert tidy(conn) == 0
