"""`python -m bench`: all measurements, or those named; fails when a promise is broken."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench import (
    bookings,
    costs,
    engines,
    indexing,
    outage,
    pgsync,
    reindex,
    relevance,
    report,
    search,
    stack,
    understanding,
)
from devstack import stack as devstack


class Measurement(NamedTuple):
    """How it is taken, and how it is shown: to False if a promise is broken."""

    measure: Callable[[stack.Bench], dict[str, Any]]
    show: Callable[[dict[str, Any]], bool | None]


# In the order in which they are taken; what breaks things comes last.
MEASUREMENTS = {
    "understanding": Measurement(understanding.measure, understanding.show),
    "relevance": Measurement(relevance.measure, relevance.show),
    "reindex": Measurement(reindex.measure, reindex.show),
    "indexing": Measurement(indexing.measure, indexing.show),
    "search": Measurement(search.measure, search.show),
    "bookings": Measurement(bookings.measure, bookings.show),
    "costs": Measurement(costs.measure, costs.show),
    "engines": Measurement(engines.measure, engines.show),
    "pgsync": Measurement(lambda bench: pgsync.measure(bench.state), pgsync.show),
    "outage": Measurement(outage.measure, outage.show),
}
ON_REQUEST = {"pgsync"}  # ten minutes, and an environment of its own


def main() -> int:
    """Measure, print, write `bench/results/`; the exit code."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--vehicles", type=int, default=100_000)
    parser.add_argument("--state", type=Path, default=Path(".rides/bench"))
    asked = parser.parse_args()
    if unknown := set(asked.names) - MEASUREMENTS.keys():
        parser.error(f"no measurement {', '.join(unknown)}: there are {', '.join(MEASUREMENTS)}")
    names = asked.names or [name for name in MEASUREMENTS if name not in ON_REQUEST]
    kept = True
    try:
        for name in names:
            measure, show = MEASUREMENTS[name]
            results = measure(stack.Bench(asked.state, asked.vehicles))
            report.write(name, results)
            kept &= show(results) is not False
    finally:
        devstack.down(asked.state)
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
