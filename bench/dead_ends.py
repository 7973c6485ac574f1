"""How many searches find nothing, and how many of these are told of one that does.

Two kinds of texts: what people typed into a search engine and mentions cars, and what they say when
they rent one. Most of the first are no search for a rental ("car insurance"): the share without a
hit is theirs, the share that gets help is ours. A suggestion is usable if it still asks for
something of the text; all vehicles, or all on the asked days, are counted apart.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from rich.console import Console
from rich.table import Table

from api import suggesting
from api.app import create_app
from runtime.settings import settings
from search import dead_ends

DATA = Path(__file__).parents[2] / "shared" / "data"
LONGEST = 200  # letters that a search takes
_NO_DEMAND = {"start", "end", "flexDays"}


def measure() -> dict[str, dict[str, int]]:
    """By kind of text, how many there are, and what became of those without a hit."""
    # What is measured is whether there is help, not this machine's haste.
    dead_ends.PATIENCE_S = suggesting.ANSWERED_S = 60
    said = (DATA / "rental-utterances-dev.jsonl").read_text(encoding="utf-8").splitlines()
    typed = (DATA / "car-queries-dev.txt").read_text(encoding="utf-8", errors="replace")
    texts = {
        "typed": typed.splitlines(),
        "said": [json.loads(line)["utterance"] for line in said],
    }
    with TestClient(create_app(settings())) as api:
        return {kind: _outcomes(api, each) for kind, each in texts.items()}


def _outcomes(api: TestClient, texts: Iterable[str]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for text in filter(None, (each[:LONGEST].strip() for each in texts)):
        asked = {"q": text, "facets": "none", "limit": "1"}
        page = api.get("/v1/search/vehicles", params=asked).raise_for_status().json()
        found["texts"] += 1
        found["respelt"] += page["suggestions"]["didYouMean"] is not None
        if not page["total"]["value"]:
            found["without a hit"] += 1
            found[_help(page["suggestions"]["relaxed"])] += 1
    return dict(found)


def _help(relaxed: list[dict[str, Any]]) -> str:
    if not relaxed:
        return "helpless"
    return "usable" if relaxed[0]["parameters"].keys() - _NO_DEMAND else "everything"


def show(results: dict[str, dict[str, int]]) -> None:
    """The share without a hit, before and after."""
    table = Table("dead ends", "texts", "without a hit", "usable help", "everything", "none left")
    for kind, each in results.items():
        empty = each.get("without a hit", 0)
        shares = (each.get(name, 0) / max(empty, 1) for name in ("usable", "everything"))
        table.add_row(
            kind,
            str(each["texts"]),
            f"{empty / each['texts']:.1%}",
            *(f"{share:.1%}" for share in shares),
            str(each.get("helpless", 0)),
        )
    Console().print(table)
