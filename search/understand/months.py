"""A stay somewhere in a month: "4 days in March", "in April for a week".

Only where the words leave nothing else to mean: "the first week in March", "a weekend in June" and
"a month in June" name days of their own, and stay text.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Any

from search.fields import LONGEST_TOTAL
from search.understand.date_patterns import MONTH, MONTHS, NOT_A_STAY
from search.understand.dates import days_in
from search.understand.numbers import NUMBER_WORDS
from search.understand.words import Line, Span

MONTHS_AHEAD = 18
LONGEST_DAYS = LONGEST_TOTAL

_COUNT = rf"(?:\d{{1,2}}|an?|{'|'.join(NUMBER_WORDS)}|(?:a )?couple(?: of)?)"
_LENGTH = rf"(?P<length>{_COUNT} (?:days?|nights?|weeks?|fortnights?))"
_WHICH = rf"(?:(?:the month of )?(?P<month>{MONTH})(?:(?: ,)? (?P<year>20\d\d))?|(?P<which>this|next) month)"
# Nor a month with a day, nor one of two.
_ALONE = rf"(?! (?:\d|the \d|(?:or|and|to|till|until|through|thru|/|-|–|—) (?:early |late |mid |in )?(?:the )?(?:{MONTH}|\d|next|first)\b))"
_SOME = r"(?:(?:some ?time|any ?time|somewhere) )?"
# "Until next month" and "the end of March" name days; "a weekend in June" is a stay of its own.
_NOT_ALONE = "".join(
    rf"(?<!\b{word} )"
    for word in (
        "of", "until", "till", "from", "by", "before", "after", "since", "starting", "beginning", "to",
        "or", "and", "early", "late", "mid", "end", "day", "days", "night", "nights", "week", "weeks",
        "weekend", "month",
    )
)  # fmt: skip
_MONTH_ALONE = re.compile(rf"(?<!\S){_NOT_ALONE}(?P<in>(?:in|during|for) )?{_WHICH}{_ALONE}(?!\S)")
_FORMS = tuple(
    re.compile(rf"(?<!\S){pattern}(?!\S)")
    for pattern in (
        rf"(?:for )?{NOT_A_STAY}(?<!\d ){_LENGTH} {_SOME}(?:in |during |within )?{_WHICH}{_ALONE}",
        rf"{_SOME}(?:(?:in|during) )?{_WHICH}(?: ,)?(?: for(?: about| around)?)? {_LENGTH}(?! (?:from|starting|beginning|on|after|before|until|till)\b)",
    )
)  # fmt: skip


def find(line: Line, today: date, asked: int | None) -> Iterator[tuple[Span, dict[str, Any]]]:
    """Every month that the line names, as `month`, and as `days` how many of them.

    `asked` are days that are asked for apart from the line: the next month with room for them.
    """
    for pattern in _FORMS:
        for match, span in line.find(pattern):
            # "4 days March" lacks the word that makes it sure; "4 days next month" does not.
            sure = match["which"] or re.search(r"\b(?:in|during|within) ", match.group())
            days = days_in(match["length"])
            first = _month(match, days, today) if sure else None
            if first:
                yield span, {"month": f"{first:%Y-%m}", "days": days}
    for match, span in line.find(_MONTH_ALONE):
        if not (match["in"] or match["which"] or match["year"]):
            continue
        first = _month(match, asked or 1, today) or _month(match, 1, today)
        if first:
            yield span, {"month": f"{first:%Y-%m}"}


def has_room(month: str, days: int, today: date) -> bool:
    """Whether so many days are left of the month."""
    return _has_room(date.fromisoformat(f"{month}-01"), days, today)


def _month(match: re.Match[str], days: int, today: date) -> date | None:
    """The first day of the month that is meant: the next one of its name with so many days left."""
    if match["which"]:
        meant = [_ahead(today, match["which"] == "next")]
    elif match["year"]:
        meant = [date(int(match["year"]), MONTHS[match["month"].split()[0]], 1)]
    else:
        named = (_ahead(today, months) for months in range(13))
        meant = [each for each in named if each.month == MONTHS[match["month"].split()[0]]]
    return next((each for each in meant if _has_room(each, days, today)), None)


def _ahead(today: date, months: int) -> date:
    year, month = divmod(today.month - 1 + months, 12)
    return date(today.year + year, month + 1, 1)


def _has_room(first: date, days: int, today: date) -> bool:
    if not today.replace(day=1) <= first <= _ahead(today, MONTHS_AHEAD):
        return False
    length = monthrange(first.year, first.month)[1]
    begin = today.day if first == today.replace(day=1) else 1
    return 1 <= days <= min(LONGEST_DAYS, length - begin + 1)
