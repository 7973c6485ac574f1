"""The notice that hosts need: pick-up days are counted from today where the vehicle stands.

On Earth it is two dates at a time, for two hours a day three. The zones in which it is another
date than in most are named in the query; that keeps counts exact without a clause for every zone.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

Clause = dict[str, Any]

LONGEST_NOTICE = timedelta(days=90)  # the table's own limit
QUARTER_S = 900  # every zone is a whole number of quarters of an hour from UTC


def kept(windows: Mapping[date, Clause], now: datetime | None) -> list[Clause]:
    """What must hold so that one of `windows` fits and its first day keeps a vehicle's notice.

    `windows` are clauses by first day, earliest first; without `now`, and for days far off, notice
    does not matter.

    What keeps the notice at the latest date on Earth does everywhere, and no zone need be named.
    Where it is earlier, the days between are allowed besides: to few vehicles, so the least notice
    that matters goes before the windows. One flat list of ways is what Lucene unites fast: a list
    of ways for each date took five times as long.
    """
    zones = zones_by_date(now) if now else {}
    if not zones or min(windows) - max(zones) >= LONGEST_NOTICE:
        return [_any(list(windows.values()))]
    latest = max(zones)
    ways = [
        _all(window, _notice(lte=start - latest))
        for start, window in windows.items()
        if start >= latest
    ]
    for today in zones:
        more = [
            _all(window, _notice(gt=start - latest, lte=start - today))
            for start, window in windows.items()
            if start >= today
        ]
        if today != latest and more:
            least = _notice(gt=min(windows) - latest)
            ways.append(_all(_where(today, zones), least, _any(more)))
    return [_any(ways or [{"match_none": {}}])]


def _where(today: date, zones: Mapping[date, tuple[str, ...]]) -> Clause:
    """Vehicles where it is `today`; the most zones need not be named."""
    if today != max(zones, key=lambda each: len(zones[each])):
        return {"terms": {"time_zone": list(zones[today])}}
    others = [name for each, names in zones.items() if each != today for name in names]
    return {"bool": {"must_not": [{"terms": {"time_zone": others}}]}}


def _any(ways: list[Clause]) -> Clause:
    return ways[0] if len(ways) == 1 else {"bool": {"should": ways}}


def _all(*clauses: Clause) -> Clause:
    return {"bool": {"filter": list(clauses)}}


def _notice(**ends: timedelta) -> Clause:
    return {"range": {"notice_days": {end: length.days for end, length in ends.items()}}}


def zones_by_date(now: datetime) -> dict[date, tuple[str, ...]]:
    """Every time zone, by the date that it is there; earliest first."""
    return _zones_by_date(int(now.timestamp()) // QUARTER_S)


@lru_cache(maxsize=4)
def _zones_by_date(quarter: int) -> dict[date, tuple[str, ...]]:
    now = datetime.fromtimestamp(quarter * QUARTER_S, UTC)
    found: dict[date, list[str]] = defaultdict(list)
    for name in sorted(available_timezones()):
        found[now.astimezone(ZoneInfo(name)).date()].append(name)
    return {today: tuple(found[today]) for today in sorted(found)}
