"""Writers of every kind, some through the API: bounded, and they go on while servers are away."""

import http.client
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

import orjson
import psycopg
from psycopg import Connection

from accounts.tokens import BY_HAND_TTL, sign_token
from tests import factory
from tests.conftest import SECRET

SOAK = "RIDES_SOAK" in os.environ

PAUSE_S = 0.04  # of each writer between two writes: the load is bounded
_ENDED_S = 40.0  # that one write may take, its timeouts included
_MAKES = ("Toyota", "Fiat", "Kia", "Jeep", "Skoda")
_FEATURES = ("GPS", "Bike rack", "Snow tyres", "Child seat", "Sunroof")
_FIRST_DAY = datetime.now(UTC).date() + timedelta(days=30)

Booking = tuple[int, int, date, date]  # vehicle, renter, first day, day after the last


@dataclass
class Ledger:
    """What the API acknowledged; `unsure` are cancellations that were not answered."""

    bookings: dict[int, Booking] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)

    def copy(self) -> "Ledger":
        """As it is now."""
        return Ledger(dict(self.bookings), set(self.cancelled), set(self.unsure))

    def missing(self, conn: Connection[Any]) -> list[str]:
        """One line for each acknowledged booking that the database does not have like that."""
        rows = conn.execute(
            "SELECT id, vehicle_id, renter_id, lower(during), upper(during), status FROM bookings"
            " WHERE id = ANY(%s)",
            [list(self.bookings)],
        )
        held = {number: (tuple(booking), status) for number, *booking, status in rows}
        return [
            f"booking {number} was acknowledged as {booking}, and is {held.get(number)}"
            for number, booking in self.bookings.items()
            if held.get(number) not in [(booking, status) for status in self._may_be(number)]
        ]

    def _may_be(self, number: int) -> set[str]:
        if number in self.cancelled:
            return {"cancelled"}
        # Nobody pays here, and only a soak outlasts a hold: a clock that jumps must not end one.
        kept = {"held", "expired"} if SOAK else {"held"}
        return kept | {"cancelled"} if number in self.unsure else kept


