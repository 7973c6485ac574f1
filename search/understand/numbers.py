"""Seats, prices, years and ratings, as people write their limits."""

import re
from collections.abc import Iterator
from typing import Any

from search.understand.reading import Kind
from search.understand.words import Line, Span

Found = tuple[Span, Kind, dict[str, Any]]

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve", "thirteen", "fourteen", "fifteen")  # fmt: skip
NUMBER_WORDS = {word: number for number, word in enumerate(_WORDS) if number}
MOST_SEATS = 60
ABOUT = 0.2  # "about 100" is 80 to 120
# A number without a currency is a price only if it can be one: not "about 3", not "under 2015".
_BARE_PRICE = range(15, 1900)
_MOST_PRICE = 1_000_000

_COUNT = rf"(?:\d{{1,2}}|{'|'.join(NUMBER_WORDS)})"
_SEATS = re.compile(
    rf"(?<!\S)(?:"
    rf"(?:at least |minimum |min )?(?P<n>{_COUNT})(?: \+| or more)? (?:- )?(?:seaters?|seats?)(?! \+)"
    rf"|(?:seats|seating for|room for|space for) (?:at least |up to )?(?P<m>{_COUNT})"
    rf"(?: (?:people|persons?|passengers?|adults))?"
    rf"|(?:for |fits )?(?P<k>{_COUNT}) (?:- )?(?:people|persons?|passengers?|adults)"
    rf")(?: or more| minimum)?(?!\S)"
)

_AMOUNT = r"\d{1,3}(?:,\d{3})+|\d{1,7}(?:\.\d{1,2})?"
_SIGN = r"(?:us |ca |au )?[$€£]"
_CURRENCY = r"(?:usd|eur|gbp|cad|aud|dollars?|bucks?|euros?|pounds?|quid|[$€£])"
_PER_DAY = r"(?:(?:a|per|each|/|p|every) (?:day|night)|/ ?d|daily|pd)"
# What makes a number something else than a price: a time, a distance, an age, a length of stay.
_NOT_PRICE = (
    r"(?! ?(?::|am\b|pm\b|a \. m|p \. m|o\b|oclock|in the|km|kms|kilomet|mi\b|miles?|mph|mpg|"
    r"hp|cc|%|years?|days?\b|nights?|weeks?|months?|hours?|minutes?|people|persons?|passengers?|"
    r"adults|seat|doors?|stars?|st\b|nd\b|rd\b|th\b|total|all in|in total|for the|or newer|"
    r"altogether|and up|and newer|[-/.] ?\d))"
)


def _money(name: str) -> str:
    return (
        rf"(?:(?P<{name}s>{_SIGN}) )?(?P<{name}>{_AMOUNT})(?! ?\d)"
        rf"(?: (?P<{name}c>{_CURRENCY}))?"
    )


# "Total" may go before or after: what all the days cost together.
_WHOLE = (
    r"(?:in total|total|altogether|all together|all in|all - in|all included|"
    r"for (?:the )?(?:whole|entire) (?:thing|time|trip|stay|rental|holiday|vacation|period))"
)
_DAY = rf"(?: (?P<day>{_PER_DAY})| (?P<whole>{_WHOLE}))?"
_LEAD = r"(?:(?P<lead>total(?: price| cost| budget| rental)*(?: of| is| :)?) )?"
_MAX = (
    r"(?:under|below|less than|cheaper than|up to|at most|no more than|not more than|maximum(?: of)?|"
    r"max(?:imum)?(?: price)?|within|budget(?: of| is)?|not over|<|< =|lower than)"
)
_MIN = r"(?:over|above|more than|at least|from|starting at|minimum|min|>|> =)"
_PRICES = tuple(
    (kind, re.compile(rf"(?<!\S){_LEAD}{pattern}{_DAY}{_NOT_PRICE}(?!\S)"))
    for kind, pattern in (
        ("between", rf"(?:between |from )?{_money('low')} (?:and|to|-|–) {_money('high')}"),
        ("max", rf"(?:for |priced |at )?{_MAX} {_money('high')}"),
        ("min", rf"(?:priced )?{_MIN} {_money('low')}"),
        (
            "about",
            rf"(?:for )?(?:about|around|approximately|approx|roughly|circa|~) {_money('mid')}",
        ),
        ("max", rf"(?:for )?{_money('high')}(?: max(?:imum)?| or less| or under| or cheaper)"),
        ("budget", rf"(?:for |at )?{_money('high')}"),
    )
)

