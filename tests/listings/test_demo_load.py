"""The demo in a real database: its constraints, its triggers, its price function."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from typer import Typer
from typer.testing import CliRunner

from cli import seeding
from listings.demo import load
from listings.demo.load import NotEmptyError
from listings.demo.people import people
from runtime.settings import Settings
from tests.factory import store_account, store_booking, store_review, store_vehicle

TODAY = date(2026, 11, 23)
VEHICLES = 120


@pytest.fixture
def seeded(conn: Connection[Any]) -> Connection[Any]:
    load.seed(conn, vehicles=VEHICLES, seed=1, today=TODAY)
    return conn


def contents(conn: Connection[Any]) -> dict[str, list[Any]]:
    return {
        table: conn.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in ("accounts", "vehicles", "vehicle_features", "reviews", "bookings")
    }


def count(conn: Connection[Any], table: str) -> int:
    row = conn.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


def empty(conn: Connection[Any]) -> None:
    conn.execute("DELETE FROM bookings")
    conn.execute("DELETE FROM vehicles")


def test_counts_are_what_the_tables_hold(conn: Connection[Any]) -> None:
    counts = load.seed(conn, vehicles=VEHICLES, seed=1, today=TODAY)
    assert counts == {table: count(conn, table) for table in counts}
    assert counts["vehicles"] == VEHICLES
    assert counts["reviews"] == 4 * VEHICLES
    assert min(counts["bookings"], counts["vehicle_features"], counts["accounts"]) > VEHICLES


def test_the_same_seed_fills_two_databases_alike(
    conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listings.demo.generate.BATCH", 15)
    load.seed(conn, vehicles=VEHICLES, seed=1, today=TODAY)
    first = contents(conn)
    conn.execute("SET rides.allow_truncate = 'on'")
    empty = [*first, "photos", "photo_uploads", "calendar_blocks"]
    conn.execute(f"TRUNCATE {', '.join(empty)} RESTART IDENTITY CASCADE")
    conn.execute("RESET rides.allow_truncate")
    load.seed(conn, vehicles=VEHICLES, seed=1, today=TODAY)
    assert contents(conn) == first


def test_progress_tells_of_each_committed_batch(
    conn: Connection[Any], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listings.demo.generate.BATCH", 50)
    told: list[tuple[int, int]] = []
    with psycopg.connect(database_url, autocommit=True) as other:
        load.seed(
            conn,
            vehicles=VEHICLES,
            seed=1,
            today=TODAY,
            progress=lambda done: told.append((done, count(other, "vehicles"))),
        )
    assert [done for done, _ in told] == [50, 50, 20]
    # The other writer may be ahead, never behind.
    assert all(seen >= told_of for (_, seen), told_of in zip(told, (50, 100, 120), strict=True))


def test_a_run_that_is_killed_leaves_whole_vehicles(
    conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listings.demo.generate.BATCH", 50)
    copy = load._copy
    written: list[str] = []

    def dies(connection: Connection[Any], table: str, rows: Any) -> int:
        written.append(table)
        if written.count("reviews") == 2:
            raise KeyboardInterrupt
        return copy(connection, table, rows)

    monkeypatch.setattr(load, "_copy", dies)
    with pytest.raises(KeyboardInterrupt):
        load.seed(conn, vehicles=VEHICLES, seed=1, today=TODAY)
    vehicles = count(conn, "vehicles")
    assert 50 <= vehicles < VEHICLES
    assert count(conn, "reviews") == 4 * vehicles


def test_totals_are_those_of_the_price_function(seeded: Connection[Any]) -> None:
    rows = seeded.execute(
        """
        SELECT b.total_cents, rental_total_cents(
            v.daily_rate_cents, v.weekly_discount_pct, v.monthly_discount_pct,
            v.cleaning_fee_cents, upper(b.during) - lower(b.during)
        ), upper(b.during) - lower(b.during)
        FROM bookings AS b JOIN vehicles AS v ON v.id = b.vehicle_id
        """
    ).fetchall()
    assert [total for total, _, _ in rows] == [expected for _, expected, _ in rows]
    assert max(days for _, _, days in rows) >= 7, "no discount was ever due"


def test_every_vehicle_is_handed_to_the_indexer(seeded: Connection[Any]) -> None:
    row = seeded.execute("SELECT count(DISTINCT vehicle_id) FROM search_dirty").fetchone()
    assert row == (VEHICLES,)


def test_what_is_added_later_gets_free_ids(seeded: Connection[Any]) -> None:
    before = contents(seeded)
    assert store_account(seeded) > max(row[0] for row in before["accounts"])
    vehicle = store_vehicle(seeded)
    assert vehicle > max(row[0] for row in before["vehicles"])
    assert store_review(seeded, vehicle) > max(row[0] for row in before["reviews"])
    booking = store_booking(seeded, vehicle, TODAY, TODAY + timedelta(days=1))
    assert booking > max(row[0] for row in before["bookings"])


def test_the_known_people_are_found_by_role(seeded: Connection[Any]) -> None:
    accounts = people(seeded)
    assert sorted(accounts) == ["admin", "host", "renter"]
    names = seeded.execute(
        "SELECT role, display_name FROM accounts WHERE id = ANY (%s)", [list(accounts.values())]
    ).fetchall()
    assert dict(names) == {"renter": "Alex Rivera", "host": "Malia Kahale", "admin": "Sam Okafor"}


def test_the_known_people_are_missed_before_seeding(conn: Connection[Any]) -> None:
    with pytest.raises(LookupError, match="rides seed"):
        people(conn)


def test_vehicles_are_never_added_to(conn: Connection[Any]) -> None:
    store_vehicle(conn)
    with pytest.raises(NotEmptyError, match="seed an empty database"):
        load.seed(conn, vehicles=VEHICLES, seed=1, today=TODAY)
    assert (count(conn, "vehicles"), count(conn, "accounts")) == (1, 1)


def test_accounts_alone_do_not_hinder(seeded: Connection[Any]) -> None:
    known = people(seeded)
    empty(seeded)
    load.seed(seeded, vehicles=VEHICLES, seed=1, today=TODAY)
    assert people(seeded) == known
    assert count(seeded, "vehicles") == VEHICLES


def test_of_two_runs_at_once_one_is_refused(conn: Connection[Any], database_url: str) -> None:
    def run() -> str:
        with psycopg.connect(database_url, autocommit=True) as connection:
            try:
                load.seed(connection, vehicles=VEHICLES, seed=1, today=TODAY)
            except NotEmptyError:
                return "refused"
            return "seeded"

    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(run), pool.submit(run)]
        assert sorted(outcome.result() for outcome in outcomes) == ["refused", "seeded"]
    assert count(conn, "vehicles") == VEHICLES


def test_the_command(
    conn: Connection[Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "settings", lambda: settings)
    app = Typer()
    app.command()(seeding.seed)
    run = CliRunner()

    done = run.invoke(app, ["--vehicles", "40", "--seed", "3"])
    assert done.exit_code == 0
    assert "40  vehicles\n" in done.stdout
    assert "vehicles/s" in done.stdout
    refused = run.invoke(app, ["--vehicles", "40"])
    assert refused.exit_code == 1
    assert "--if-empty" in refused.stderr
    left = run.invoke(app, ["--vehicles", "40", "--if-empty"])
    assert (left.exit_code, left.stdout) == (
        0,
        "There are vehicles already: nothing was seeded.\n",
    )
    assert count(conn, "vehicles") == 40
