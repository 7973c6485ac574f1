"""Days as people write them: a grammar of points, durations and ranges over a folded line.

Every point is resolved against an injected `today`, by fixed rules (docs/search.md):
"Friday" is the next one, today included; "next Friday" is the one of the next week, weeks begin on
Monday; the 4th, March 4th and the end of a range are the next that fit. Impossible and past days
are not understood.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from search.understand.date_patterns import (
    A_YEAR,
    FORMS,
    IN_A_WEEK,
    JOINED_BY,
    JOINED_BY_NUMBER,
    JOINED_TO,
    MONTHS,
    ORDINALS,
    POINT,
    SLASHED,
    WEEKDAYS,
)
from search.understand.holidays import HOLIDAYS
from search.understand.numbers import NUMBER_WORDS
from search.understand.words import Line, Span

_THIS = frozenset(["this", "the", "this coming", "the coming"])
DAYS_OF = {"week": 7, "fortnight": 14, "weekend": 2, "month": 30}
LONGEST_RENTAL = 365  # days
FARTHEST = 730  # days from today
MONTHS_A_YEAR = 12
_HOURS_A_DAY = 24
MIDWEEK = 2  # Wednesday: as near to the weekend before as to the one after
LONGEST_WRAP = 300  # "27 to 20 December" is a slip, not a stay of a year less a week
_DAY_WORDS = frozenset([*MONTHS, *WEEKDAYS, *ORDINALS, "today", "tonight", "tomorrow", "weekend"])
MOST_DAYS = 12  # of the words above, and numbers; real sentences have up to 5


@dataclass(frozen=True, slots=True)
class Days:
    """Half-open. Only `start` or only `end` may be known; `single` is one day named alone.

    Neither is known of a `length` alone ("3 days"), nor of a range that is not sure: what is said
    of its ends is not read either. A `week` or weekend may mean a part of it.
    """

    start: date | None
    end: date | None
    single: bool = False
    week: bool = False
    length: str = ""


_NOT_SURE = Days(None, None)


def find(line: Line, today: date) -> Iterator[tuple[Span, Days]]:
    """Every reading of days in the line; they may overlap, the longest is meant."""
    for name, pattern in FORMS:
        for match, span in line.find(pattern):
            try:
                days = _read(name, match, today)
            except ValueError:
                days = None  # no such day: the 31st of April
            if days and _possible(days, today) and _is_day(name, match):
                yield span, days
            elif name in {"range", "holiday_weekend"}:
                yield span, _NOT_SURE


def _is_day(name: str, match: re.Match[str]) -> bool:
    """Not if it is the sun, nor as an end of a range of which the other end is not understood."""
    if name in {"range", "in_week"} or "a" not in match.groupdict():
        return True
    start, words = match.start("a"), match["a"]
    if words == "sun" and name == "on" and not match.group().startswith("on "):
        return False
    before = JOINED_BY if any(map(str.isalpha, words)) else JOINED_BY_NUMBER
    return not (
        JOINED_TO.match(match.string, match.end("a"))
        or before.search(match.string, max(start - 20, 0), start)
    )


def crowded(line: Line) -> bool:
    """Whether there are so many words for days that the line is no sentence about one stay.

    Not to read it bounds what a text that was made up to be slow can cost.
    """
    return sum(word[0].isdigit() or word in _DAY_WORDS for word in line.folded.split()) > MOST_DAYS


def _possible(days: Days, today: date) -> bool:
    last = today + timedelta(days=FARTHEST)
    if days.start and days.end and not 0 < (days.end - days.start).days <= LONGEST_RENTAL:
        return False
    return all(today <= day <= last for day in (days.start, days.end) if day)


def _read(name: str, match: re.Match[str], today: date) -> Days | None:
    match name:
        case "days_of" | "month_days":
            return _days_of_month(name, match, today)
        case "length":
            days = days_in(match["length"])
            return Days(None, None, length=match["length"]) if 0 < days <= LONGEST_RENTAL else None
        case "weekend":
            return _weekend(_week_start(match["which"], today), today, long=bool(match["long"]))
        case "week":
            return _week(_week_start(match["which"], today), today)
        case "range":
            return _range(match["a"], match["b"], today)
        case "in_week":
            first = f"{match['a']} {match['which']} week"
            return (
                _range(first, match["b"], today) if match["b"] else Days(point(first, today), None)
            )
    return _from_first(name, match, today, point(match["a"], today))


def _range(a: str, b: str, today: date) -> Days | None:
    """From one day to another; 1/2 beside 24/12 is in the same order, the 1st of February."""
    if a in WEEKDAYS and (within := IN_A_WEEK.fullmatch(b)):
        # "Monday to Friday next week": both are of that week, unless it then went backwards.
        named, which = within["day"] or within["day2"], within["week"] or within["week2"]
        if WEEKDAYS[a] < WEEKDAYS[named]:
            a = f"{a} {which} week"
    first = point(a, today, day_first=_day_first(b))
    # On the way back the same weekday or day of the month is the one after.
    last = point(b, today, after=first, day_first=_day_first(a))
    # Nor is 1/2 until December 24 one of nearly a year.
    doubtful = last.year > first.year or SLASHED.fullmatch(a)
    if doubtful and (last - first).days > LONGEST_WRAP and not A_YEAR.search(b):
        return None
    return Days(first, last)


def _from_first(name: str, match: re.Match[str], today: date, first: date) -> Days:
    match name:
        case "weekend_of":
            return _weekend(_monday(first), today, long=bool(match["long"]))
        case "holiday_weekend":
            if first.weekday() == MIDWEEK:
                raise ValueError
            return _weekend(_monday(first - timedelta(days=MIDWEEK)), today, long=False)
        case "over":
            # The least that anyone means by it.
            return Days(first - timedelta(days=1), first + timedelta(days=1))
        case "week_from":
            return Days(first, first + timedelta(weeks=1), week=True)
        case "week_of" | "holiday_week":
            return _week(_monday(first), today)
        case "until":
            return Days(None, first)
        case "from":
            return Days(first, None)
    return Days(first, first + timedelta(days=1), single=True)


def _days_of_month(name: str, match: re.Match[str], today: date) -> Days | None:
    """Days of one month, "3 to 7 March" and "March 3-7", or of two: "28 to 3 April", "March 28-3"."""
    low, high, month = _day(match["a"]), _day(match["b"]), MONTHS[match["month"].split()[0]]
    if match["year"]:
        start = date(int(match["year"]), month, low)
        return Days(start, start.replace(day=high)) if low < high else None
    if low < high:
        start = _next(month, low, today)
        return Days(start, start.replace(day=high))
    if low == high:
        return None
    if name == "month_days":
        start = _next(month, low, today)
        return Days(start, _recur(high, today, start))
    end = _next(month, high, today)
    before = end.replace(day=1) - timedelta(days=1)
    return Days(before.replace(day=low), end)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _week_start(which: str, today: date) -> date:
    weeks = 2 if which == "after next" else int(which not in _THIS)
    return _monday(today) + timedelta(weeks=weeks)


def _week(monday: date, today: date) -> Days:
    return Days(max(monday, today), monday + timedelta(weeks=1), week=True)


def _weekend(monday: date, today: date, *, long: bool) -> Days:
    """Saturday and Sunday, returned on Monday; a long one begins on Friday."""
    start = monday + timedelta(days=4 if long else 5)
    return Days(max(start, today), monday + timedelta(weeks=1), week=True)


def point(
    words: str, today: date, after: date | None = None, *, day_first: bool | None = None
) -> date:
    """The day that `words` name; what recurs is the first one after `after`, or not before today.

    `day_first` is the order of 3/4, where that is known from elsewhere.

    Raises:
        ValueError: there is no such day.
    """
    match = POINT.fullmatch(words)
    if match is None:
        return _recur(int(words[:-2]), today, after)
    found = {name: value for name, value in match.groupdict().items() if value}
    earliest = after + timedelta(days=1) if after else today
    if day := found.get("iso"):
        return date(*(int(part) for part in re.split("[-/]", day)))
    if dotted := found.get("dotted"):
        number, month_number, year_number = map(int, dotted.split("."))
        return date(year_number, month_number, number)
    if slashed := found.get("slashed"):
        return _slashed(slashed, earliest, day_first)
    if month := found.get("month") or found.get("month2"):
        number = _day(found.get("day") or found["day2"])
        year = found.get("year1") or found.get("year2")
        month_number = MONTHS[month.split()[0]]
        if year:
            return date(int(year), month_number, number)
        return _next(month_number, number, earliest)
    if "which" in found:
        return _of_month(_day(found["day3"]), found["which"], today)
    if day4 := found.get("day4"):
        return _recur(_day(day4), today, after)
    if holiday := found.get("holiday"):
        return _holiday(holiday, found.get("year3"), earliest)
    return _relative(found, today, earliest)


def _holiday(name: str, year: str | None, earliest: date) -> date:
    day = HOLIDAYS[name]
    if year:
        return day(int(year))
    return next(
        found for year in (earliest.year, earliest.year + 1) if (found := day(year)) >= earliest
    )


def _relative(found: dict[str, str], today: date, earliest: date) -> date:
    if "today" in found:
        return today
    if "tomorrow" in found:
        return today + timedelta(days=1)
    if "overmorrow" in found:
        return today + timedelta(days=2)
    if length := found.get("after") or found.get("from_now"):
        return add(today, length)
    if "week_day" in found or "week_day2" in found:
        name, which = (
            found.get("week_day") or found["week_day2"],
            found.get("week") or found["week2"],
        )
        weeks = timedelta(weeks=which != "this")
        return _monday(today) + weeks + timedelta(days=WEEKDAYS[name])
    *modifiers, name = found["weekday"].split()
    if "next" in modifiers:
        return _monday(today) + timedelta(weeks=1, days=WEEKDAYS[name])
    return earliest + timedelta(days=(WEEKDAYS[name] - earliest.weekday()) % 7)


def _day(words: str) -> int:
    return ORDINALS.get(words) or int(words.rstrip("stndrh"))


def _next(month: int, day: int, earliest: date) -> date:
    """The first such day that is not before `earliest`; the 29th of February may take years."""
    for year in range(earliest.year, earliest.year + 5):
        if day > monthrange(year, month)[1]:
            continue
        found = date(year, month, day)
        if found >= earliest:
            return found
    raise ValueError


def _recur(day: int, today: date, after: date | None) -> date:
    """The next day of the month with this number."""
    earliest = after + timedelta(days=1) if after else today
    for months in range(3):
        year, month = divmod(earliest.month - 1 + months, 12)
        try:
            found = date(earliest.year + year, month + 1, day)
        except ValueError:
            continue  # this month is too short
        if found >= earliest:
            return found
    raise ValueError


def _of_month(day: int, which: str, today: date) -> date:
    year, month = divmod(today.month - 1 + ("next" in which), 12)
    return date(today.year + year, month + 1, day)


def _day_first(words: str) -> bool | None:
    """The order of a slashed day, where only one is possible, or of a day and its month's name."""
    if not SLASHED.fullmatch(words):
        match = POINT.fullmatch(words)
        if match is None or not (match["month"] or match["month2"]):
            return None
        return match["month"] is not None
    first, second, *_ = (int(part) for part in words.split("/"))
    if (first > MONTHS_A_YEAR) == (second > MONTHS_A_YEAR):
        return None
    return first > MONTHS_A_YEAR


