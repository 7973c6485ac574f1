"""Filling what listings do not say from a catalogue, where all of its rows for a car agree.

"Agree" is meant strictly: one variant with another gearbox, or whose gearbox is unknown, and the
vehicles of that model year keep theirs NULL. A value that a vehicle has is never changed, but for a
body of plain "Car", which a catalogue may make a sedan.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson
from psycopg import Connection

from listings.listing import CatalogueEntry
from listings.normalise import CAR, CAR_BODIES, fold, model_key

_BATCH = 1000


class Facts(NamedTuple):
    """What all variants seen so far agree on; None where they do not."""

    transmission: str | None
    body: str | None
    seats: int | None

    def agreed(self, other: "Facts") -> "Facts":
        """What is the same in both."""
        return Facts(
            self.transmission if self.transmission == other.transmission else None,
            self.body if self.body == other.body else None,
            self.seats if self.seats == other.seats else None,
        )


Key = tuple[str, str, int]


@dataclass(slots=True)
class Catalogue:
    """The facts about the model years that the marketplace has vehicles of, and no others.

    So memory grows with the marketplace, not with the catalogue.
    """

    conn: Connection[Any]
    _wanted: dict[Key, list[tuple[str, str, int]]] = field(default_factory=dict)
    _facts: dict[Key, Facts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = self.conn.execute(
            "SELECT DISTINCT make, model, year FROM vehicles "
            "WHERE model IS NOT NULL AND year IS NOT NULL AND (transmission IS NULL "
            "OR body IS NULL OR seats IS NULL OR body = %s)",
            [CAR],
        )
        for make, model, year in rows:
            self._wanted.setdefault(_key(make, model, year), []).append((make, model, year))

    def add(self, entry: CatalogueEntry) -> None:
        """Take one variant into account."""
        key = _key(entry.make, entry.model, entry.year)
        if key in self._wanted:
            facts = Facts(entry.transmission, entry.body, entry.seats)
            self._facts[key] = self._facts.get(key, facts).agreed(facts)

    def fill(self) -> dict[str, int]:
        """Write what is agreed; how many vehicles got each field, and `vehicles` in all."""
        filled = {"transmission": 0, "body": 0, "seats": 0, "vehicles": 0}
        rows = [
            {"make": make, "model": model, "year": year, **facts._asdict()}
            for key, facts in self._facts.items()
            if any(value is not None for value in facts)
            for make, model, year in self._wanted[key]
        ]
        for start in range(0, len(rows), _BATCH):
            with self.conn.transaction():
                for changed in self._fill(rows[start : start + _BATCH]):
                    for name, value in zip(("transmission", "body", "seats"), changed, strict=True):
                        filled[name] += value
                    filled["vehicles"] += 1
        return filled

    def _fill(self, rows: list[dict[str, Any]]) -> Iterable[tuple[bool, bool, bool]]:
        return self.conn.execute(
            """
            UPDATE vehicles AS v
            SET transmission = CASE WHEN f.transmission THEN f.new_transmission
                               ELSE v.transmission END,
                body = CASE WHEN f.body THEN f.new_body ELSE v.body END,
                seats = CASE WHEN f.seats THEN f.new_seats ELSE v.seats END
            FROM (
                SELECT
                    v.id,
                    c.transmission AS new_transmission, c.body AS new_body, c.seats AS new_seats,
                    v.transmission IS NULL AND c.transmission IS NOT NULL AS transmission,
                    coalesce(c.body IS NOT NULL AND (
                        v.body IS NULL OR (v.body = %(car)s AND c.body = ANY(%(cars)s))
                    ), false) AS body,
                    v.seats IS NULL AND c.seats IS NOT NULL AS seats
                FROM jsonb_to_recordset(%(rows)s::jsonb) AS c(
                    make text, model text, year smallint, transmission text, body text,
                    seats smallint
                )
                JOIN vehicles AS v USING (make, model, year)
                ORDER BY v.id FOR UPDATE OF v
            ) AS f
            WHERE v.id = f.id AND (f.transmission OR f.body OR f.seats)
            RETURNING f.transmission, f.body, f.seats
            """,
            {"rows": orjson.dumps(rows).decode(), "car": CAR, "cars": list(CAR_BODIES)},
        )


def _key(make: str, model: str, year: int) -> Key:
    return fold(make), model_key(make, model), year
