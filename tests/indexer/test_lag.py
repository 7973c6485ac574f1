"""The system measures its own lag: every change once, from its writing to its being searchable."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from indexer import builds, drain, lag, metrics, status
from tests import factory
from tests.indexer.site import Site
from tests.indexer.test_bulk import TOO_LONG


def age(site: Site, *seconds: float) -> None:
    """Let the dirty rows have been written so long ago."""
    for row, each in enumerate(seconds, 1):
        site.conn.execute(
            "UPDATE search_dirty SET at = clock_timestamp() - make_interval(secs => %s)"
            " WHERE id = (SELECT id FROM search_dirty ORDER BY id LIMIT 1 OFFSET %s)",
            [each, row - 1],
        )


def test_every_change_is_counted_once_by_how_long_it_took(live: Site) -> None:
    host = factory.store_account(live.conn, "host")
    for _ in range(3):
        live.store(host_id=host)
    age(live, 20, 40, 4_000)
    assert live.drain() == 3
    measured = lag.measured(live.conn)
    assert measured.changes == 3
    counted = dict(zip([*lag.BOUNDS, "longer"], measured.counts, strict=True))
    assert (counted[30.0], counted[60.0], counted["longer"]) == (1, 1, 1)
    assert 4_060 <= measured.seconds < 4_100
    assert live.drain() == 0
    assert lag.measured(live.conn).changes == 3


def test_what_is_put_back_is_counted_when_it_is_searchable(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.store()
    with monkeypatch.context() as patch:
        patch.setattr(
            builds, "refresh", lambda *_: (_ for _ in ()).throw(drain.bulk.OverloadedError)
        )
        assert live.drain() == 0
    assert lag.measured(live.conn).changes == 0
    live.due()
    live.drain()
    assert lag.measured(live.conn).changes == 1


def test_workers_that_count_at_once_lose_nothing_and_do_not_deadlock(live: Site) -> None:
    live.conn.execute(
        "INSERT INTO search_dirty (vehicle_id, at)"
        " SELECT n, now() - n * interval '20 milliseconds' FROM generate_series(1, 3000) AS n"
    )

    def work() -> None:
        with live.another() as conn:
            while rows := drain.lease(conn, 20).rows:
                lag.done(conn, rows)

    with ThreadPoolExecutor(3) as pool:
        for each in [pool.submit(work) for _ in range(3)]:
            each.result()
    assert lag.measured(live.conn).changes == 3000
    assert live.dirty() == []


@pytest.mark.parametrize(
    ("counts", "p50", "p99"),
    [
        ({}, None, None),
        ({0: 100}, 0.025, 0.0495),  # straight within the first bucket
        ({2: 50, 5: 50}, 0.2, 0.498),
        ({16: 1}, 300.0, 300.0),  # longer than the last bound: never more than that is claimed
    ],
)
def test_quantiles_lie_within_their_bucket(
    counts: dict[int, int], p50: float | None, p99: float | None
) -> None:
    measured = lag.Lag([counts.get(n, 0) for n in range(len(lag.BOUNDS) + 1)], 0)
    assert measured.quantile(0.5) == (p50 and pytest.approx(p50))
    assert measured.quantile(0.99) == (p99 and pytest.approx(p99))


def test_old_minutes_are_added_up_so_that_sums_only_grow(live: Site) -> None:
    live.store()
    live.drain()
    live.conn.execute("UPDATE index_lag SET minute = minute - interval '2 days'")
    live.store()
    live.drain()
    before = lag.measured(live.conn)
    for _ in range(2):
        lag.tidy(live.conn)
        assert lag.measured(live.conn).counts == before.counts
    assert lag.measured(live.conn, minutes=5).changes == 1
    row: Any = live.conn.execute("SELECT count(*) FROM index_lag WHERE minute = 'epoch'").fetchone()
    assert row == (1,)


def test_prometheus_reads_what_the_drain_measured(live: Site) -> None:
    live.store()
    live.store(make=TOO_LONG)
    live.drain()
    live.store()
    text = metrics.render(status.facts(live.conn)).decode()
    samples = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples[("rides_index_lag_seconds_count",)] == 2
    assert samples[("rides_index_lag_seconds_bucket", "+Inf")] == 2
    assert samples[("rides_index_dirty_rows",)] == 1
    assert samples[("rides_index_dead_letters",)] == 1
    assert samples[("rides_index_builds", "false", "serving")] == 1
    buckets = [value for key, value in samples.items() if key[0].endswith("_bucket")]
    assert buckets == sorted(buckets), "they add up"
