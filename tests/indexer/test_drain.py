"""The drain: nothing is lost, nothing old wins, one failure holds up nothing else."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import orjson
import pytest

from indexer import builds, bulk, documents, drain, search_table
from tests import factory
from tests.indexer.site import Site, after


def reprice(site: Site, vehicle: int, cents: int) -> None:
    site.conn.execute("UPDATE vehicles SET daily_rate_cents = %s WHERE id = %s", [cents, vehicle])


# What reaches the index


def test_a_change_is_searchable_when_its_row_is_gone(live: Site) -> None:
    vehicle = live.store(daily_rate_cents=4_200)
    assert live.drain() == 1
    assert live.found() == [vehicle]
    assert live.dirty() == []
    assert live.document(vehicle)["daily_rate"] == 4_200


def test_everything_that_hangs_on_a_vehicle_reaches_its_document(live: Site) -> None:
    vehicle = live.store()
    live.drain()
    live.conn.execute("INSERT INTO vehicle_features VALUES (%s, 'Sunroof')", [vehicle])
    factory.insert(live.conn, "photos", {"vehicle_id": vehicle, "position": 0, "url": "a.jpg"})
    factory.store_review(live.conn, vehicle, 480)
    factory.store_booking(live.conn, vehicle, date(2026, 1, 1), date(2026, 1, 3))
    assert live.drain() == 4
    found = live.document(vehicle)
    assert (found["features"], found["photo_url"], found["rating"]) == (["Sunroof"], "a.jpg", 480)
    assert found["free"][0] == {"gte": "1970-01-01", "lt": "2026-01-01"}


@pytest.mark.parametrize(
    "ending",
    [
        "DELETE FROM vehicles WHERE id = %s",
        "UPDATE vehicles SET status = 'unlisted' WHERE id = %s",
        "UPDATE vehicles SET status = 'archived' WHERE id = %s",
    ],
)
def test_a_vehicle_that_must_not_be_found_is_hidden(live: Site, ending: str) -> None:
    kept, gone = live.store(), live.store()
    live.drain()
    live.conn.execute(ending, [gone])
    live.drain()
    assert live.found() == [kept]
    assert live.document(gone) == {"id": gone, "hidden": True}


@pytest.mark.parametrize(
    "ending",
    ["DELETE FROM vehicles WHERE id = %s", "UPDATE vehicles SET status = 'unlisted' WHERE id = %s"],
)
def test_an_old_write_brings_nothing_back(live: Site, ending: str) -> None:
    """However late: what hides is a document, whose version is never forgotten."""
    vehicle, index = live.store(), live.serving().index_name
    live.drain()
    version = documents.next_version(live.conn)
    late = documents.read(live.conn, [vehicle])
    live.conn.execute(ending, [vehicle])
    live.drain()
    # Elasticsearch remembers a delete for a minute: here, for nothing.
    live.elastic.indices.put_settings(index=index, settings={"index.gc_deletes": "1ms"})

    def replay() -> list[int]:
        search_table.write(live.conn, late, version)
        bulk.send(live.elastic, index, late, version)
        live.elastic.indices.refresh(index=index)
        return live.found()

    for _ in range(3):
        time.sleep(0.4)
        assert replay() == live.table() == []

    # The race that hiding is there for: a delete is forgotten.
    live.elastic.delete(
        index=index,
        id=str(vehicle),
        version=documents.next_version(live.conn),
        version_type="external",
    )
    deadline = time.monotonic() + 20
    while replay() == [] and time.monotonic() < deadline:
        time.sleep(0.1)
    assert live.found() == [vehicle]


def test_more_rows_than_a_batch_are_drained_in_one_run(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = factory.store_account(live.conn, "host")
    ids = [live.store(host_id=host) for _ in range(6)]
    live.conn.execute(
        "INSERT INTO search_dirty (vehicle_id) SELECT %s FROM generate_series(1, %s)",
        [ids[0], drain.BATCH],
    )
    sizes: list[int] = []
    read = documents.read
    monkeypatch.setattr(
        drain, "read", lambda conn, batch: sizes.append(len(batch)) or read(conn, batch)
    )
    assert live.drain() == drain.BATCH + len(ids)
    assert sizes[0] == len(ids), "a vehicle is read once a batch, however often it changed"
    assert live.found() == ids


def test_without_a_live_build_the_search_table_is_fed(site: Site) -> None:
    vehicle = site.store()
    assert site.drain() == 1
    assert site.dirty() == []
    assert site.table() == [vehicle]


# The order of a batch


def test_a_change_after_the_lease_is_read_or_has_a_row_of_its_own(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle = live.store(daily_rate_cents=1_000)
    after(monkeypatch, drain, "lease", lambda: reprice(live, vehicle, 2_000))
    assert live.drain() == 2
    assert live.document(vehicle)["daily_rate"] == 2_000


def test_a_change_between_reading_and_writing_wins_by_its_own_row(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle = live.store(daily_rate_cents=1_000)
    after(monkeypatch, drain, "read", lambda: reprice(live, vehicle, 2_000))
    assert live.drain() == 2
    assert live.document(vehicle)["daily_rate"] == 2_000


def test_a_slow_batch_does_not_overwrite_a_later_one(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers: the first has read, the second does a whole batch, then the first writes."""
    vehicle = live.store(daily_rate_cents=1_000)

    def another_worker_overtakes() -> None:
        with live.another() as conn:
            reprice(live, vehicle, 2_000)
            assert drain.drain(conn, live.elastic) == 1

    after(monkeypatch, drain, "read", another_worker_overtakes)
    live.drain()
    assert live.document(vehicle)["daily_rate"] == 2_000


