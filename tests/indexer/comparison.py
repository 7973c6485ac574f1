"""What can be found held against what the rows say, written apart from the indexer.

Documents are put together here from the tables themselves, not from the view that the indexer
reads. What searches read is looked at as they see it: through the alias, without a refresh.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from elasticsearch import Elasticsearch
from psycopg import Connection

Facts = dict[str, Any]
Stored = dict[int, Facts]
TABLE = "vehicle_search_view"
_TRUTH = """
    SELECT v.id, make, model, year, city, description, daily_rate_cents, instant_book,
        ARRAY(SELECT feature FROM vehicle_features f WHERE f.vehicle_id = v.id),
        (SELECT count(*) FROM reviews r WHERE r.vehicle_id = v.id AND r.hidden_at IS NULL),
        (SELECT sum(rating) FROM reviews r WHERE r.vehicle_id = v.id AND r.hidden_at IS NULL),
        ARRAY(
            SELECT ARRAY[lower(during)::text, upper(during)::text] FROM bookings b
            WHERE b.vehicle_id = v.id AND b.status IN ('held', 'confirmed', 'active')
        )
    FROM vehicles v WHERE v.status = 'listed'
"""
_VALUE = "(SELECT value FROM vehicle_search_values WHERE code = t.{})"
_SEARCH_TABLE = f"""
    SELECT t.id, {", ".join(_VALUE.format(name) for name in ("make", "model"))}, t.year,
        {_VALUE.format("city")}, d.document ->> 'description', t.daily_rate, t.instant_book,
        ARRAY(SELECT value FROM vehicle_search_values WHERE code = ANY(t.features)),
        t.review_count, t.rating,
        ARRAY(SELECT ARRAY[lower(part)::text, upper(part)::text] FROM unnest(t.free) AS part)
    FROM vehicle_search_view t JOIN vehicle_search_documents d USING (id) WHERE NOT t.hidden
"""
_NAMES = ("make", "model", "year", "city", "description", "daily_rate", "instant_book")
_EVER = ("1970-01-01", "9999-12-31")


def differences(
    conn: Connection[Any], client: Elasticsearch, alias: str, poisoned: Iterable[int]
) -> list[str]:
    """One line for each vehicle that is missing, stale or extra somewhere, with what differs.

    No index can hold what `poisoned` vehicles say: they are not looked at there.
    """
    stores = {alias: _indexed(client, alias)}  # before anything is refreshed
    indices = fed(conn)
    client.indices.refresh(index=indices)
    stores |= {name: _indexed(client, name) for name in indices}
    stores[TABLE] = _tabled(conn)
    truth = _truth(conn)
    without = {vehicle: truth[vehicle] for vehicle in truth.keys() - set(poisoned)}
    found = []
    for name, held in stores.items():
        said = truth if name == TABLE else without
        shown = held if name == TABLE else {v: held[v] for v in held.keys() - set(poisoned)}
        found += _unlike(name, said, shown)
    return found


def fed(conn: Connection[Any]) -> list[str]:
    """The indices that every change must reach."""
    rows = conn.execute(
        "SELECT index_name FROM index_builds WHERE state IN ('serving', 'standby', 'building')"
    )
    return [row[0] for row in rows]


def letters(conn: Connection[Any]) -> set[tuple[str, int]]:
    """The dead letters: index and vehicle."""
    return set(conn.execute("SELECT index_name, vehicle_id FROM index_dead_letters").fetchall())


def _unlike(name: str, said: Stored, held: Stored) -> list[str]:
    found = [f"{name}: vehicle {vehicle} is missing" for vehicle in said.keys() - held.keys()]
    found += [f"{name}: vehicle {vehicle} is extra" for vehicle in held.keys() - said.keys()]
    for vehicle in said.keys() & held.keys():
        ours, theirs = said[vehicle], held[vehicle]
        stale = [f"{k} {theirs[k]!r} not {ours[k]!r}" for k in ours if ours[k] != theirs[k]]
        if stale:
            found.append(f"{name}: vehicle {vehicle} is stale: {', '.join(stale)}")
    return found


def _truth(conn: Connection[Any]) -> Stored:
    stored = {}
    for vehicle, *values, features, reviews, stars, taken in conn.execute(_TRUTH):
        rating = (stars + reviews // 2) // reviews if reviews else None
        stored[vehicle] = dict(zip(_NAMES, values, strict=True)) | {
            "features": sorted(features),
            "review_count": reviews,
            "rating": rating,
            "taken": _joined(tuple(days) for days in taken),
        }
    return stored


def _tabled(conn: Connection[Any]) -> Stored:
    return {
        vehicle: dict(zip(_NAMES, values, strict=True))
        | {
            "features": sorted(features),
            "review_count": reviews,
            "rating": rating,
            "taken": _between(tuple(days) for days in free),
        }
        for vehicle, *values, features, reviews, rating, free in conn.execute(_SEARCH_TABLE)
    }


def _indexed(client: Elasticsearch, index: str) -> Stored:
    stored: Stored = {}
    after = -1
    while True:
        answer = client.search(
            index=index,
            query={"bool": {"must_not": {"term": {"hidden": True}}}},
            sort=[{"id": "asc"}],
            search_after=[after],
            size=1000,
        )
        hits = answer["hits"]["hits"]
        if not hits:
            return stored
        for hit in hits:
            source = hit["_source"]
            names = (*_NAMES, "features", "review_count", "rating")
            free = source.get("free") or []
            stored[int(hit["_id"])] = {name: source.get(name) for name in names} | {
                "taken": _between((part["gte"], part["lt"]) for part in free)
            }
        after = hits[-1]["sort"][0]


def _joined(ranges: Iterable[tuple[str, ...]]) -> list[tuple[str, str]]:
    """Days in order; what touches is one."""
    joined: list[tuple[str, str]] = []
    for begin, end in sorted(ranges):
        if joined and joined[-1][1] == begin:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined


def _between(free: Iterable[tuple[str, ...]]) -> list[tuple[str, str]]:
    """The days between those that are free, of all the days that there are."""
    begins, ends = [_EVER[0]], []
    for begin, end in sorted(free):
        ends.append(begin)
        begins.append(end)
    ends.append(_EVER[1])
    return [(b, e) for b, e in zip(begins, ends, strict=True) if _day(b) < _day(e)]


def _day(text: str) -> date:
    return date.fromisoformat(text)
