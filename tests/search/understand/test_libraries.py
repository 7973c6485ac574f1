"""Single days, cross-checked: the grammar agrees with three libraries, or the reason is listed.

Each library is asked what it can read; where it differs the difference must be one of `REASONS`,
which say who is right and why. A reason that is never met any more must go.
"""

import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import dateparser
import parsedatetime
import pytest
from dateutil import parser as dateutil
from dateutil.easter import easter
from dateutil.relativedelta import MO, TH, relativedelta

from search.understand.reader import understand
from search.understand.vocabulary import EMPTY

WEEK = timedelta(weeks=1)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EXPRESSIONS: dict[str, Callable[[random.Random, date], str]] = {
    "absolute": lambda rng, day: day.strftime(
        rng.choice(["%Y-%m-%d", "%B %-d, %Y", "%-d %B %Y", "%b %-d %Y", f"%B {nth(day)} %Y"])
    ),
    "slashed": lambda rng, day: day.strftime(rng.choice(["%-m/%-d/%Y", "%-d/%-m/%Y"])),
    "of": lambda rng, day: f"{nth(day)} of {day:%B}" + rng.choice(["", f" {day.year}"]),
    "no year": lambda rng, day: day.strftime(rng.choice(["%B %-d", "%-d %B", f"%b {nth(day)}"])),
    "weekday": lambda rng, day: rng.choice(WEEKDAYS),
    "this weekday": lambda rng, day: f"this {rng.choice(WEEKDAYS)}",
    "next weekday": lambda rng, day: f"next {rng.choice(WEEKDAYS)}",
    "in": lambda rng, day: f"in {rng.randint(1, 40)} days",
    "in words": lambda rng, day: rng.choice(["in two weeks", "in a week", "in three days"]),
    "from now": lambda rng, day: f"{rng.randint(2, 40)} days from now",
    "near": lambda rng, day: rng.choice(["today", "tomorrow"]),
    "overmorrow": lambda rng, day: rng.choice(["day after tomorrow", "the day after tomorrow"]),
}


def nth(day: date) -> str:
    ending = (
        "th" if day.day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    )
    return f"{day.day}{ending}"


def grammar(words: str, today: date) -> date | None:
    readings = [each for each in understand(words, EMPTY, today) if each.kind == "dates"]
    assert all(each.words == words for each in readings)
    return date.fromisoformat(readings[0].parameters["start"]) if readings else None


def by_dateparser(words: str, today: date) -> date | None:
    settings = {"RELATIVE_BASE": noon(today), "PREFER_DATES_FROM": "future"}
    found = dateparser.parse(words, languages=["en"], settings=settings)
    return found and found.date()


def by_parsedatetime(words: str, today: date) -> date | None:
    calendar = parsedatetime.Calendar(version=parsedatetime.VERSION_CONTEXT_STYLE)
    found, read = calendar.parseDT(words, sourceTime=noon(today))
    return found.date() if read.hasDate else None


def by_dateutil(words: str, today: date) -> date | None:
    try:
        return dateutil.parse(words, default=datetime.combine(today, time())).date()
    except ValueError:
        return None


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


LIBRARIES = {
    by_dateparser: set(EXPRESSIONS),
    by_parsedatetime: set(EXPRESSIONS),
    by_dateutil: {"absolute", "slashed", "of", "no year", "weekday"},  # it knows no relative days
}

