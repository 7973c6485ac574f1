"""Seats, prices, years and ratings, as people write their limits."""

import re
from collections.abc import Iterator
from math import ceil
from typing import Any

from search.understand.denial import denied_from
from search.understand.reading import Kind
from search.understand.words import Line, Span

Found = tuple[Span, Kind, dict[str, Any]]

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
          "eleven", "twelve", "thirteen", "fourteen", "fifteen")  # fmt: skip
NUMBER_WORDS = {word: number for number, word in enumerate(_WORDS) if number}
# Without one of these there is no limit, and none of the patterns has to be tried.
SAID = re.compile(rf"\d|\b(?:{'|'.join(NUMBER_WORDS)})\b")
MOST_SEATS = 60
MOST_STARS = 5
ABOUT = 0.2  # "about 100" is 80 to 120
# A number without a currency is a price only if it can be one: not "about 3", not "under 2015".
_BARE_PRICE = range(15, 1900)
_MOST_PRICE = 1_000_000

_COUNT = rf"(?:\d{{1,2}}|{'|'.join(NUMBER_WORDS)})"
_PEOPLE = r"(?:people|persons?|passengers?|adults?|travell?ers?|pax)"
_CHILDREN = (
    r"(?:kids?|child|children|babies|baby|toddlers?|teens?|teenagers?|infants?)(?! seats?\b)"
)
_FEWEST = r"(?:(?:at least|minimum|min|(?:no|not) (?:less|fewer) than|(?P<{0}>more than|over)) )?"
_SO_MANY = "|".join(
    rf"(?<=\b{what} )" for what in ("car", "van", "suv", "vehicle", "carrier", "something")
)
_SEATS = re.compile(
    rf"(?<!\S)(?:"
    rf"{_FEWEST.format('over')}(?P<n>{_COUNT})(?: (?:-|–|to|or|/) {_COUNT})?(?: \+| or more)? (?:- )?"
    rf"(?:seaters?|seats?)(?! \+)"
    rf"|(?:seats|seating for|room for|space for) (?:at least |up to )?(?P<m>{_COUNT})(?: {_PEOPLE})?"
    rf"|(?:fits|must fit|to fit|that fit|(?:{_SO_MANY})for) (?P<fit>{_COUNT})(?=$| (?:,|\.|in|near|from|plus|with|and)(?!\S))"
    rf"|(?:for |fits )?(?:{_COUNT} (?:-|–|to|or|/) )?(?:(?:up to|max(?:imum)?) |{_FEWEST.format('beyond')})(?P<k>{_COUNT}) (?:- )?"
    rf"{_PEOPLE}(?:(?: and| ,| \+| &)* (?P<more>{_COUNT}) {_CHILDREN})?"
    rf"|(?:for )?(?:an? )?(?:family|party|group) of (?P<group>{_COUNT})(?! (?:cars|vehicles)\b)"
    rf")(?: or more| minimum)?(?!\S)"
)
# Before seats or stars: there is no filter for the most of them.
_AT_MOST = frozenset(
    ["less than", "fewer than", "more than", "worse than", "lower than", "at most", "maximum of",
     "max of", "under", "below", "max", "maximum"]
)  # fmt: skip

