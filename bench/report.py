"""Results as tables for people, JSON for comparison and a picture for both."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
import psutil
from rich.console import Console
from rich.table import Table

from bench import dead_ends, understanding

mpl.use("svg")
from matplotlib import pyplot as plt

RESULTS = Path(__file__).parent / "results"
ADDED_SHARE_TYPING = 0.5  # a suggestion's own call is short
ADDED_SHARE, ADDED_MS, CPU_MS, DEEP, REINDEX, PEAK_MB = 0.25, 4.0, 4.0, 1.2, 2.0, 300


def write(name: str, results: dict[str, Any]) -> None:
    """Keep the results with the machine that they came from."""
    RESULTS.mkdir(exist_ok=True)
    machine = {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    content = {"machine": machine, "results": results}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")


def show_search(results: dict[str, Any]) -> None:
    """The table of searches, with what the API adds and whether that keeps the promise."""
    table = Table("p50 (p25-p75) ms", "bare", "client", "API", "added", "API CPU", "within")
    for name, each in results.items():
        if name == "deep pages":
            continue
        ways = each["ways"]
        bare, api = ways["bare"]["p50"], ways["api"]["p50"]
        added = api - bare
        most = ADDED_SHARE_TYPING if name.startswith("as you type") else ADDED_SHARE
        kept = added <= max(most * bare, ADDED_MS) and each["api_cpu_ms"] <= CPU_MS
        spread = [f"{way['p50']} ({way['p25']}-{way['p75']})" for way in ways.values()]
        share = f"{added:+.1f} ms, {added / bare:+.0%}"
        table.add_row(name, *spread, share, f"{each['api_cpu_ms']} ms", "yes" if kept else "NO")
    Console().print(table)
    deep = results["deep pages"]["ways"]
    ratio = deep["page 500"]["p50"] / deep["page 1"]["p50"]
    kept = "within" if ratio <= DEEP else "ABOVE"
    Console().print(f"page 500 / page 1: {ratio:.2f} ({kept} {DEEP}); {deep}")


def show_reindex(results: dict[str, Any]) -> None:
    """The rebuild against its floor."""
    kept = results["ratio"] <= REINDEX and results["peak_mb"] < PEAK_MB
    Console().print(
        f"reindex of {results['documents']:,} documents: {results['median_s']} s (median); "
        f"{results['ratio']} times the floor, peak {results['peak_mb']} MB: "
        f"{'within' if kept else 'ABOVE'} {REINDEX} and {PEAK_MB} MB"
    )


def show_relevance(results: dict[str, Any]) -> None:
    """nDCG@10 by group of queries, and the queries that plain BM25 answers better."""
    table = Table("nDCG@10", "queries", "BM25", "profile", "difference")
    for group, each in results["groups"].items():
        difference = each["profile"] - each["bm25"]
        table.add_row(
            group,
            str(each["queries"]),
            f"{each['bm25']}",
            f"{each['profile']}",
            f"{difference:+.3f}",
        )
    Console().print(table)
    worse = [
        f"{q} ({each['profile']} instead of {each['bm25']})"
        for q, each in results["queries"].items()
        if each["profile"] < each["bm25"]
    ]
    Console().print(f"best BM25: {results['plain']}; better there: {', '.join(worse) or 'none'}")
    dead_ends.show(results["dead ends"])


def show_understanding(results: dict[str, Any]) -> None:
    """Precision and recall by half and kind, the resolved days and the time."""
    table = Table("", "expected", "read", "precision", "recall", title="Text read as filters")
    for name, rates in results.items():
        if name != "time":
            shares = (f"{rates[of]:.3f}" for of in ("precision", "recall"))
            table.add_row(name, str(rates["expected"]), str(rates["read"]), *shares)
    Console().print(table)
    kept = "kept" if understanding.goals_met(results) else "BROKEN"
    Console().print(
        f"{results['time']}; goals (held out and resolved days: precision >= "
        f"{understanding.PRECISION}, recall >= {understanding.RECALL}; p99 < "
        f"{understanding.P99_MS} ms): {kept}"
    )


def draw(results: dict[str, Any]) -> None:
    """p50 of the three ways by kind of request; bars reach from the lower to the upper quartile."""
    kinds = [name for name in results if name != "deep pages"]
    figure, axes = plt.subplots(figsize=(9, 4))
    for offset, way in enumerate(("bare", "client", "api")):
        at = [index + (offset - 1) * 0.26 for index in range(len(kinds))]
        each = [results[name]["ways"][way] for name in kinds]
        spread = [
            [one["p50"] - one["p25"] for one in each],
            [one["p75"] - one["p50"] for one in each],
        ]
        axes.bar(at, [one["p50"] for one in each], 0.25, yerr=spread, capsize=3, label=way)
    axes.set_xticks(range(len(kinds)), [name.replace(", ", "\n") for name in kinds])
    axes.set_ylabel("ms at p50, with quartiles")
    axes.set_title("The same search: straight to Elasticsearch, by its client, through the API")
    axes.legend()
    figure.tight_layout()
    # Without a date, so that the picture changes only when the figures do.
    figure.savefig(RESULTS / "search.svg", metadata={"Date": None})
