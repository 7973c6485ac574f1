"""`python -m bench`: all benchmarks, or the ones named."""

import argparse
from pathlib import Path

from bench import engines, reindex, relevance, report, search, stack, understanding


def main() -> None:
    """Measure, print, and write `bench/results/`."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "what",
        nargs="*",
        choices=["search", "reindex", "engines", "relevance", "understanding", []],
        default=[],
    )
    parser.add_argument("--vehicles", type=int, default=100_000)
    parser.add_argument("--state", type=Path, default=Path(".rides/bench"))
    asked = parser.parse_args()
    what = asked.what or ["understanding", "relevance", "reindex", "search", "engines"]
    if "understanding" in what:
        results = understanding.measure()
        report.show_understanding(results)
        report.write("understanding", results)
        what.remove("understanding")
    if not what:
        return  # nothing left that needs a server
    try:
        if "relevance" in what:
            results = relevance.measure(asked.state)
            report.show_relevance(results)
            report.write("relevance", results)
        if what == ["relevance"]:
            return
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