_YEAR = r"(?:19[3-9]\d|20[0-4]\d)"
_NEWER = r"(?:newer|later|up|above|onwards?|onward|upwards?|more recent|younger)"
_OLDER = r"(?:older|earlier|below|before)"
_YEARS = tuple(
    (kind, re.compile(rf"(?<!\S){pattern}(?!\S)"))
    for kind, pattern in (
        ("between", rf"(?:between |from )?(?P<low>{_YEAR}) (?:and|to|-|–|until) (?P<high>{_YEAR})"),
        ("min", rf"(?P<low>{_YEAR}) (?:(?:or|and|\&) {_NEWER}|onwards?|\+)(?: models?)?"),
        ("max", rf"(?P<high>{_YEAR}) (?:or|and) {_OLDER}(?: models?)?"),
        ("min", rf"(?:since|from|at least|not older than|no older than) (?:a )?(?P<low>{_YEAR})(?: onwards?)?"),
        ("after", rf"(?:newer than|after|later than|younger than) (?:a )?(?P<low>{_YEAR})"),
        ("before", rf"(?:older than|before|earlier than) (?:a )?(?P<high>{_YEAR})"),
        ("max", rf"(?:not newer than|no newer than|up to) (?:a )?(?P<high>{_YEAR})"),
    )
)  # fmt: skip

_STARS = r"(?P<n>[1-5](?:[.,]\d{1,2})?)"
_BETTER = r"(?:\+|(?:or|and) (?:better|higher|more|above|up|over))"
_UNIT = r"(?:- )?(?:stars?|star rating|rating|★)"
_RATINGS = tuple(
    re.compile(rf"(?<!\S){pattern}(?!\S)")
    for pattern in (
        rf"(?:rated |rating |with )?(?:at least |minimum |over |above |more than )?{_STARS}"
        rf"(?: \+)? {_UNIT}(?: (?:hosts?|cars?|rating))?(?: {_BETTER})?",
        rf"(?:rated|rating)(?: of| is| :)?(?: at least| over| above)? {_STARS}(?: {_BETTER})?",
        rf"{_STARS} {_BETTER}(?: (?:stars?|rating|rated))",
    )
)


def find(line: Line) -> Iterator[Found]:
    """Every limit that the line states; they may overlap, the longest is meant."""
    yield from _seats(line)
    yield from _years(line)
    yield from _ratings(line)
    yield from _prices(line)


def _seats(line: Line) -> Iterator[Found]:
    for match, span in line.find(_SEATS):
        word = match["n"] or match["m"] or match["k"]
        number = NUMBER_WORDS.get(word) or int(word)
        # "1 person" says who comes, not which car.
        if 2 <= number <= MOST_SEATS:  # noqa: PLR2004 - a car has two seats
            yield span, "seats", {"seatsMin": number}


def _years(line: Line) -> Iterator[Found]:
    for kind, pattern in _YEARS:
        for match, span in line.find(pattern):
            ends = match.groupdict()
            low = int(ends["low"]) + (kind == "after") if ends.get("low") else None
            high = int(ends["high"]) - (kind == "before") if ends.get("high") else None
            if low is None or high is None or low <= high:
                yield span, "year", _ends("year", low, high)


def _ratings(line: Line) -> Iterator[Found]:
    for pattern in _RATINGS:
        for match, span in line.find(pattern):
            stars = float(match["n"].replace(",", "."))
            if stars <= 5:  # noqa: PLR2004 - five stars are the most
                yield span, "rating", {"ratingMin": stars}


def _prices(line: Line) -> Iterator[Found]:
    for kind, pattern in _PRICES:
        for match, span in line.find(pattern):
            found = match.groupdict()
            marked = any(
                value for name, value in found.items() if name not in {"low", "high", "mid"}
            )
            amounts = {
                name: float(found[name].replace(",", ""))
                for name in ("low", "mid", "high")
                if found.get(name)
            }
            if kind == "budget" and not marked:
                continue
            if not all(_is_price(amount, marked=marked) for amount in amounts.values()):
                continue
            if kind == "between" and not marked:
                continue  # "from 80 to 100" of what?
            low = amounts.get("low")
            high = amounts.get("high")
            if mid := amounts.get("mid"):
                low, high = mid * (1 - ABOUT), mid * (1 + ABOUT)
            if low is None or high is None or low <= high:
                ends = _ends("price", _cents(low), _cents(high))
                whole = found["whole"] or (found["lead"] and not found["day"])
                yield span, "price", ends | ({"priceBasis": "total"} if whole else {})


def _is_price(amount: float, *, marked: bool) -> bool:
    return 0 < amount <= _MOST_PRICE if marked else int(amount) in _BARE_PRICE


def _cents(amount: float | None) -> int | None:
    return None if amount is None else round(amount * 100)


def _ends(name: str, low: int | None, high: int | None) -> dict[str, Any]:
    ends = {f"{name}Min": low, f"{name}Max": high}
    return {end: value for end, value in ends.items() if value is not None}
