"""The notice that hosts need: pick-up days are counted from today where the vehicle stands.

On Earth it is two dates at a time, for two hours a day three. The zones in which it is another
date than in most are named in the query; that keeps counts exact without a clause for every zone.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

LONGEST_NOTICE = 90  # days; the table's own limit
QUARTER = timedelta(minutes=15)  # every zone is a whole number of them from UTC


def clauses(start: date, now: datetime) -> list[dict[str, Any]]:
    """What must hold so that `start` keeps a vehicle's notice; nothing if it keeps any."""
    zones = _zones_by_date(now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % QUARTER)
    if start - max(zones) >= timedelta(days=LONGEST_NOTICE):
        return []
    usual = max(zones, key=lambda today: len(zones[today]))
    late = [
        {"bool": {"filter": [_needs(more_than=start - today), _in(zones[today])]}}
        for today in zones
        if today > usual
    ]
    ways: list[dict[str, Any]] = [
        {"bool": {"filter": [_needs(at_most=start - usual)], "must_not": late}}
    ]
    ways += [
        {"bool": {"filter": [_needs(at_most=start - today), _in(zones[today])]}}
        for today in zones
        if today < usual
    ]
    return [{"bool": {"should": ways}}]


def _needs(
    *, at_most: timedelta | None = None, more_than: timedelta | None = None
) -> dict[str, Any]:
    ends = {"lte": at_most, "gt": more_than}
    return {"range": {"notice_days": {end: n.days for end, n in ends.items() if n is not None}}}


def _in(zones: tuple[str, ...]) -> dict[str, Any]:
    return {"terms": {"time_zone": list(zones)}}


@lru_cache(maxsize=4)
def _zones_by_date(now: datetime) -> dict[date, tuple[str, ...]]:
    found: dict[date, list[str]] = defaultdict(list)
    for name in sorted(available_timezones()):
        found[now.astimezone(ZoneInfo(name)).date()].append(name)
    return {today: tuple(found[today]) for today in sorted(found)}
