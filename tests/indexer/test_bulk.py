"""The verdict on every document of a bulk, by its error's type; on a real server."""

from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch

from indexer import bulk
from indexer.bulk import BuildStoppedError, OverloadedError, send
from indexer.documents import Document
from tests.indexer.site import Site

TOO_LONG = "é" * 16_384  # 32,768 bytes: Lucene's longest term is 32,766


def make(vehicle_id: int, **fields: Any) -> Document:
    return Document(vehicle_id, orjson.dumps({"id": vehicle_id, "make": "Kia"} | fields))


@pytest.fixture
def index(live: Site) -> str:
    return live.serving().index_name


def test_what_goes_in_is_there(live: Site, index: str) -> None:
    assert send(live.elastic, index, [make(1), make(2, make="Fiat")], 5) == bulk.Outcome()
    assert live.document(2) == {"id": 2, "make": "Fiat"}


@pytest.mark.parametrize("version", [4, 5])
def test_an_older_or_equal_version_is_done_and_changes_nothing(
    live: Site, index: str, version: int
) -> None:
    send(live.elastic, index, [make(1, year=2020)], 5)
    outcome = send(live.elastic, index, [make(1, year=1990)], version)
    assert outcome == bulk.Outcome(newest=5), "what the index has instead is said"
    assert live.document(1)["year"] == 2020


def test_a_late_write_does_not_bring_a_hidden_vehicle_back(live: Site, index: str) -> None:
    send(live.elastic, index, [Document.hidden(1)], 6)
    send(live.elastic, index, [make(1)], 5)
    assert live.document(1) == {"id": 1, "hidden": True}


@pytest.mark.parametrize(
    "poison",
    [
        {"make": TOO_LONG},
        {"year": "the year of the cat"},
        {"location": {"lat": 200, "lon": 0}},
        {"free": [{"gte": "2026-02-01", "lt": "2026-01-01"}]},
    ],
)
def test_a_document_that_can_never_be_indexed_comes_back_alone(
    live: Site, index: str, poison: dict[str, Any]
) -> None:
    documents = [make(1), make(2, **poison), make(3)]
    outcome = send(live.elastic, index, documents, 5)
    assert [each.document for each in outcome.refused] == [documents[1]]
    assert outcome.later == []
    assert outcome.refused[0].error.startswith(bulk.POISON)
    assert len(outcome.refused[0].error) <= 1000
    assert live.document(3)["id"] == 3


def test_one_in_twenty_is_poison_more_is_an_alarm(live: Site, index: str) -> None:
    good, bad = [make(n) for n in range(190)], [make(1000 + n, year="x") for n in range(11)]
    assert len(send(live.elastic, index, [*good, *bad[:10]], 5).refused) == 10
    with pytest.raises(BuildStoppedError, match="11 of 201 documents refused"):
        send(live.elastic, index, [*good, *bad], 6)


def test_fewer_than_ten_may_meet_by_chance(live: Site, index: str) -> None:
    good, bad = [make(n) for n in range(11)], [make(1000 + n, year="x") for n in range(10)]
    assert len(send(live.elastic, index, [*good, *bad[:9]], 5).refused) == 9
    with pytest.raises(BuildStoppedError, match="10 of 21 documents refused"):
        send(live.elastic, index, [*good, *bad], 6)


def test_a_small_batch_may_be_all_poison(live: Site, index: str) -> None:
    poison = [make(n, year="x") for n in range(19)]
    assert len(send(live.elastic, index, poison, 5).refused) == 19


def test_an_unknown_field_stops_the_build(live: Site, index: str) -> None:
    with pytest.raises(BuildStoppedError, match="strict_dynamic_mapping_exception"):
        send(live.elastic, index, [make(1), make(2, wings=2)], 5)


@pytest.mark.parametrize(
    "block", ["index.blocks.write", "index.blocks.read_only_allow_delete", "index.blocks.read_only"]
)
def test_a_blocked_index_stops_the_build_whatever_the_status(
    live: Site, index: str, block: str
) -> None:
    live.elastic.indices.put_settings(index=index, settings={block: True})
    with pytest.raises(BuildStoppedError, match="cluster_block_exception"):
        send(live.elastic, index, [make(1)], 5)
    live.elastic.indices.put_settings(index=index, settings={block: None})
    assert send(live.elastic, index, [make(1)], 6) == bulk.Outcome()


def test_a_closed_index_stops_the_build(live: Site, index: str) -> None:
    live.elastic.indices.close(index=index)
    with pytest.raises(BuildStoppedError, match="index_closed_exception"):
        send(live.elastic, index, [make(1)], 5)


def test_an_index_that_was_removed_is_not_brought_back(live: Site, index: str) -> None:
    live.elastic.indices.delete(index=index)
    with pytest.raises(BuildStoppedError, match="index_not_found_exception"):
        send(live.elastic, index, [make(1)], 5)
    assert live.indices() == set()
    # The race that `require_alias` is there for: without it, the index is made, without a mapping.
    body = b'{"index":{}}\n{"id":1}\n'
    headers = {"accept": "application/json", "content-type": "application/x-ndjson"}
    live.elastic.perform_request("POST", f"/{index}/_bulk", headers=headers, body=body)
    assert live.indices() == {index}


def test_a_server_that_is_away_is_an_overload() -> None:
    with (
        Elasticsearch("http://127.0.0.1:1", max_retries=0) as nobody,
        pytest.raises(OverloadedError, match="Connection error"),
    ):
        send(nobody, "any", [make(1)], 5)


def test_a_server_that_is_too_slow_is_an_overload(live: Site, index: str) -> None:
    with pytest.raises(OverloadedError, match="timed out"):
        send(live.elastic.options(request_timeout=0.000_1), index, [make(1)], 5)


def test_a_full_queue_is_an_overload_of_the_document_alone() -> None:
    """A rejection cannot be had at will; the verdict on its answer can."""
    error = {"type": "es_rejected_execution_exception", "reason": "queue is full"}
    answer = [{"index": {"_id": "1"}}, {"index": {"_id": "2", "error": error}}]
    outcome = bulk._judge([make(1), make(2)], answer)
    assert [each.vehicle_id for each in outcome.later] == [2]
    assert outcome.reason == "es_rejected_execution_exception: queue is full"
    assert outcome.refused == []
