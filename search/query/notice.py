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
_NOTHING: Clause = {"match_none": {}}
QUARTER_S = 900  # every zone is a whole number of quarters of an hour from UTC


def kept(windows: Mapping[date, Clause], now: datetime | None) -> list[Clause]:
    """What must hold so that one of `windows` fits and its first day keeps a vehicle's notice.

    `windows` are clauses by first day; without `now`, and for days far off, notice does not matter.
    """
    zones = zones_by_date(now) if now else {}
    if not zones or min(windows) - max(zones) >= LONGEST_NOTICE:
        return [_any(list(windows.values()))]
    if len(windows) == 1:
        ((start, window),) = windows.items()
        return [window, _by_zone(zones, {today: _needs(start - today) for today in zones})]
    return [_by_zone(zones, {today: _one_in_time(windows, today) for today in zones})]


def _one_in_time(windows: Mapping[date, Clause], today: date) -> Clause:
    """One of the windows whose first day keeps the notice; what is past need not be asked."""
    ways = [
        _all(window, _needs(start - today)) for start, window in windows.items() if start >= today
    ]
    return _any(ways or [_NOTHING])


def _by_zone(zones: Mapping[date, tuple[str, ...]], asked: Mapping[date, Clause]) -> Clause:
    """`asked` by the date that it is where the vehicle stands; most zones need not be named."""
    usual = max(zones, key=lambda today: len(zones[today]))
    named = {today: _in(names) for today, names in zones.items() if today != usual}
    most = {"bool": {"filter": [asked[usual]], "must_not": list(named.values())}}
    return _any([most, *(_all(asked[today], where) for today, where in named.items())])


def _any(ways: list[Clause]) -> Clause:
    return ways[0] if len(ways) == 1 else {"bool": {"should": ways}}


def _all(*clauses: Clause) -> Clause:
    return {"bool": {"filter": list(clauses)}}


def _needs(at_most: timedelta) -> Clause:
    return {"range": {"notice_days": {"lte": at_most.days}}}


def _in(zones: tuple[str, ...]) -> Clause:
    return {"terms": {"time_zone": list(zones)}}


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
