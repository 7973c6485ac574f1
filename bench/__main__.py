"""`python -m bench`: all benchmarks, or the ones named."""

import argparse
from pathlib import Path

from bench import engines, reindex, report, search, stack


def main() -> None:
    """Measure, print, and write `bench/results/`."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("what", nargs="*", choices=["search", "reindex", "engines", []], default=[])
    parser.add_argument("--vehicles", type=int, default=100_000)
    parser.add_argument("--state", type=Path, default=Path(".rides/bench"))
    asked = parser.parse_args()
    what = asked.what or ["reindex", "search", "engines"]
    try:
        chosen = stack.prepare(asked.state, asked.vehicles)
        if "reindex" in what:
            results = reindex.measure(chosen)
            report.show_reindex(results)
            report.write("reindex", results)
        else:
            stack.rides("reindex", "--if-needed")
        if "search" in what:
            results = search.measure(chosen)
            report.show_search(results)
            report.write("search", results)
            report.draw(results)
        if "engines" in what:
            results = engines.measure()
            engines.show(results)
            report.write("engines", results)
    finally:
        stack.stack.down(asked.state)


main()
