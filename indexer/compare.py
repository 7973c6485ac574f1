"""Comparing stores with the truth, every vehicle of both sides, while writers go on.

First both are read once, page by page of the ids; what differs is only suspected, since the two
sides are never read in the same moment. Then the suspects alone are read again and again: one that
is the same on both sides, or holds what the truth said a moment ago, is right; one that is twice
the same wrong pair with nothing dirty in between is wrong. For a row of the dirty log goes only
after the store has what it stands for.
"""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum

from indexer.documents import Connection
from indexer.stores import Fingerprints, Store, Truth, id_ranges
from models.session import another

PAGE = 2_000  # vehicles whose fingerprints are read at once
READERS = 2  # threads, each with a connection of its own: making documents is what costs
RANGES = 16  # of ids, so that the readers end at about the same time
RECHECK_S = 0.2  # between two looks at the suspects
PATIENCE_S = 30.0  # for suspects to come to rest
SHOWN = 100  # findings whose fields are looked at

Progress = Callable[[int], None]
"""Called with the number of vehicles compared so far."""


class Kind(StrEnum):
    """What can be wrong with a vehicle in a store."""

    MISSING = "missing"  # listed, and not found there
    STALE = "stale"  # found with another content
    EXTRA = "extra"  # found, and not listed
    DIFFERING = "differing"  # found with the right hash and another content


@dataclass(frozen=True, slots=True)
class Finding:
    """One vehicle that a store has wrong; `fields` are those that differ."""

    store: str
    vehicle_id: int
    kind: Kind
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Suspects:
    """The vehicles that were not the same on both sides when first read, by store."""

    checked: int = 0
    by_store: dict[str, set[int]] = field(default_factory=dict)


def every(
    connection: Connection, truth: Truth, stores: Sequence[Store], on_progress: Progress
) -> Suspects:
    """Read everything once, `READERS` ranges of ids at a time."""
    suspects = Suspects(by_store={store.name: set() for store in stores})
    ranges = id_ranges(connection, RANGES)
    lock, stop = threading.Lock(), threading.Event()

    def read() -> None:
        with another(connection) as own:
            while not stop.is_set():
                with lock:
                    if not ranges:
                        return
                    after, last = ranges.pop(0)
                while after < last and not stop.is_set():
                    after, count, differing = _page(own, truth, stores, after, last)
                    with lock:
                        suspects.checked += count
                        for name, ids in differing.items():
                            suspects.by_store[name] |= ids

    with ThreadPoolExecutor(READERS, "compare") as pool:
        under_way = {pool.submit(read) for _ in range(READERS)}
        try:
            while under_way:
                done, under_way = wait(under_way, timeout=0.2)
                for each in done:
                    each.result()
                on_progress(suspects.checked)
        finally:
            stop.set()
    return suspects


def some(
    connection: Connection, truth: Truth, stores: Sequence[Store], ids: Collection[int]
) -> Suspects:
    """Read these vehicles alone."""
    said = truth.of(connection, ids)
    return Suspects(
        checked=len(ids),
        by_store={s.name: _unlike(said, s.of(connection, ids)) for s in stores},
    )


def _page(
    connection: Connection, truth: Truth, stores: Sequence[Store], after: int, last: int
) -> tuple[int, int, dict[str, set[int]]]:
    """The end of the page, its number of vehicles, and those that differ."""
    said = truth.page(connection, after, last, PAGE)
    end = max(said) if len(said) == PAGE else last
    differing = {s.name: _unlike(said, s.between(connection, after, end)) for s in stores}
    return end, len(said), differing


def _unlike(one: Fingerprints, other: Fingerprints) -> set[int]:
    # As sets of pairs, which is done in C: nearly all are alike.
    return {vehicle for vehicle, _ in one.items() ^ other.items()}


def settle(
    connection: Connection,
    truth: Truth,
    store: Store,
    suspects: Collection[int],
    *,
    feed: Callable[[list[int]], None] | None = None,
    patience: float = PATIENCE_S,
) -> tuple[list[Finding], set[int]]:
    """Look at suspects until each is right or wrong; the wrong ones, and those still changing.

    `feed` is given those that are dirty: it may bring the store up to date itself.
    """
    waiting, wrong = set(suspects), set()
    said_before: dict[int, set[str | None]] = {vehicle: set() for vehicle in waiting}
    before: dict[int, tuple[str | None, str | None]] = {}
    deadline = time.monotonic() + patience
    while waiting and time.monotonic() < deadline:
        # In this order: what is not dirty after both were read was not on its way.
        held, said = store.of(connection, waiting), truth.of(connection, waiting)
        dirty = _dirty(connection, waiting)
        now = {vehicle: (held.get(vehicle), said.get(vehicle)) for vehicle in waiting}
        right = {v for v, (has, is_) in now.items() if has == is_ or has in said_before[v]}
        wrong |= {v for v in waiting - right - dirty if before.get(v) == now[v]}
        waiting -= right | wrong
        for vehicle in waiting:
            said_before[vehicle].add(now[vehicle][1])
        before = {vehicle: now[vehicle] for vehicle in waiting - dirty}
        if waiting:
            if feed and waiting & dirty:
                feed(sorted(waiting & dirty))
            time.sleep(RECHECK_S)
    return _findings(connection, truth, store, sorted(wrong)), waiting


def _dirty(connection: Connection, vehicles: Collection[int]) -> set[int]:
    rows = connection.execute(
        "SELECT DISTINCT vehicle_id FROM search_dirty WHERE vehicle_id = ANY(%s)", [list(vehicles)]
    )
    return {row[0] for row in rows}


def _findings(
    connection: Connection, truth: Truth, store: Store, wrong: list[int]
) -> list[Finding]:
    """What is wrong with each; the fields of the first `SHOWN`."""
    looked_at = wrong[:SHOWN]
    said, held = truth.sources(connection, looked_at), store.sources(connection, looked_at)
    listed, found = truth.of(connection, wrong).keys(), store.of(connection, wrong).keys()
    findings = []
    for vehicle in wrong:
        kind = (
            Kind.MISSING
            if vehicle not in found
            else Kind.EXTRA
            if vehicle not in listed
            else Kind.STALE
        )
        fields: tuple[str, ...] = ()
        if kind is Kind.STALE and vehicle in said and vehicle in held:
            ours, theirs = said[vehicle], held[vehicle]
            names = (ours.keys() | theirs.keys()) - {"content_hash"}
            fields = tuple(sorted(n for n in names if ours.get(n) != theirs.get(n)))
            if fields and ours["content_hash"] == theirs.get("content_hash"):
                kind = Kind.DIFFERING
        findings.append(Finding(store.name, vehicle, kind, fields))
    return findings