def test_a_slow_batch_does_not_overwrite_one_that_read_later(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is taken before the documents are read: taken after, the older one would win."""
    vehicle = live.store(daily_rate_cents=1_000)

    def another_worker_overtakes() -> None:
        with live.another() as conn:
            reprice(live, vehicle, 2_000)
            assert drain.drain(conn, live.elastic) == 1

    after(monkeypatch, drain, "next_version", another_worker_overtakes)
    live.drain()
    assert live.document(vehicle)["daily_rate"] == 2_000

    # The race that this order is there for.
    version_after_reading = documents.read(live.conn, [vehicle])
    reprice(live, vehicle, 3_000)
    live.drain()
    late = documents.next_version(live.conn)
    bulk.send(live.elastic, live.serving().index_name, version_after_reading, late)
    assert live.document(vehicle)["daily_rate"] == 2_000, "should be 3,000"


def test_a_build_that_is_made_while_a_batch_is_read_gets_the_batch(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Builds read before the documents would leave the new one without what was read."""
    vehicle = live.store()
    made: list[builds.Build] = []
    after(
        monkeypatch,
        drain,
        "read",
        lambda: made.append(builds.create(live.conn, live.elastic, live.alias)),
    )
    live.drain()
    assert live.document(vehicle, made[0].index_name)["id"] == vehicle


def test_rows_are_deleted_only_after_the_refresh(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle = live.store()
    seen: list[tuple[int, list[int]]] = []
    after(monkeypatch, builds, "refresh", lambda: seen.append((len(live.dirty()), live.found())))
    live.drain()
    assert seen == [(1, [vehicle])]


def test_a_worker_that_dies_before_the_end_loses_nothing(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    vehicle = live.store()

    def die() -> None:
        raise KeyboardInterrupt

    for module, step in ((drain, "lease"), (drain, "read"), (bulk, "send"), (builds, "refresh")):
        with monkeypatch.context() as patch:
            after(patch, module, step, die)
            with pytest.raises(KeyboardInterrupt):
                live.drain()
        assert [row[0] for row in live.dirty()] == [vehicle]
        live.due()
    assert live.drain() == 1
    assert live.found() == [vehicle]


# Leases


def test_two_workers_never_lease_the_same_row(live: Site) -> None:
    live.conn.execute("INSERT INTO search_dirty (vehicle_id) SELECT generate_series(1, 3000)")

    def work() -> list[int]:
        rows: list[int] = []
        with live.another() as conn:
            while batch := drain.lease(conn).rows:
                rows += batch
        return rows

    with ThreadPoolExecutor(3) as pool:
        leased = [row for each in [pool.submit(work) for _ in range(3)] for row in each.result()]
    assert len(leased) == len(set(leased)) == 3000


def test_a_lease_keeps_to_its_size_where_the_log_was_analysed_while_empty(live: Site) -> None:
    """By such statistics the planner takes the log for one row, however long it has grown."""
    live.store()
    live.drain()
    live.conn.execute("ANALYZE search_dirty")
    for _ in range(5):
        live.store()
    assert len(live.conn.execute(drain._LEASE, [2]).fetchall()) == 2


def test_a_leased_row_is_left_alone_until_its_lease_is_over(live: Site) -> None:
    vehicle = live.store()
    assert drain.lease(live.conn).vehicles == [vehicle]  # then the worker is killed
    assert live.drain() == 0
    live.conn.execute("UPDATE search_dirty SET leased_until = clock_timestamp() - interval '1 ms'")
    assert live.drain() == 1
    assert live.found() == [vehicle]


def test_a_lease_that_ends_impossibly_late_counts_as_over(live: Site) -> None:
    live.store()
    drain.lease(live.conn)
    live.conn.execute("UPDATE search_dirty SET leased_until = leased_until + interval '1 hour'")
    assert live.drain() == 1


def test_the_lease_outlasts_the_longest_request_and_ends_soon(live: Site) -> None:
    live.store()
    drain.lease(live.conn)
    row = live.conn.execute(
        "SELECT extract(EPOCH FROM leased_until - clock_timestamp()) FROM search_dirty"
    ).fetchone()
    assert row is not None
    assert drain.LEASE_S - 2 < row[0] <= drain.LEASE_S <= 10


def test_batches_shrink_while_their_rows_fail(live: Site) -> None:
    live.conn.execute("INSERT INTO search_dirty (vehicle_id) SELECT generate_series(1, 600)")
    sizes = []
    for attempts in (0, 1, 2, 3, 50):
        live.conn.execute("UPDATE search_dirty SET leased_until = NULL, attempts = %s", [attempts])
        sizes.append(len(drain.lease(live.conn).rows))
    assert sizes == [500, 250, 125, 62, 62]


def test_documents_are_what_the_view_says_after_writers_and_workers_ran_wild(live: Site) -> None:
    ids = [live.store() for _ in range(8)]

    def write(seed: int) -> None:
        with live.another() as conn:
            for n in range(25):
                vehicle = ids[(seed + n * 3) % len(ids)]
                conn.execute(
                    "UPDATE vehicles SET daily_rate_cents = %s WHERE id = %s",
                    [1_000 + n * 10 + seed, vehicle],
                )

    def work(_: int) -> None:
        with live.another() as conn:
            for _ in range(5):
                drain.drain(conn, live.elastic, longest=2)

    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(write, n) for n in range(3)]
        workers = [pool.submit(work, n) for n in range(2)]
        for each in writers + workers:
            each.result()
    live.due()
    live.drain()
    expected = {
        each.vehicle_id: orjson.loads(each.source) for each in documents.read(live.conn, ids)
    }
    assert {vehicle: live.document(vehicle) for vehicle in ids} == expected