class Writers:
    """They write in threads for as long as the block, unless paused."""

    def __init__(self, database: str, address: str, *, vehicles: int, seed: int = 5) -> None:
        self._database, self._address = database, address
        self.ledger = Ledger()
        self.written = self.refused = 0  # writes that went through, and such as met no server
        with psycopg.connect(database, autocommit=True) as conn:
            self._host = factory.store_account(conn, "host")
            renters = [factory.store_account(conn) for _ in range(2)]
            self._ids = [self._store(conn, random.Random(n)) for n in range(vehicles)]
        self._kept: list[list[Connection[Any]]] = []
        rows = (self._insert, self._update, self._review, self._hide, self._delete, self._many)
        kinds: list[Callable[..., None]] = [
            *(self._in_database(work) for work in rows),
            self._in_database(self._late),
            *(self._renting(renter) for renter in renters),
        ]
        self._stopped = threading.Event()
        self._turns = [threading.Lock() for _ in kinds]
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(kind, turn, random.Random(f"{seed} {n}")))
            for n, (kind, turn) in enumerate(zip(kinds, self._turns, strict=True))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(_ENDED_S)
        for kept in self._kept:
            for conn in kept:
                conn.close()
        self._raise()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No write is under way in the block."""
        for turn in self._turns:
            assert turn.acquire(timeout=_ENDED_S), "a write takes longer than its timeouts"
        try:
            self._raise()
            yield
        finally:
            for turn in self._turns:
                turn.release()

    def _raise(self) -> None:
        if self._errors:
            raise self._errors[0]

    def _run(self, work: Callable[..., None], turn: threading.Lock, rng: random.Random) -> None:
        while not self._stopped.wait(PAUSE_S):
            with turn:
                try:
                    work(rng)
                    self.written += 1
                except psycopg.IntegrityError:
                    pass  # of a vehicle that another writer has deleted
                except (psycopg.OperationalError, OSError, http.client.HTTPException):
                    self.refused += 1
                except BaseException as error:  # noqa: BLE001 - raised where the writers are paused
                    self._errors.append(error)
                    return

    # In the database

    def _in_database(
        self, work: Callable[[Connection[Any], random.Random], None]
    ) -> Callable[[random.Random], None]:
        """The work on a connection that is kept for as long as its server lives."""
        kept: list[Connection[Any]] = []
        self._kept.append(kept)

        def write(rng: random.Random) -> None:
            if kept and kept[0].closed:
                kept.clear()
            if not kept:
                kept.append(
                    psycopg.connect(
                        self._database,
                        autocommit=True,
                        connect_timeout=5,
                        options="-c statement_timeout=10000",
                    )
                )
            work(kept[0], rng)

        return write

    def _store(self, conn: Connection[Any], rng: random.Random) -> int:
        return factory.store_vehicle(
            conn,
            host_id=self._host,
            make=rng.choice(_MAKES),
            daily_rate_cents=rng.randint(3000, 9000),
            features=rng.sample(_FEATURES, 2),
        )

    def _insert(self, conn: Connection[Any], rng: random.Random) -> None:
        if rng.random() < 0.2:
            with conn.transaction():
                vehicle = self._store(conn, rng)
            self._ids.append(vehicle)

    def _update(self, conn: Connection[Any], rng: random.Random) -> None:
        vehicle = rng.choice(self._ids)
        with conn.transaction():
            conn.execute(
                "UPDATE vehicles SET make = %s, daily_rate_cents = %s, description = %s"
                " WHERE id = %s",
                [rng.choice(_MAKES), rng.randint(3000, 9000), f"Clean {rng.random()}", vehicle],
            )
            feature = rng.choice(_FEATURES)
            gone = conn.execute(
                "DELETE FROM vehicle_features WHERE vehicle_id = %s AND feature = %s",
                [vehicle, feature],
            )
            if not gone.rowcount:
                conn.execute("INSERT INTO vehicle_features VALUES (%s, %s)", [vehicle, feature])

    def _review(self, conn: Connection[Any], rng: random.Random) -> None:
        vehicle, rating = rng.choice(self._ids), rng.randint(100, 500)
        what = rng.random()
        if what < 0.5:
            factory.store_review(conn, vehicle, rating)
        elif what < 0.6:
            conn.execute(
                "UPDATE reviews r SET hidden_at = now(), hidden_by = host_id, hidden_reason = '-'"
                " FROM vehicles v WHERE v.id = vehicle_id AND v.id = %s AND r.rating < %s",
                [vehicle, rating],
            )
        elif what < 0.8:
            conn.execute("UPDATE reviews SET rating = %s WHERE vehicle_id = %s", [rating, vehicle])
        else:
            conn.execute("DELETE FROM reviews WHERE vehicle_id = %s AND rating < 300", [vehicle])

    def _hide(self, conn: Connection[Any], rng: random.Random) -> None:
        status = rng.choice(["listed", "listed", "unlisted", "archived"])
        vehicle = rng.choice(self._ids)
        conn.execute("UPDATE vehicles SET status = %s WHERE id = %s", [status, vehicle])

    def _delete(self, conn: Connection[Any], rng: random.Random) -> None:
        if rng.random() < 0.1:
            conn.execute(
                "DELETE FROM vehicles v WHERE id = %s"
                " AND NOT EXISTS (SELECT FROM bookings b WHERE b.vehicle_id = v.id)",
                [rng.choice(self._ids)],
            )

    def _many(self, conn: Connection[Any], rng: random.Random) -> None:
        """One statement, many vehicles, in order lest writers wait for each other in a circle."""
        if rng.random() < 0.1:
            conn.execute(
                "UPDATE vehicles SET year = %s WHERE id = ANY(%s)",
                [rng.randint(2010, 2025), sorted(rng.sample(self._ids, 15))],
            )

    def _late(self, conn: Connection[Any], rng: random.Random) -> None:
        """A transaction that commits, or rolls back, long after others that began later."""
        with conn.transaction(force_rollback=rng.random() < 0.3):
            conn.execute(
                "UPDATE vehicles SET city = %s WHERE id = %s",
                [f"Hilo {rng.randint(1, 9)}", rng.choice(self._ids)],
            )
            self._stopped.wait(rng.uniform(0.1, 0.6))

    # Through the API

    def _renting(self, renter: int) -> Callable[[random.Random], None]:
        token = sign_token(renter, "renter", secret=SECRET, ttl=BY_HAND_TTL)  # a soak is long
        headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
        }
        mine: list[int] = []

        def rent(rng: random.Random) -> None:
            if mine and rng.random() < 0.3:
                number = mine.pop(rng.randrange(len(mine)))
                self.ledger.unsure.add(number)
                status, _ = self._post(f"/v1/bookings/{number}/cancel", {}, headers)
                if status == 200:
                    self.ledger.cancelled.add(number)
                return
            vehicle = rng.choice(self._ids)
            start = _FIRST_DAY + timedelta(days=rng.randrange(300))
            end = start + timedelta(days=rng.randint(1, 6))
            asked = {"vehicleId": vehicle, "start": start, "end": end}
            status, answer = self._post("/v1/bookings", asked, headers)
            if status == 201:
                self.ledger.bookings[answer["id"]] = (vehicle, renter, start, end)
                mine.append(answer["id"])

        return rent

    def _post(
        self, target: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self._address, timeout=15)
        try:
            connection.request("POST", target, orjson.dumps(body), headers)
            answer = connection.getresponse()
            content = orjson.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 500:
            msg = f"{target}: {answer.status} {content}"
            raise http.client.HTTPException(msg)
        if answer.status not in {200, 201, 404, 409}:
            msg = f"{target}: {answer.status} {content}"
            raise AssertionError(msg)
        return answer.status, content
