"""Servers, indices and documents that fail: nothing is lost, nothing else is held up."""

from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer import builds, bulk, documents, drain
from tests.indexer.site import Site, after
from tests.indexer.test_bulk import TOO_LONG


def read_only(site: Site, index: str, block: bool = True) -> None:
    site.elastic.indices.put_settings(index=index, settings={"index.blocks.write": block or None})


def fed(site: Site) -> list[tuple[Any, ...]]:
    """Of the dirty rows, how many the search table is said to have, and to lack."""
    return site.conn.execute("SELECT fed, count(*) FROM search_dirty GROUP BY fed").fetchall()


# Failures


def test_while_elasticsearch_is_away_rows_are_put_back(live: Site) -> None:
    vehicle = live.store()
    with Elasticsearch("http://127.0.0.1:1", max_retries=0) as nobody:
        assert fed(live) == [(False, 1)]
        assert drain.drain(live.conn, nobody) == 0
    assert live.dirty() == [(vehicle, 1)]
    assert fed(live) == [(True, 1)]
    assert live.drain() == 0, "it waits for its backoff"
    live.due()
    assert live.drain() == 1
    assert live.found() == [vehicle]


def test_while_elasticsearch_is_away_new_rows_reach_the_table_past_older_ones(live: Site) -> None:
    # Ten times as many as a batch of rows that were tried before: in an outage they fill the queue.
    older = "INSERT INTO search_dirty (vehicle_id, attempts) SELECT generate_series(%s, %s), 5"
    live.conn.execute(older, [1_000_000, 1_000_620])
    vehicle = live.store()
    with Elasticsearch("http://127.0.0.1:1", max_retries=0) as nobody:
        assert drain.drain(live.conn, nobody) == 0
    assert live.table() == [vehicle]
    assert (vehicle, 0) in live.dirty(), "no index was tried with it"
    assert fed(live) == [(True, 622)]
    live.due()
    while live.drain():
        pass
    assert live.found() == [vehicle]


def test_backoff_grows_with_jitter_up_to_the_lease() -> None:
    for attempts, longest in ((1, 1), (2, 2), (4, 8), (5, drain.LEASE_S), (1000, drain.LEASE_S)):
        waits = {drain.backoff(attempts) for _ in range(50)}
        assert len(waits) > 1
        assert all(longest / 2 <= wait <= longest for wait in waits)


