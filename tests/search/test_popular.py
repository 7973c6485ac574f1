"""Popular searches: what is counted, what never is, and what is suggested of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from runtime.settings import Settings
from search import popular
from search.popular import Popular, PopularSearches, countable
from search.understand.reader import understand
from search.understand.vocabulary import EMPTY, Term, build
from tests.market import Market

FLEET: list[dict[str, Any]] = [
    {"make": "Jeep", "model": "Wrangler", "city": "Hilo", "body": "SUV"},
    {"make": "Kia", "model": "Soul", "city": "Lihue", "body": "Hatchback"},
    {"make": "Citroën", "model": "C3", "city": "Hilo", "body": "Hatchback"},
]
TODAY = datetime.now(UTC).date()
KNOWN = {"jeep", "wrangler", "citroen", "f", "150", "500", "2500", "911", "hilo"}
NAMES = build(
    makes={"Jeep": ["Wrangler"], "Citroën": []}, plain={}, places=[Term("city", ("Hilo",))]
)


def counting(market: Market) -> PopularSearches:
    counted: PopularSearches = market.api.app.state.popular  # type: ignore[attr-defined]
    return counted


@pytest.fixture
def fleet(market: Market) -> Iterator[Market]:
    """A marketplace whose words the API knows and in which nothing has been searched for."""
    market.store(*FLEET)
    market.learn()
    with counted_by_hand(market):
        yield market


@contextmanager
def counted_by_hand(market: Market) -> Iterator[None]:
    """Nothing has been searched for, and only the test adds up: the API's own turn could come
    between two of its searches."""
    state = market.api.app.state  # type: ignore[attr-defined]
    by_itself = state.popular
    state.popular = PopularSearches(state.engine, lambda: state.vocabulary.current)
    try:
        yield
    finally:
        state.popular = by_itself


def call(market: Market, work: Any) -> None:
    assert market.api.portal
    market.api.portal.call(work)


def searched(market: Market, q: str, clients: int = popular.LEAST, **asked: Any) -> None:
    """So many renters search for it."""
    for n in range(clients):
        counting(market)._seen.clear()
        assert market.search(q=q, facets="none", **asked)["items"] or n == 0


def shown(market: Market) -> None:
    """What was counted is added up and shown."""
    call(market, counting(market).flush)
    call(market, counting(market).refresh)


def suggested(market: Market, q: str, **asked: Any) -> list[dict[str, Any]]:
    answer = market.api.get("/v1/search/suggest", params={"q": q} | asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["sections"]["searches"]
    return found


def rows(market: Market) -> dict[str, int]:
    found = market.conn.execute("SELECT text, searches FROM popular_searches")
    return dict(found.fetchall())


def test_what_many_search_for_is_suggested_with_how_many(fleet: Market) -> None:
    searched(fleet, "Jeep  in HILO", 6)
    shown(fleet)
    assert suggested(fleet, "hi") == [
        {
            "kind": "search",
            "value": "jeep in hilo",
            "label": "jeep in <em>hi</em>lo",
            "count": 6,
            "filter": {"q": "jeep in hilo"},
        }
    ]
    assert fleet.ids(**suggested(fleet, "jee h")[0]["filter"])
    assert suggested(fleet, "kia") == []


def test_the_most_popular_come_first_and_at_most_as_many_as_asked(fleet: Market) -> None:
    searched(fleet, "suv hilo", 5)
    searched(fleet, "citroën hilo", 7)
    searched(fleet, "hilo", 6)
    shown(fleet)
    assert [each["value"] for each in suggested(fleet, "hil")] == [
        "citroen hilo", "hilo", "suv hilo",
    ]  # fmt: skip
    assert len(suggested(fleet, "hil", limit=2)) == 2


def test_fewer_searches_are_not_suggested(fleet: Market) -> None:
    searched(fleet, "jeep", popular.LEAST - 1)
    shown(fleet)
    assert rows(fleet) == {"jeep": popular.LEAST - 1}
    assert suggested(fleet, "jeep") == []


def test_a_search_without_result_is_not_counted(fleet: Market) -> None:
    fleet.search(q="kia hilo")
    shown(fleet)
    assert rows(fleet) == {}


def test_later_pages_and_the_same_client_again_do_not_count(fleet: Market) -> None:
    page = fleet.search(q="hilo", limit=1)
    fleet.search(q="hilo", limit=1, cursor=page["nextCursor"])
    counting(fleet)._seen.clear()
    fleet.search(q="hilo", limit=1, cursor=page["nextCursor"])
    fleet.search(q="HILO", make="Jeep")
    fleet.search(q="hilo", sort="price")
    shown(fleet)
    assert rows(fleet) == {"hilo": 2}


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("Citroën  HILO", "citroen hilo"),
        ("a jeep near Hilo, please", "a jeep near hilo please"),
        ("a jeep near Hilo, darling", None),
        ("jeep under $80 a day in Hilo", "jeep under $80 a day in hilo"),
        ("f-150", "f 150"),
        ("jeep next weekend", "jeep"),
        ("hilo 12 March to 15 March", "hilo"),
        ("next weekend", None),
        ("!?", None),
        # Nobody is named, reached or found by what is counted.
        ("jeep of John Smith", None),
        ("jeep john.smith@example.com", None),
        ("jeep hilo@example.com", None),
        ("jeep 808 555 0123", None),
        ("jeep +1-808-555-0123", None),
        ("jeep 8085550123", None),
        ("911 500 2500", None),
        ("jeep under 8085550", None),
        ("12 Kilauea Avenue Hilo", None),
        ("jeep B12 345", None),
        ("hilo " * 13, None),
    ],
)
def test_only_words_of_vehicles_and_filters_are_counted(text: str, counted: str | None) -> None:
    text = text.strip()
    read = [(each.kind, each.start, each.end) for each in understand(text, NAMES, TODAY)]
    assert countable(text, read, KNOWN) == counted


def test_without_a_vocabulary_nothing_is_counted() -> None:
    for text in ("jeep", "jeep hilo", "500"):
        read = [(each.kind, each.start, each.end) for each in understand(text, EMPTY, TODAY)]
        assert countable(text, read, frozenset()) is None


def test_nothing_of_who_asked_is_stored(fleet: Market) -> None:
    fleet.search(q="jeep")
    fleet.search(q="jeep of John Smith")
    shown(fleet)
    assert rows(fleet) == {"jeep": 1}
    columns = fleet.conn.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'popular_searches'"
    ).fetchall()
    assert {name for (name,) in columns} == {"day", "text", "searches"}


def test_what_no_vehicle_has_any_more_is_not_suggested(fleet: Market) -> None:
    searched(fleet, "kia")
    searched(fleet, "jeep hilo")
    shown(fleet)
    assert suggested(fleet, "ki")
    fleet.conn.execute("UPDATE vehicles SET status = 'unlisted' WHERE make = 'Kia'")
    fleet.drain()
    fleet.learn()
    call(fleet, counting(fleet)._refresh_if_due)  # a newer vocabulary is reason enough
    assert suggested(fleet, "ki") == []
    assert suggested(fleet, "jee")
    fleet.conn.execute("UPDATE vehicles SET status = 'listed' WHERE make = 'Kia'")
    fleet.drain()
    fleet.learn()
    call(fleet, counting(fleet)._refresh_if_due)
    assert suggested(fleet, "ki")


@pytest.mark.parametrize(("url", "shown"), [("http://127.0.0.1:1", []), ("", ["jeep"])])
def test_nothing_is_suggested_while_nobody_learns_what_is_hidden(
    fleet: Market,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    shown: list[str],
) -> None:
    async def keep(_: PopularSearches) -> None:
        """What the test says is popular stays so."""

    monkeypatch.setattr(PopularSearches, "refresh", keep)
    elsewhere = create_app(settings.model_copy(update={"elasticsearch_url": url}))
    with TestClient(elsewhere, raise_server_exceptions=False) as api:
        elsewhere.state.popular._by_letter = {"j": [Popular("jeep", 9)]}
        answer = api.get("/v1/search/suggest", params={"q": "je"}).json()
    assert [each["value"] for each in answer["sections"]["makes"]] == ["Jeep"]
    assert [each["value"] for each in answer["sections"]["searches"]] == shown


def test_several_processes_add_up_and_old_days_are_forgotten(fleet: Market) -> None:
    def of(day: date, text: str, searches: int) -> None:
        fleet.conn.execute(
            "INSERT INTO popular_searches VALUES (%s, %s, %s)", [day, text, searches]
        )

    of(TODAY, "jeep", 3)
    of(TODAY - timedelta(days=popular.DAYS - 1), "jeep", 4)
    of(TODAY - timedelta(days=popular.DAYS), "jeep", 90)
    of(TODAY - timedelta(days=popular.DAYS), "kia", 90)
    searched(fleet, "jeep", 2)
    shown(fleet)
    assert suggested(fleet, "j")[0]["count"] == 9
    assert rows(fleet).keys() == {"jeep"}


def test_a_day_keeps_a_bounded_number_of_texts(
    fleet: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(popular, "_PRUNE", popular._PRUNE.replace("OFFSET 10000", "OFFSET 2"))
    for text, clients in (("jeep", 3), ("hilo", 1), ("suv", 2)):
        searched(fleet, text, clients)
    shown(fleet)
    assert rows(fleet) == {"jeep": 3, "suv": 2}


def test_counts_wait_while_the_database_does_not_answer(fleet: Market) -> None:
    searched(fleet, "jeep")
    counted = counting(fleet)
    fleet.conn.execute("ALTER TABLE popular_searches RENAME TO elsewhere")
    try:
        call(fleet, counted.flush)
        call(fleet, counted.refresh)
    finally:
        fleet.conn.execute("ALTER TABLE elsewhere RENAME TO popular_searches")
    assert counted._waiting == {"jeep": popular.LEAST}
    shown(fleet)
    assert suggested(fleet, "jeep")[0]["count"] == popular.LEAST


def test_what_waits_is_added_up_when_a_process_ends(fleet: Market, settings: Settings) -> None:
    ending = create_app(settings)
    with TestClient(ending):
        ending.state.popular._waiting["jeep"] = 2
    assert rows(fleet) == {"jeep": 2}


def test_what_waits_is_bounded(fleet: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popular, "MOST_WAITING", 2)
    monkeypatch.setattr(popular, "MOST_SEEN", 4)
    counted = counting(fleet)
    for text in ("jeep", "hilo", "suv", "jeep hilo", "kia"):
        for client in ("a", "b"):
            counted.count(text, [], client)
    assert counted._waiting == {"jeep": 2, "hilo": 2}
    assert len(counted._seen) == 4


def test_of_a_text_that_is_still_being_typed_only_the_longest_counts(fleet: Market) -> None:
    """An app that searches at every key, and does not say so."""
    for typed in ("jeep", "jeep wra", "jeep wrangler", "jeep wrangler hilo", "kia"):
        fleet.search(q=typed)
    shown(fleet)
    assert rows(fleet) == {"jeep wrangler hilo": 1, "kia": 1}


def test_what_others_search_for_or_was_searched_for_before_counts(
    fleet: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = counting(fleet)
    counted.count("jeep", [], "a")
    counted.count("jeep wrangler", [], "b")
    counted.count("suv", [], "a")
    monkeypatch.setattr(popular, "TYPED_S", 0)
    counted.count("suv hilo", [], "a")
    assert counted._waiting == {"jeep": 1, "jeep wrangler": 1, "suv": 1, "suv hilo": 1}