def _slashed(words: str, earliest: date, day_first: bool | None) -> date:
    """Day and month, where only one order is possible: 3/4 may be either and is not understood."""
    first, second, *rest = (int(part) for part in words.split("/"))
    own = _day_first(words)
    order = day_first if own is None else own
    if order is None and first != second:
        raise ValueError
    day, month = (first, second) if order else (second, first)
    if rest:
        return date(2000 + rest[0] % 100, month, day)
    return _next(month, day, earliest)


def days_in(length: str) -> int:
    """How many days a length is, where it is not known when they begin."""
    number, unit = _measure(length)
    return number * DAYS_OF.get(unit, 1)


def _measure(length: str) -> tuple[int, str]:
    *count, unit = length.split()
    number = int(count[0]) if count[0].isdigit() else NUMBER_WORDS.get(count[0], 1)
    if "couple" in count:
        number = 2
    unit = unit.removesuffix("s")
    if unit in {"hour", "hr"}:
        return -(-number // _HOURS_A_DAY), "day"
    return number, unit


def add(day: date, length: str) -> date:
    """The day that is so much later."""
    number, unit = _measure(length)
    if unit == "month":
        year, month = divmod(day.month - 1 + number, 12)
        year, month = day.year + year, month + 1
        return date(year, month, min(day.day, monthrange(year, month)[1]))
    return day + timedelta(days=number * DAYS_OF.get(unit, 1))
