"""What holds documents, read by id: the truth (the view), an index, PostgreSQL's search table.

Each gives fingerprints of the vehicles that can be found in it: the content hash, or, read deeply,
one of the parsed document, so that a document which was changed behind its hash is seen.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from elasticsearch import Elasticsearch

from indexer.documents import HIGHEST_ID, TEXT, Connection
from search.mapping import MAPPING_HASH
from search.postgres import columns

_PAGE = 5_000  # hits a request; the most that an index gives is 10,000
UNKNOWN = "?"  # of a document without a hash: equal to no other
Fingerprints = dict[int, str]


class Store(Protocol):
    """Something that should hold what the truth says."""

    @property
    def name(self) -> str:
        """As operators know it."""

    def between(self, connection: Connection, after: int, last: int) -> Fingerprints:
        """Of the vehicles with ids above `after`, up to `last`."""

    def of(self, connection: Connection, ids: Collection[int]) -> Fingerprints:
        """Of these vehicles, now."""

    def sources(self, connection: Connection, ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """The parsed documents of these vehicles."""


def deep_fingerprint(source: dict[str, Any]) -> str:
    """Of everything that a document says, but for its own hash."""
    said = {name: value for name, value in source.items() if name != "content_hash"}
    return hashlib.md5(
        orjson.dumps(said, option=orjson.OPT_SORT_KEYS), usedforsecurity=False
    ).hexdigest()


@dataclass(frozen=True, slots=True)
class Truth:
    """What the view says now."""

    deep: bool = False
    name: str = "vehicle_documents"

    def page(self, connection: Connection, after: int, last: int, size: int) -> Fingerprints:
        """Of the first `size` vehicles with ids above `after`, up to `last`."""
        return self._read(
            connection, "d.id > %s AND d.id <= %s ORDER BY d.id LIMIT %s", after, last, size
        )

    def between(self, connection: Connection, after: int, last: int) -> Fingerprints:
        """Of the vehicles with ids above `after`, up to `last`."""
        return self._read(connection, "d.id > %s AND d.id <= %s", after, last)

    def of(self, connection: Connection, ids: Collection[int]) -> Fingerprints:
        """Of these vehicles, now."""
        return self._read(connection, "d.id = ANY(%s)", list(ids))

    def sources(self, connection: Connection, ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """The parsed documents of these vehicles, each with its hash."""
        rows = connection.execute(
            "SELECT id, document::jsonb || jsonb_build_object('content_hash', md5(document))"  # noqa: S608 - constants
            f" FROM (SELECT d.id, {TEXT} AS document FROM vehicle_documents AS d"
            " WHERE d.id = ANY(%s) OFFSET 0) AS documents",
            [list(ids)],
        )
        return dict(rows.fetchall())

    def _read(self, connection: Connection, condition: str, *values: Any) -> Fingerprints:
        rows = connection.execute(
            f"SELECT d.id, {TEXT if self.deep else f'md5({TEXT})'}"  # noqa: S608 - constants
            f" FROM vehicle_documents AS d WHERE {condition}",
            values,
        )
        if self.deep:
            return {row[0]: deep_fingerprint(orjson.loads(row[1])) for row in rows}
        return dict(rows.fetchall())


@dataclass(frozen=True, slots=True)
class Index:
    """An index build, by its name."""

    client: Elasticsearch
    name: str
    deep: bool = False

    def between(self, connection: Connection, after: int, last: int) -> Fingerprints:  # noqa: ARG002 - a store's
        """Of the vehicles with ids above `after`, up to `last`, as of the last refresh."""
        found: Fingerprints = {}
        while after < last:
            answer = self.client.search(
                index=self.name,
                query={
                    "bool": {
                        "filter": {"range": {"id": {"gt": after, "lte": last}}},
                        "must_not": {"term": {"hidden": True}},
                    }
                },
                sort=[{"id": "asc"}],
                size=_PAGE,
                track_total_hits=False,
                **self._shown(),
            )
            hits = answer["hits"]["hits"]
            found |= {hit["sort"][0]: self._fingerprint(hit) for hit in hits}
            if len(hits) < _PAGE:
                break
            after = hits[-1]["sort"][0]
        return found

    def of(self, connection: Connection, ids: Collection[int]) -> Fingerprints:  # noqa: ARG002 - a store's
        """Of these vehicles, now: also what has not been refreshed yet."""
        fields = None if self.deep else ["content_hash", "hidden"]
        return {
            vehicle: deep_fingerprint(source)
            if self.deep
            else source.get("content_hash") or UNKNOWN
            for vehicle, source in self._get(ids, fields)
        }

    def sources(self, connection: Connection, ids: Collection[int]) -> dict[int, dict[str, Any]]:  # noqa: ARG002 - a store's
        """The parsed documents of these vehicles."""
        return dict(self._get(ids, None))

    def _shown(self) -> dict[str, Any]:
        if self.deep:
            return {"source": True}
        return {"source": False, "stored_fields": "_none_", "docvalue_fields": ["content_hash"]}

    def _fingerprint(self, hit: Any) -> str:
        if self.deep:
            return deep_fingerprint(hit["_source"])
        return str(hit.get("fields", {}).get("content_hash", [UNKNOWN])[0])

    def _get(
        self, ids: Collection[int], fields: list[str] | None
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        names = [str(vehicle) for vehicle in ids]
        for start in range(0, len(names), _PAGE):
            some = names[start : start + _PAGE]
            answer = self.client.mget(index=self.name, ids=some, source_includes=fields)
            for each in answer["docs"]:
                if "error" in each:
                    msg = f"{self.name}: {each['error']['reason']}"
                    raise RuntimeError(msg)
                if each["found"] and not each["_source"].get("hidden"):
                    yield int(each["_id"]), each["_source"]


@dataclass(frozen=True, slots=True)
class Table:
    """The table from which PostgreSQL answers; a row that other code wrote is equal to nothing.

    Searches find what the narrow table does not hide, whatever the documents' table says of it.
    """

    deep: bool = False
    name: str = columns.TABLE

    def between(self, connection: Connection, after: int, last: int) -> Fingerprints:
        """Of the vehicles with ids above `after`, up to `last`."""
        return self._read(connection, "id > %s AND id <= %s", after, last)

    def of(self, connection: Connection, ids: Collection[int]) -> Fingerprints:
        """Of these vehicles, now."""
        return self._read(connection, "id = ANY(%s)", list(ids))

    def sources(self, connection: Connection, ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """The parsed documents of these vehicles."""
        rows = connection.execute(
            f"SELECT id, {columns.WHOLE} FROM {columns.ROWS}"  # noqa: S608 - constants
            " WHERE NOT narrow.hidden AND id = ANY(%s)",
            [list(ids)],
        )
        return dict(rows.fetchall())

    def _read(self, connection: Connection, condition: str, *values: Any) -> Fingerprints:
        rows = connection.execute(
            f"SELECT id, {columns.WHOLE if self.deep else 'content_hash'},"  # noqa: S608 - constants
            f" {columns.OURS} AND NOT {columns.DOCUMENTS}.hidden"
            f" FROM {columns.ROWS} WHERE NOT narrow.hidden AND {condition}",
            [MAPPING_HASH, *values],
        )
        found: Fingerprints = {}
        for vehicle, value, ours in rows:
            found[vehicle] = (
                UNKNOWN
                if value is None or not ours
                else deep_fingerprint(value)
                if self.deep
                else value
            )
        return found


def id_ranges(connection: Connection, parts: int) -> list[tuple[int, int]]:
    """All ids in `parts` ranges of about as many vehicles; the last has no end."""
    rows = connection.execute(
        "SELECT max(id) FROM (SELECT id, ntile(%s) OVER (ORDER BY id) AS part FROM vehicles)"
        " AS parts GROUP BY part ORDER BY part",
        [parts],
    ).fetchall()
    ends = [row[0] for row in rows[:-1]]
    return list(zip([-1, *ends], [*ends, HIGHEST_ID], strict=True))
