"""Which vehicles `bookings.holds.hold` would take now, in one statement of SQL.

`bookings.rules` says the same in Python, and a test holds the two to each other. This one is for
the check that every search makes: a third of the CPU, and no row crosses the wire that is not
wanted.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from models.bookings import TAKES_DAYS_SQL

LISTED = "SELECT id, NULL FROM vehicles WHERE id = ANY(%(ids)s) AND status = 'listed'"
_WOULD_RENT = """
    v.id = ANY(%(ids)s)
    AND v.status = 'listed'
    AND %(days)s BETWEEN v.min_days AND v.max_days
"""
_EARLIEST = "(%(now)s AT TIME ZONE v.time_zone)::date + v.notice_days"
# To look up a time zone takes as long as the rest: whoever has it late enough needs none, as no
# zone is more than a day ahead.
_IN_TIME = f"(%(tomorrow)s::date + v.notice_days <= %(first)s OR {_EARLIEST} <= %(first)s)"
_TAKING = "vehicle_id = v.id AND during && daterange(%(first)s, %(until)s)"
_BOOKED = f"SELECT during FROM bookings WHERE {_TAKING} AND {TAKES_DAYS_SQL}"  # noqa: S608 - constants only
_BLOCKED = f"SELECT during FROM calendar_blocks WHERE {_TAKING}"  # noqa: S608 - constants only
# OFFSET 0 has PostgreSQL look into each vehicle's own calendar. As a join it may read everything
# that is booked on the days, or the calendar of each vehicle once for every other.
BOOKABLE = f"""
    SELECT v.id, %(first)s::date
    FROM vehicles v
    WHERE {_WOULD_RENT}
    AND {_IN_TIME}
    AND NOT EXISTS ({_BOOKED} OFFSET 0)
    AND NOT EXISTS ({_BLOCKED} OFFSET 0)
"""  # noqa: S608 - constants only
# What is free between the soonest pick-up and the last return, cut into gaps: one look at a
# vehicle's calendar, however many pick-up days will do. With 28 of them a page of 100 takes 2 ms;
# asking day by day took 19.
FIRST_WINDOW = f"""
    SELECT v.id, min(lower(gap))
    FROM vehicles v
    CROSS JOIN LATERAL (
        SELECT datemultirange(daterange(
            least(greatest(%(first)s, {_EARLIEST}), %(until)s), %(until)s
        )) - coalesce(range_agg(during), '{{}}') AS days
        FROM ({_BOOKED} UNION ALL {_BLOCKED}) AS taken
    ) AS free
    CROSS JOIN unnest(free.days) AS gap
    WHERE {_WOULD_RENT}
    AND upper(gap) - lower(gap) >= %(days)s
    GROUP BY v.id
"""  # noqa: S608 - constants only


def statement(
    ids: Sequence[int], starts: Sequence[date], days: int, now: datetime
) -> tuple[str, dict[str, Any]]:
    """The query, with the values of its `%(name)s`, of those that can be booked.

    Its rows are the id and the first of `starts` from which `days` days can be booked; without
    `starts`, the id of those that are listed, and None. `starts` are days in order, without a gap.
    """
    if not starts:
        return LISTED, {"ids": list(ids)}
    first, until = starts[0], starts[-1] + timedelta(days=days)
    asked = {"ids": list(ids), "first": first, "until": until, "days": days, "now": now}
    if len(starts) > 1:
        return FIRST_WINDOW, asked
    return BOOKABLE, asked | {"tomorrow": now.astimezone(UTC).date() + timedelta(days=1)}