# By library and kind: why they differ, and what the difference must then look like.
Differs = Callable[[date | None, date | None, date], bool]
A_WEEK_ON: Differs = lambda ours, theirs, today: ours == today and theirs == today + WEEK  # noqa: E731
REASONS: dict[tuple[str, str], tuple[str, Differs]] = {
    ("dateparser", "weekday"): ("on a Friday, Friday is today: cars are rented today", A_WEEK_ON),
    ("parsedatetime", "weekday"): ("the same", A_WEEK_ON),
    ("dateparser", "next weekday"): (
        "it takes next Friday for this Friday; for us and parsedatetime it is next week's",
        lambda ours, theirs, today: ours is not None and theirs == ours - WEEK,
    ),
    ("parsedatetime", "this weekday"): (
        "it goes back to a day of this week that is past, which nobody can rent",
        lambda ours, theirs, today: theirs is not None and theirs < today and ours == theirs + WEEK,
    ),
    ("dateparser", "no year"): (
        "today's date is today, not in a year",
        lambda ours, theirs, today: ours == today and theirs is not None and theirs > today,
    ),
    ("dateparser", "of"): (
        "the same",
        lambda ours, theirs, today: ours == today and theirs is not None and theirs > today,
    ),
    ("dateutil", "no year"): (
        "it stays in this year, where the day is past",
        lambda ours, theirs, today: theirs is not None and theirs < today,
    ),
    ("dateutil", "of"): (
        "the same",
        lambda ours, theirs, today: theirs is not None and theirs < today,
    ),
    ("parsedatetime", "of"): (
        "it reads the month only, and takes its first day",
        lambda ours, theirs, today: theirs is not None and theirs.day == 1,
    ),
    ("parsedatetime", "overmorrow"): (
        "it reads the last word only",
        lambda ours, theirs, today: theirs == today + timedelta(days=1),
    ),
    ("dateparser", "slashed"): (
        "3/4 may be March or April: we leave it, it decides",
        lambda ours, theirs, today: ours is None and theirs is not None,
    ),
    ("parsedatetime", "slashed"): (
        "the same, and 14/3 it does not know",
        lambda ours, theirs, today: (ours is None) != (theirs is None),
    ),
    ("dateutil", "slashed"): (
        "the same as for dateparser",
        lambda ours, theirs, today: ours is None and theirs is not None,
    ),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_grammar_agrees_or_the_reason_is_known(
    library: Callable[[str, date], date | None],
) -> None:
    rng = random.Random(41)
    name = library.__name__.removeprefix("by_")
    met = set()
    agreed = 0
    for kind in sorted(LIBRARIES[library]):
        for _ in range(120):
            today = date(2026, 1, 1) + timedelta(days=rng.randrange(800))
            day = today + timedelta(days=rng.randrange(360))
            if (day.month, day.day) == (2, 29):
                continue  # of which year, without one, only the grammar finds out
            words = EXPRESSIONS[kind](rng, day)
            ours, theirs = grammar(words, today), library(words, today)
            if ours == theirs:
                agreed += 1
                continue
            reason, differs = REASONS.get((name, kind), ("", lambda *_: False))
            assert differs(ours, theirs, today), (words, today, ours, theirs, reason)
            met.add((name, kind))
    # Today's own date without a year is rare among random days.
    for kind, words in (("no year", "%B %-d"), ("of", "%-dth of %B")):
        today = date(2027, 3, 5)
        if grammar(today.strftime(words), today) != library(today.strftime(words), today):
            met.add((name, kind))
    assert met == {each for each in REASONS if each[0] == name}
    assert agreed > 60 * len(LIBRARIES[library])


DAY = timedelta(days=1)
FEASTS: dict[str, Callable[[date], date]] = {
    "easter": lambda first: easter(first.year),
    "good friday": lambda first: easter(first.year) - 2 * DAY,
    "easter monday": lambda first: easter(first.year) + DAY,
    "presidents' day": lambda first: first + relativedelta(month=2, weekday=MO(3)),
    "memorial day": lambda first: first + relativedelta(month=5, day=31, weekday=MO(-1)),
    "labor day": lambda first: first + relativedelta(month=9, weekday=MO(1)),
    "canadian thanksgiving": lambda first: first + relativedelta(month=10, weekday=MO(2)),
    "thanksgiving": lambda first: first + relativedelta(month=11, weekday=TH(4)),
}


@pytest.mark.parametrize("name", FEASTS)
def test_movable_feasts_are_when_a_library_says(name: str) -> None:
    for year in range(2000, 2100):
        first = date(year, 1, 1)
        assert grammar(name, first) == FEASTS[name](first), year
