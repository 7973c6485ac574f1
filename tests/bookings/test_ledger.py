"""The ledger holds itself to its rules, whoever writes to it."""

import psycopg
import pytest

from tests.bookings.conftest import day
from tests.factory import store_booking, store_vehicle

WRITE = "INSERT INTO ledger (booking_id, movement, account, cents) VALUES (%s, %s, %s, %s)"


@pytest.fixture
def booking(conn):
    return store_booking(conn, store_vehicle(conn), day(1), day(4))


def test_a_movement_with_both_its_sides_is_written(conn, booking):
    with conn.transaction():
        conn.execute(WRITE, [booking, "capture:1", "renter", -500])
        conn.execute(WRITE, [booking, "capture:1", "escrow", 500])
    assert conn.execute("SELECT sum(cents) FROM ledger").fetchone() == (0,)


def test_a_movement_with_one_side_is_refused_at_the_commit(conn, booking):
    with pytest.raises(psycopg.errors.RaiseException, match="off by -500 cents"):
        conn.execute(WRITE, [booking, "capture:1", "renter", -500])
    assert conn.execute("SELECT count(*) FROM ledger").fetchone() == (0,)


def test_another_booking_does_not_make_up_for_it(conn, booking):
    other = store_booking(conn, store_vehicle(conn), day(1), day(4))
    both = f"WITH first AS ({WRITE}) {WRITE}"
    sides = [booking, "capture:1", "renter", -500, other, "capture:1", "escrow", 500]
    with pytest.raises(psycopg.errors.RaiseException, match="off by"):
        conn.execute(both, sides)


def test_a_movement_is_written_once(conn, booking):
    test_a_movement_with_both_its_sides_is_written(conn, booking)
    with pytest.raises(psycopg.errors.UniqueViolation):
        test_a_movement_with_both_its_sides_is_written(conn, booking)


@pytest.mark.parametrize("change", ["UPDATE ledger SET cents = 1", "DELETE FROM ledger"])
def test_what_is_written_stays(conn, booking, change):
    test_a_movement_with_both_its_sides_is_written(conn, booking)
    with pytest.raises(psycopg.errors.RaiseException, match="only ever added to"):
        conn.execute(change)


@pytest.mark.parametrize(
    "amounts",
    [
        {"captured_cents": 101},
        {"captured_cents": 50, "ordered_cents": 51},
        {"captured_cents": 50, "ordered_cents": 40, "refunded_cents": 41},
        {"refunded_cents": -1},
    ],
)
def test_refunded_is_at_most_captured_and_captured_at_most_quoted(conn, booking, amounts):
    amounts = {"captured_cents": 0, "ordered_cents": 0, "refunded_cents": 0} | amounts
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(
            "INSERT INTO payments (booking_id, provider, key, amount_cents, currency,"
            " captured_cents, ordered_cents, refunded_cents)"
            " VALUES (%s, 'sandbox', 'k', 100, 'USD', %s, %s, %s)",
            [booking, *amounts.values()],
        )
