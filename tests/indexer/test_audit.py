"""The audit finds what went wrong behind everybody's back, says which field, and mends it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from indexer import audit, builds, compare, drain
from indexer.audit import AuditError, Result
from indexer.compare import Finding, Kind
from indexer.stores import Index, Truth, id_ranges
from tests import factory
from tests.indexer.site import Site
from tests.indexer.test_bulk import TOO_LONG

TABLE = "vehicle_search_view"


def run(site: Site, **options: Any) -> dict[str, Result]:
    results = audit.audit(site.conn, site.elastic, **({"patience": 5} | options))
    return {result.store: result for result in results}


def overwrite(site: Site, vehicle: int, **fields: Any) -> None:
    """Change a document as no write of the indexer would; its hash stays."""
    index = site.serving().index_name
    site.elastic.update(index=index, id=str(vehicle), doc=fields, refresh=True)


def behind_the_triggers(site: Site, statement: str) -> None:
    with site.conn.transaction():
        site.conn.execute("SET LOCAL session_replication_role = replica")
        site.conn.execute(statement)


@pytest.fixture
def stock(live: Site) -> tuple[Site, list[int]]:
    """Six vehicles, all in order everywhere."""
    host = factory.store_account(live.conn, "host")
    ids = [live.store(host_id=host) for _ in range(6)]
    live.drain()
    return live, ids


def test_what_is_in_order_gives_nothing_to_find(stock: tuple[Site, list[int]]) -> None:
    site, ids = stock
    site.store(status="unlisted")
    site.drain()
    standby = site.serving()
    site.rebuild()
    results = run(site)
    assert set(results) == {TABLE, site.serving().index_name, standby.index_name}
    for result in results.values():
        assert (result.checked, result.findings, result.pending) == (len(ids), [], 0)


def test_each_kind_of_difference_is_found_and_mended(stock: tuple[Site, list[int]]) -> None:
    site, ids = stock
    index = site.serving().index_name
    missing, stale, extra, gone = ids[:4]
    site.elastic.delete(index=index, id=str(missing))
    behind_the_triggers(
        site, f"UPDATE vehicles SET daily_rate_cents = 9, seats = 2 WHERE id = {stale}"
    )
    behind_the_triggers(site, f"UPDATE vehicles SET status = 'archived' WHERE id = {extra}")
    behind_the_triggers(site, f"DELETE FROM vehicles WHERE id = {gone}")
    assert site.dirty() == [], "nobody was told"

    results = run(site, repair=True)
    found = {(each.vehicle_id, each.kind): each.fields for each in results[index].findings}
    assert found == {
        (missing, Kind.MISSING): (),
        (stale, Kind.STALE): ("daily_rate", "seats", "total"),
        (extra, Kind.EXTRA): (),
        (gone, Kind.EXTRA): (),
    }
    assert {(each.vehicle_id, each.kind) for each in results[TABLE].findings} == {
        (stale, Kind.STALE),
        (extra, Kind.EXTRA),
        (gone, Kind.EXTRA),
    }
    site.drain()
    assert all(result.findings == [] for result in run(site).values())
    assert site.found() == [missing, stale, *ids[4:]]


def test_what_was_changed_behind_its_hash_is_found_by_a_deep_audit_alone(
    stock: tuple[Site, list[int]],
) -> None:
    site, ids = stock
    index = site.serving().index_name
    overwrite(site, ids[1], make="Lada")
    assert run(site)[index].findings == []
    site.conn.execute("UPDATE vehicle_search_view SET free = '{}' WHERE id = %s", [ids[2]])
    assert run(site)[TABLE].findings == []
    results = run(site, deep=True)
    (finding,) = results[index].findings
    assert finding == Finding(index, ids[1], Kind.DIFFERING, ("make",))
    (finding,) = results[TABLE].findings
    assert finding == Finding(TABLE, ids[2], Kind.DIFFERING, ("free",))


@pytest.mark.parametrize("deep", [False, True])
def test_what_the_search_table_hides_or_shows_wrongly_is_found_and_mended(
    stock: tuple[Site, list[int]], deep: bool
) -> None:
    """As searches find it: the two tables that say whether it is hidden may come to disagree."""
    site, ids = stock
    missing, stale, extra = ids[:3]
    site.conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE id = %s", [extra])
    site.drain()
    for table, vehicle in ((TABLE, missing), ("vehicle_search_documents", stale), (TABLE, extra)):
        site.conn.execute(f"UPDATE {table} SET hidden = NOT hidden WHERE id = %s", [vehicle])
    result = run(site, deep=deep, repair=True)[TABLE]
    assert {(each.vehicle_id, each.kind) for each in result.findings} == {
        (missing, Kind.MISSING),
        (stale, Kind.STALE),
        (extra, Kind.EXTRA),
    }
    site.drain()
    assert all(each.findings == [] for each in run(site, deep=deep).values())
    assert site.table() == [missing, stale, *ids[3:]]


def test_a_row_of_the_search_table_that_other_code_wrote_is_stale(
    stock: tuple[Site, list[int]],
) -> None:
    site, ids = stock
    site.conn.execute(
        "UPDATE vehicle_search_documents SET mapping_hash = 'old' WHERE id = %s", [ids[0]]
    )
    site.conn.execute(  # as code of before items were kept does
        "UPDATE vehicle_search_documents SET version = version + 1 WHERE id = %s", [ids[1]]
    )
    findings = run(site, repair=True)[TABLE].findings
    assert [(each.vehicle_id, each.kind, each.fields) for each in findings] == [
        (ids[0], Kind.STALE, ()),
        (ids[1], Kind.STALE, ()),
    ]
    site.drain()
    assert run(site)[TABLE].findings == []


def test_a_sample_looks_at_so_many(stock: tuple[Site, list[int]]) -> None:
    site, ids = stock
    for vehicle in ids:
        site.elastic.delete(index=site.serving().index_name, id=str(vehicle))
    result = run(site, sample=2)[site.serving().index_name]
    assert (result.checked, len(result.findings), result.partial) == (2, 2, True)


def test_what_is_dirty_is_not_called_wrong(
    stock: tuple[Site, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the race: what is on its way differs. Looked at again, it has arrived."""
    site, ids = stock
    store = Index(site.elastic, site.serving().index_name)
    site.conn.execute("UPDATE vehicles SET seats = 7 WHERE id = %s", [ids[0]])
    unlike = compare.every(site.conn, Truth(), [store], lambda _: None)
    assert unlike.by_store[store.name] == {ids[0]}

    settle, looked = compare._dirty, []

    def drain_between_two_looks(*args: Any) -> set[int]:
        dirty: set[int] = settle(*args)
        looked.append(dirty)
        if len(looked) == 3:
            drain.drain(site.conn, site.elastic)
        return dirty

    monkeypatch.setattr(compare, "_dirty", drain_between_two_looks)
    findings, changing = compare.settle(site.conn, Truth(), store, {ids[0]})
    assert (findings, changing) == ([], set())
    assert looked[:3] == [{ids[0]}] * 3


