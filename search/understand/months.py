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
from search.understand.dates import DAYS_OF, MONTH, MONTHS
from search.understand.numbers import NUMBER_WORDS
from search.understand.words import Line, Span

MONTHS_AHEAD = 18
LONGEST_DAYS = LONGEST_TOTAL

_COUNT = rf"(?:\d{{1,2}}|an?|{'|'.join(NUMBER_WORDS)}|(?:a )?couple(?: of)?)"
_LENGTH = rf"(?P<count>{_COUNT}) (?P<unit>days?|nights?|weeks?|fortnights?)"
# "In 3 days", "the first two weeks", "2 or 3 days", "$300 a week": the number counts something else
# or is none that can be relied upon.
_NOT_A_STAY = (
    r"(?<!\d )"
    + "".join(
        rf"(?<!\b{word} )"
        for word in (
            "in",
            "first",
            "last",
            "next",
            "past",
            "other",
            "final",
            "every",
            "each",
            "within",
            "after",
            "or",
            "to",
            "and",
            "days",
            "nights",
            "times",
            "once",
            "twice",
            "per",
            "dollars",
            "bucks",
            "usd",
            "eur",
            "euros",
            "pounds",
        )
    )
    + r"(?<![-–—/] )"
)
_WHICH = rf"(?:(?:the month of )?(?P<month>{MONTH})(?:(?: ,)? (?P<year>20\d\d))?|(?P<which>this|next) month)"
# Nor a month with a day, nor one of two.
_ALONE = rf"(?! (?:\d|the \d|(?:or|and|to|till|until|through|thru|/|-|–|—) (?:early |late |mid )?(?:the )?(?:{MONTH}|\d|next|first)\b))"
_SOME = r"(?:(?:some ?time|any ?time|somewhere) )?"
_FORMS = tuple(
    re.compile(rf"(?<!\S){pattern}(?!\S)")
    for pattern in (
        rf"(?:for )?{_NOT_A_STAY}{_LENGTH} {_SOME}(?:in |during |within )?{_WHICH}{_ALONE}",
        rf"{_SOME}(?:(?:in|during) )?{_WHICH}(?: ,)?(?: for(?: about| around)?)? {_LENGTH}(?! (?:from|starting|beginning|on|after|before|until|till)\b)",
    )
)  # fmt: skip


def find(line: Line, today: date) -> Iterator[tuple[Span, dict[str, Any]]]:
    """Every month with a number of days that the line names, as `month` and `days`."""
    for pattern in _FORMS:
        for match, span in line.find(pattern):
            # "4 days March" lacks the word that makes it sure; "4 days next month" does not.
            sure = match["which"] or re.search(r"\b(?:in|during|within) ", match.group())
            days = _days(match["count"], match["unit"])
            first = _month(match, days, today) if sure else None
            if first:
                yield span, {"month": f"{first:%Y-%m}", "days": days}


def _days(count: str, unit: str) -> int:
    word = count.removesuffix(" of")
    number = int(word) if word.isdigit() else NUMBER_WORDS.get(word, 2 if "couple" in word else 1)
    return number * DAYS_OF.get(unit.removesuffix("s"), 1)


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