_AMOUNT = r"\d{1,3}(?:,\d{3})+|\d{1,7}(?:\.\d{1,2})?"
_CODE = r"usd|eur|gbp|cad|aud"
_SIGN = rf"(?:(?:us |ca |au )?[$€£]|{_CODE})"
_CURRENCY = rf"(?:{_CODE}|dollars?|bucks?|euros?|pounds?|quid|[$€£])"
_PER = r"(?:a|per|each|/|p|every)"
_PER_DAY = rf"(?:{_PER} (?:day|night)|/ ?d|daily|pd)"
_PER_WEEK = rf"(?:{_PER} (?:week|wk)|weekly|pw)"
_PER_MONTH = rf"(?:{_PER} (?:month|mth|mo)|monthly|pcm)"
# Prices are a day's: without discounts, which not every host gives, and in whole cents inwards.
_WEEK, _MONTH = 7, 30
_OPPOSITE = frozenset(["min", "max"])  # kinds of limits that "not" makes each other
# What makes a number something else than a price: a time, a distance, an age, a length of stay.
_NOT_PRICE = (
    r"(?! ?(?::|am\b|pm\b|a \. m|p \. m|o\b|oclock|in the|km|kms|kilomet|mi\b|miles?|mph|mpg|"
    r"(?:bhp|hp|ps|kw|kwh|cc|l|cm|mm)\b|horse|litre|liter|inch|\" |%|years?|yrs?\b|yo\b|days?\b|"
    r"nights?|weeks?|months?|hours?|minutes?|people|persons?|passengers?|adults|kids|children|"
    r"drivers?|reviews?|ratings?|trips?|photos?|bags?|suitcases?|"
    r"seat|doors?|stars?|st\b|nd\b|rd\b|th\b|total|all in|in total|for the(?! (?:long )?week(?:end)?\b)|"
    r"or newer|altogether|and up|and newer|[-/.] ?\d))"
)
# Before a number without a currency: "driver under 25", "range over 400", "must be at least 21".
_NOT_PRICED = frozenset(
    ["driver", "drivers", "age", "aged", "ages", "range", "mileage", "horsepower", "power", "engine",
     "trunk", "boot", "wheels", "reviews", "trips", "be", "m", "am"]
)  # fmt: skip


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
_PERIOD = (
    rf"(?: (?P<day>{_PER_DAY})| (?P<week>{_PER_WEEK})| (?P<month>{_PER_MONTH})"
    rf"| (?P<whole>{_WHOLE}))?"
)
_OF = r"(?: (?:of|is|are|:|(?:must|should) be))?"
_NAME = rf"(?:prices?|rates?|costs?|budget)(?: range| limit)?(?: {_PER_DAY})?"
_LEAD = (
    rf"(?:(?P<lead>total(?: price| cost| budget| rental)*{_OF}) "
    rf"|(?P<named>(?:daily |day )?{_NAME}{_OF}) )?"
)
_MOST = rf"max(?:imum)?(?: \.)?(?: {_NAME})?{_OF}"
_MAX = (
    rf"(?:under|below|sub|less than|cheaper than|up to|at most|{_MOST}|within|budget{_OF}|<|< =|"
    r"lower than)"
)
_MIN = (
    r"(?:over|above|more than|higher than|at least|(?:starting )?from|starting at|>|> =|"
    rf"min(?:imum)?(?: \.)?(?: {_NAME})?{_OF})"
)
_OR_LESS = r"(?:max(?:imum)?|(?:or|and) (?:less|under|cheaper|below))"
_OR_MORE = r"(?:min(?:imum)?|\+|(?:or|and) (?:more|over|up|above|higher))"
_PRICES = tuple(
    (kind, re.compile(rf"(?<!\S){_LEAD}{pattern}{_NOT_PRICE}(?!\S)"))
    for kind, pattern in (
        (
            "between",
            rf"(?:between |from )?{_money('low')} (?:and|&|to|-|–) {_money('high')}{_PERIOD}",
        ),
        ("max", rf"(?:for |priced |at )?{_MAX} {_money('high')}{_PERIOD}(?: {_OR_LESS})?"),
        ("min", rf"(?:priced )?{_MIN} {_money('low')}{_PERIOD}"),
        (
            "about",
            rf"(?:for )?(?:about|around|approximately|approx|roughly|circa|~) {_money('mid')}{_PERIOD}",
        ),
        ("max", rf"(?:for )?{_money('high')} {_OR_LESS}{_PERIOD}"),
        ("max", rf"(?:for )?{_money('high')}{_PERIOD} {_OR_LESS}"),
        ("said", rf"(?:for )?{_money('low')}{_PERIOD} {_OR_MORE}"),
        ("said", rf"(?:for |at )?{_money('high')}{_PERIOD}"),
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

_STARS = rf"(?P<n>[1-5](?:[.,]\d{{1,2}})?|{'|'.join(_WORDS[1:6])})(?P<of> (?:/|out of) 5)?"
_BETTER = r"(?:\+|(?:or|and) (?:better|higher|more|above|up|over))"
_LEAST = r"(?:at least|min(?:imum)?|over|above|(?:more|better|higher) than|(?:no|not) (?:less|lower|worse) than|not (?:under|below))"
_UNIT = r"(?:- )?(?:stars?|star rating|rating|★)"
_RATINGS = tuple(
    re.compile(rf"(?<!\S){pattern}(?!\S)")
    for pattern in (
        rf"(?:rated |rating |with )?(?:{_LEAST} )?{_STARS}"
        rf"(?: \+)? {_UNIT}(?: (?:hosts?|cars?|rating))?(?: {_BETTER})?",
        rf"(?:{_LEAST} )?(?:rated|rating)(?: of| is| :)?(?: {_LEAST})? {_STARS}(?: {_BETTER})?",
        rf"{_STARS} {_BETTER}(?: (?:stars?|rating|rated))",
        r"(?P<n>[1-5][.,]\d)(?P<of> (?:/|out of) 5)",
    )
)


def find(line: Line) -> Iterator[Found]:
    """Every limit that the line states; they may overlap, the longest is meant."""
    if not SAID.search(line.folded):
        return
    yield from _seats(line)
    yield from _years(line)
    yield from _ratings(line)
    yield from _prices(line)


def _seats(line: Line) -> Iterator[Found]:
    for match, span in line.find(_SEATS):
        if _at_most(line, span):
            continue
        words = [match[name] for name in ("n", "m", "k", "fit", "group", "more") if match[name]]
        number = sum(_number(word) for word in words) + bool(match["over"] or match["beyond"])
        # "1 person" says who comes, not which car.
        if 2 <= number <= MOST_SEATS:  # noqa: PLR2004 - a car has two seats
            yield _unless_denied(line, span, "seats", {"seatsMin": number})


def _number(word: str) -> int:
    return NUMBER_WORDS.get(word) or int(word)


def _at_most(line: Line, span: Span) -> bool:
    before = line.tokens[max(span.first - 2, 0) : span.first]
    return bool(before) and (before[-1] in _AT_MOST or " ".join(before) in _AT_MOST)


def _unless_denied(line: Line, span: Span, kind: Kind, parameters: dict[str, Any]) -> Found:
    """What is denied has no parameters."""
    first = denied_from(line, span.first)
    return (span, kind, parameters) if first is None else (Span(first, span.end), kind, {})


def _years(line: Line) -> Iterator[Found]:
    for kind, pattern in _YEARS:
        for match, span in line.find(pattern):
            ends = match.groupdict()
            low = int(ends["low"]) + (kind == "after") if ends.get("low") else None
            high = int(ends["high"]) - (kind == "before") if ends.get("high") else None
            denied = denied_from(line, span.first)
            if denied is not None:
                if kind == "between":
                    continue
                # "Not before 2015" is from then on.
                low, high = high and high + 1, low and low - 1
            if low is None or high is None or low <= high:
                whole = span if denied is None else Span(denied, span.end)
                yield whole, "year", _ends("year", low, high)


def _ratings(line: Line) -> Iterator[Found]:
    for pattern in _RATINGS:
        for match, span in line.find(pattern):
            stars = float(NUMBER_WORDS.get(match["n"]) or match["n"].replace(",", "."))
            if stars <= MOST_STARS and not _at_most(line, span):
                yield _unless_denied(line, span, "rating", {"ratingMin": stars})


def _prices(line: Line) -> Iterator[Found]:
    for kind, pattern in _PRICES:
        for match, span in line.find(pattern):
            found = match.groupdict()
            marked = any(
                value
                for name, value in found.items()
                if name not in {"low", "high", "mid", "named"}
            )
            amounts = {
                name: float(found[name].replace(",", ""))
                for name in ("low", "mid", "high")
                if found.get(name)
            }
            named = bool(found["named"])
            if kind in {"said", "between"} and not (marked or named):
                continue  # "from 80 to 100" of what?
            if not (marked or named) and _is_something_else(line, span):
                continue
            denied = denied_from(line, span.first)
            if denied is not None and kind not in _OPPOSITE:
                continue
            if not all(_is_price(each, marked=marked, named=named) for each in amounts.values()):
                continue
            low = amounts.get("low")
            high = amounts.get("high")
            if denied is not None:  # "not over 50" is at most 50
                low, high = high, low
            if mid := amounts.get("mid"):
                low, high = mid * (1 - ABOUT), mid * (1 + ABOUT)
            if low is None or high is None or low <= high:
                days = _WEEK if found["week"] else _MONTH if found["month"] else 1
                whole = found["whole"] or (found["lead"] and days == 1 and not found["day"])
                ends = _ends(
                    "price",
                    None if low is None else ceil(_cents(low) / days),
                    None if high is None else _cents(high) // days,
                )
                words = span if denied is None else Span(denied, span.end)
                yield words, "price", ends | ({"priceBasis": "total"} if whole else {})


def _is_something_else(line: Line, span: Span) -> bool:
    return span.first > 0 and line.tokens[span.first - 1] in _NOT_PRICED


def _is_price(amount: float, *, marked: bool, named: bool) -> bool:
    if marked:
        return 0 < amount <= _MOST_PRICE
    # "Rate 4.5" is one of stars.
    return MOST_STARS < amount <= _MOST_PRICE if named else int(amount) in _BARE_PRICE


def _cents(amount: float) -> int:
    return round(amount * 100)


def _ends(name: str, low: int | None, high: int | None) -> dict[str, Any]:
    ends = {f"{name}Min": low, f"{name}Max": high}
    return {end: value for end, value in ends.items() if value is not None}