def test_what_stays_dirty_is_neither_right_nor_wrong(stock: tuple[Site, list[int]]) -> None:
    """No worker runs: the index is behind, not wrong."""
    site, ids = stock
    site.conn.execute("UPDATE vehicles SET seats = 7 WHERE id = %s", [ids[0]])
    result = run(site, patience=1)[site.serving().index_name]
    assert (result.findings, result.pending) == ([], 1)


def test_vehicles_that_change_all_the_time_are_not_called_wrong(
    stock: tuple[Site, list[int]],
) -> None:
    site, ids = stock
    stop = Event()

    def loop(work: Callable[[Any, int], Any]) -> int:
        n = 0
        with site.another() as conn:
            while not stop.is_set():
                work(conn, n := n + 1)
        return n

    def write(conn: Any, n: int) -> None:
        vehicle = ids[n % len(ids)]
        conn.execute("UPDATE vehicles SET daily_rate_cents = %s WHERE id = %s", [n, vehicle])

    with ThreadPoolExecutor(2) as pool:
        writer = pool.submit(loop, write)
        worker = pool.submit(loop, lambda conn, _: drain.drain(conn, site.elastic, longest=1))
        try:
            results = [result for _ in range(3) for result in run(site).values()]
        finally:
            stop.set()
        assert writer.result() > 20
        worker.result()
    assert [result.findings for result in results] == [[]] * len(results)


def test_what_an_index_refuses_is_no_finding_of_the_audit(live: Site) -> None:
    live.store(make=TOO_LONG)
    live.drain()
    result = run(live)[live.serving().index_name]
    assert (result.findings, result.refused) == ([], 1)


def test_the_result_is_kept(stock: tuple[Site, list[int]]) -> None:
    site, ids = stock
    index = site.serving().index_name
    site.elastic.delete(index=index, id=str(ids[0]))
    run(site)
    row: Any = site.conn.execute(
        "SELECT checked, missing, stale, extra, differing, pending, repaired, findings"
        " FROM index_audits WHERE store = %s",
        [index],
    ).fetchone()
    assert row[:-1] == (6, 1, 0, 0, 0, 0, False)
    assert json.loads(json.dumps(row[-1])) == [
        {"store": index, "vehicle_id": ids[0], "kind": "missing", "fields": []}
    ]


def test_without_elasticsearch_the_search_table_alone_is_compared(site: Site) -> None:
    vehicle = site.store()
    drain.drain(site.conn, None)
    behind_the_triggers(site, "UPDATE vehicles SET seats = 9")
    (result,) = audit.audit(site.conn, None, patience=5)
    assert [(each.vehicle_id, each.fields) for each in result.findings] == [(vehicle, ("seats",))]


def test_two_audits_at_once_are_refused_and_an_unreadable_index_is_named(live: Site) -> None:
    with live.another() as conn, audit._alone(conn), pytest.raises(AuditError, match="another"):
        run(live)
    live.elastic.indices.delete(index=live.serving().index_name)
    with pytest.raises(AuditError, match=r"-1 cannot be read.*`rides index status`"):
        run(live)
    assert builds.serving(live.conn) is not None


def test_ranges_cover_every_id_once_however_few_there_are(live: Site) -> None:
    assert id_ranges(live.conn, 4) == [(-1, 2**63 - 1)]
    host = factory.store_account(live.conn, "host")
    for _ in range(10):
        live.store(host_id=host)
    ranges = id_ranges(live.conn, 4)
    assert ranges[0][0] == -1
    assert ranges[-1][1] == 2**63 - 1
    assert [last for _, last in ranges[:-1]] == [after for after, _ in ranges[1:]]
    assert len(ranges) == 4


def test_more_than_a_page_on_either_side_is_compared(
    stock: tuple[Site, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from indexer import stores

    site, ids = stock
    monkeypatch.setattr(compare, "PAGE", 2)
    monkeypatch.setattr(stores, "_PAGE", 2)
    monkeypatch.setattr(compare, "RANGES", 2)
    behind_the_triggers(site, f"DELETE FROM vehicles WHERE id > {ids[0]} AND id < {ids[5]}")
    result = run(site)[site.serving().index_name]
    assert [each.vehicle_id for each in result.findings] == ids[1:5]
    assert result.checked == 2