def test_a_failed_refresh_keeps_the_rows(live: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    live.store()

    def fail(*_: Any) -> None:
        raise bulk.OverloadedError("no refresh today")

    with monkeypatch.context() as patch:
        patch.setattr(builds, "refresh", fail)
        assert live.drain() == 0
    live.due()
    assert live.drain() == 1


def test_a_blocked_serving_index_keeps_every_row_and_its_state(live: Site) -> None:
    vehicle = live.store()
    index = live.serving().index_name
    read_only(live, index)
    assert live.drain() == 0
    assert live.dirty() == [(vehicle, 1)]
    assert live.states() == {index: "serving"}
    read_only(live, index, block=False)
    live.due()
    assert live.drain() == 1


def test_poison_is_buried_and_the_rest_is_on_time(live: Site) -> None:
    good, poison, other = live.store(), live.store(model=TOO_LONG), live.store()
    assert live.drain() == 3
    assert live.found() == [good, other]
    (letter,) = live.conn.execute(
        "SELECT index_name, vehicle_id, error, document ->> 'model' FROM index_dead_letters"
    ).fetchall()
    assert letter[:2] == (live.serving().index_name, poison)
    assert letter[2].startswith("document_parsing_exception")
    assert letter[3] == TOO_LONG


def test_a_poisoned_vehicle_that_is_mended_is_found(live: Site) -> None:
    vehicle = live.store(model=TOO_LONG)
    live.drain()
    live.conn.execute("UPDATE vehicles SET model = 'Panda' WHERE id = %s", [vehicle])
    live.drain()
    assert live.found() == [vehicle]


def test_a_document_that_may_go_in_later_does_not_hold_up_its_batch(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, late = live.store(), live.store()
    send = bulk.send

    def reject(client: Any, index: str, batch: list[documents.Document], version: int) -> Any:
        send(client, index, [each for each in batch if each.vehicle_id != late], version)
        return bulk.Outcome(later=[each for each in batch if each.vehicle_id == late])

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "send", reject)
        assert live.drain() == 1
    assert live.found() == [good]
    assert live.dirty() == [(late, 1)]
    live.due()
    assert live.drain() == 1
    assert live.found() == [good, late]


# Builds that do not serve


def test_every_live_build_is_fed(live: Site) -> None:
    live.rebuild()
    building = builds.create(live.conn, live.elastic, live.alias)
    assert sorted(live.states().values()) == ["building", "serving", "standby"]
    vehicle = live.store()
    live.drain()
    held = [live.document(vehicle, index) for index in live.states()]
    assert held[0] == held[1] == held[2]
    assert building.index_name in live.states()


@pytest.mark.parametrize("state", ["building", "standby"])
@pytest.mark.parametrize("failure", ["blocked", "closed", "removed"])
def test_a_build_that_takes_nothing_is_stopped_and_holds_up_nothing(
    live: Site, state: str, failure: str
) -> None:
    other = builds.create(live.conn, live.elastic, live.alias)
    live.conn.execute("UPDATE index_builds SET state = %s WHERE id = %s", [state, other.id])
    if failure == "blocked":
        read_only(live, other.index_name)
    elif failure == "closed":
        live.elastic.indices.close(index=other.index_name)
    else:
        live.elastic.indices.delete(index=other.index_name)
    vehicle = live.store()
    live.drain()
    live.due()
    live.drain()
    assert live.found() == [vehicle]
    assert live.dirty() == []
    (stopped,) = builds.builds(live.conn, ["stopped"])
    assert stopped.index_name == other.index_name
    assert stopped.detail


def test_an_overloaded_build_is_given_up_after_minutes(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = builds.create(live.conn, live.elastic, live.alias)
    send = bulk.send

    def overload(client: Any, index: str, *args: Any) -> Any:
        if index == other.index_name:
            raise bulk.OverloadedError("shard is not active")
        return send(client, index, *args)

    monkeypatch.setattr(bulk, "send", overload)
    vehicle = live.store()
    assert live.drain() == 0
    assert live.found() == [vehicle], "the serving build does not wait for it"
    age(live, other, builds.PATIENCE_S - 10)
    live.due()
    assert live.drain() == 0
    assert live.states()[other.index_name] == "building"
    age(live, other, builds.PATIENCE_S)
    live.due()
    assert live.drain() == 1, "it holds up nothing any more"
    assert live.states()[other.index_name] == "stale"
    (stale,) = builds.builds(live.conn, ["stale"])
    assert stale.detail == "shard is not active"


def age(site: Site, build: builds.Build, seconds: int) -> None:
    """Let a build have failed for so long."""
    site.conn.execute(
        "UPDATE index_builds SET failing_since = clock_timestamp() - make_interval(secs => %s)"
        " WHERE id = %s",
        [seconds, build.id],
    )


def test_a_build_that_takes_batches_again_is_not_given_up(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = builds.create(live.conn, live.elastic, live.alias)
    live.store()
    send, failing = bulk.send, [other.index_name]

    def overload(client: Any, index: str, *args: Any) -> Any:
        if index in failing:
            raise bulk.OverloadedError("shard is not active")
        return send(client, index, *args)

    monkeypatch.setattr(bulk, "send", overload)
    live.drain()
    assert builds.builds(live.conn, ["building"])[0].failing_since is not None
    failing.clear()
    live.due()
    assert live.drain() == 1
    (recovered,) = builds.builds(live.conn, ["building"])
    assert (recovered.failing_since, recovered.detail) == (None, None)


def test_the_serving_build_is_never_given_up_and_says_since_when_it_fails(live: Site) -> None:
    serving = live.serving()
    live.store()
    age(live, serving, 10 * builds.PATIENCE_S)
    read_only(live, serving.index_name)
    assert live.drain() == 0
    assert live.states() == {serving.index_name: "serving"}
    assert "cluster_block_exception" in str(live.serving().detail)
    read_only(live, serving.index_name, block=False)
    live.due()
    assert live.drain() == 1
    assert live.serving().failing_since is None


def test_a_view_with_a_new_field_does_not_stop_what_was_made_before(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between `rides migrate` and `rides reindex`: old indices take the rest of the document."""
    live.rebuild()
    vehicle = live.store()

    def with_wings(*args: Any) -> list[documents.Document]:
        return [
            documents.Document(each.vehicle_id, each.source[:-1] + b', "wings": 2}')
            for each in documents.read(*args)
        ]

    monkeypatch.setattr(drain, "read", with_wings)
    assert live.drain() == 1
    assert live.found() == [vehicle]
    assert sorted(live.states().values()) == ["serving", "standby"]
    assert live.document(vehicle)["wings"] == 2
    wings = {"term": {"wings": 2}}
    assert live.elastic.count(index=live.alias, query=wings)["count"] == 0


def test_a_new_build_that_does_not_know_a_field_is_stopped(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was made from the code's mapping: the code forgot the field, and a swap would hide it."""
    builds.create(live.conn, live.elastic, live.alias)
    vehicle = live.store()
    winged = [documents.Document(vehicle, b'{"id": %d, "wings": 2}' % vehicle)]
    monkeypatch.setattr(drain, "read", lambda *_: winged)
    assert live.drain() == 1
    (stopped,) = builds.builds(live.conn, ["stopped"])
    assert "strict_dynamic_mapping_exception" in str(stopped.detail)


def test_a_build_that_was_dropped_under_a_batch_stays_dropped(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = builds.create(live.conn, live.elastic, live.alias)
    vehicle = live.store()
    after(
        monkeypatch,
        builds,
        "live",
        lambda: builds.drop(live.conn, live.elastic, other, "pruned"),
    )
    batch = drain.lease(live.conn)
    assert drain.index(live.conn, live.elastic, batch.vehicles) == {vehicle}
    assert live.states()[other.index_name] == "dropped"
    live.due()
    assert live.drain() == 1
    assert other.index_name not in live.indices()


def test_a_batch_under_a_swap_is_searchable_when_its_rows_are_gone(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knew the new build as one that does not serve; it must be refreshed all the same."""
    other = builds.create(live.conn, live.elastic, live.alias)
    vehicle = live.store()
    after(
        monkeypatch,
        drain,
        "read",
        lambda: after(
            monkeypatch,
            builds,
            "live",
            lambda: assert_swapped(live, other),
        ),
    )
    assert live.drain() == 1
    assert live.serving().id == other.id
    assert live.found() == [vehicle]


def test_what_was_written_before_a_swap_is_searchable_after_it(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch refreshed the old index; the new one has the write, so the swap refreshes it."""
    other = builds.create(live.conn, live.elastic, live.alias)
    vehicle = live.store()
    after(monkeypatch, builds, "refresh", lambda: assert_swapped(live, other))
    assert live.drain() == 1
    assert live.found() == [vehicle]


def test_a_batch_within_a_swap_is_searchable_on_both_sides_of_it(
    live: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new build serves by its row, the alias still leads to the old one."""
    other = builds.create(live.conn, live.elastic, live.alias)
    seen: list[list[int]] = []
    vehicles: list[int] = []

    def whole_batch() -> None:
        vehicles.append(live.store())
        assert live.drain() == 1
        seen.append(live.found())

    after(monkeypatch, live.elastic.indices, "refresh", whole_batch)
    assert_swapped(live, other)
    seen.append(live.found())
    assert seen == [vehicles, vehicles]


def assert_swapped(site: Site, build: builds.Build) -> None:
    assert builds.swap(site.conn, site.elastic, site.alias, build)
