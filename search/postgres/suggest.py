"""Suggestions as SQL: which values begin as typed, then how many vehicles have them.

The dictionary's values are compared here and not in SQL, by the rule that marks them as well: what
a letter is without its accent then means the same in both engines. The answer has the shape of
Elasticsearch's, and one reader makes both into sections.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.fields import BY_NAME, Match
from search.postgres.columns import TABLE, VALUES
from search.postgres.parameters import Parameters
from search.suggest import FIELDS, MOST_WITHIN, TYPOS, WITHIN, Typed, holds, ways

_LISTED = ", ".join(f"'{field}'" for field in FIELDS)
DICTIONARY = f"SELECT code, field, value FROM {VALUES} WHERE field IN ({_LISTED})"  # noqa: S608
Bucket = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The values that may be meant: by field their codes, and by code what they are called."""

    codes: Mapping[str, Sequence[int]]
    names: dict[int | None, str]

    @classmethod
    def of(cls, typed: Typed, dictionary: Iterable[Any]) -> "Candidates":
        """Those of the dictionary's rows that hold what was typed; a model, a word of it."""
        typos = ways(typed)[-1]
        codes: dict[str, list[int]] = defaultdict(list)
        names: dict[int | None, str] = {}
        for code, field, value in dictionary:
            names[code] = value
            if field == "model":
                # The other words may be in the make, which is known only with the vehicles.
                held = any(holds(field, value, word, typos=typos) for word in typed.words)
            else:
                held = all(holds(field, value, word, typos=typos) for word in typed.words)
            if held:
                codes[field].append(code)
        return cls(codes, names)


def build(candidates: Candidates) -> tuple[str, dict[str, Any]]:
    """One statement: rows of (field, code, code of what it is within, how many vehicles)."""
    into = Parameters()
    parts = []
    for field, codes in candidates.codes.items():
        given = into.add(list(codes), "integer[]")
        several = BY_NAME[field].match is Match.ALL
        within = WITHIN.get(field, "NULL::integer")
        column = f"unnest({field})" if several else field
        narrowed = f"{field} && {given}" if several else f"{field} = ANY({given})"
        parts.append(f"""
            SELECT '{field}' AS field, code, within, count(*) AS n FROM (
                SELECT {column} AS code, {within} AS within FROM {TABLE}
                WHERE NOT hidden AND {narrowed}
            ) AS each WHERE code = ANY({given}) GROUP BY code, within
        """)  # noqa: S608 - names from the table of fields
    return " UNION ALL ".join(parts), into.values


def answer(typed: Typed, candidates: Candidates, rows: Iterable[Any]) -> dict[str, Any]:
    """The rows as `search.suggest.read` takes them."""
    names = candidates.names | {None: ""}  # only models and cities are within something
    # What is newer than the dictionary just read is for the next question.
    counted = [
        (field, names[code], names[within], n) for field, code, within, n in rows if within in names
    ]
    aggregations = {}
    for typos in ways(typed):
        buckets: dict[str, dict[str, Bucket]] = {field: {} for field in FIELDS}
        for field, value, within, n in counted:
            if not _holds(field, value, within, typed.words, typos=typos):
                continue
            bucket = buckets[field].setdefault(value, {"key": value, "doc_count": 0, "within": []})
            bucket["doc_count"] += n
            if within:
                bucket["within"].append({"key": within, "doc_count": n})
        for field, found in buckets.items():
            for bucket in found.values():
                bucket["within"] = {"buckets": _most(bucket["within"], MOST_WITHIN)}
            listed = _most(found.values(), 2 * typed.limit)
            aggregations[f"{field}{TYPOS if typos else ''}"] = {"values": {"buckets": listed}}
    return aggregations


def _holds(field: str, value: str, within: str, words: Sequence[str], *, typos: bool) -> bool:
    """All words are in the value or, of a model, some in its make: as in `search.suggest.build`."""
    own = [holds(field, value, word, typos=typos) for word in words]
    if field != "model":
        return all(own)
    return any(own) and all(
        mine or holds("make", within, word, typos=typos)
        for mine, word in zip(own, words, strict=True)
    )


def _most(buckets: Iterable[Bucket], size: int) -> list[Bucket]:
    return sorted(buckets, key=lambda each: (-each["doc_count"], each["key"]))[:size]
