"""A text read as a whole: the grammars' findings, the longest first, none overlapping."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from search.fields import LONGEST_TOTAL
from search.understand import date_patterns, dates, months, names, numbers
from search.understand.aliases import FILLER
from search.understand.dates import Days
from search.understand.numbers import NUMBER_WORDS
from search.understand.reading import Kind, Reading
from search.understand.vocabulary import Vocabulary
from search.understand.words import Line, Span, fold

MOST_READINGS = 20  # of one text, in its order; they must fit into a cursor

_Found = tuple[Span, Kind, dict[str, Any]]


def understand(
    text: str,
    vocabulary: Vocabulary,
    today: date,
    keep: Collection[str] = (),
    days: int | None = None,
) -> tuple[Reading, ...]:
    """What the text says that can be a filter, in its order; kinds in `keep` stay text.

    `days` is the length of a stay that is asked for apart from the text: a price "in total" can
    be a filter only where that or the text says how many days it is for, and "in March" is the
    next March with so many days left.
    """
    line = Line(text)
    found = _longest(
        [*_dates(line, today, days), *numbers.find(line), *names.find(line, vocabulary)]
    )
    kept = [each for each in found if each[1] not in keep][:MOST_READINGS]
    stay = _stay([each for each in kept if each[1] == "dates"], today)
    days = days or length(stay.values())
    known = days is not None and days <= LONGEST_TOTAL
    return tuple(
        _reading(line, span, kind, stay[span] if kind == "dates" else parameters)
        for span, kind, parameters in kept
        if (kind != "dates" or span in stay) and (known or "priceBasis" not in parameters)
    )


def _dates(line: Line, today: date, asked: int | None) -> Iterator[_Found]:
    if not date_patterns.SAID.search(line.folded):
        return
    line = line.without(date_patterns.TIME).without(date_patterns.TIME_BEFORE)
    if dates.crowded(line):
        return
    for span, days in dates.find(line, today):
        yield span, "dates", {"days": days}
    for span, month in months.find(line, today, asked):
        yield span, "dates", month


def length(stay: Iterable[Mapping[str, Any]]) -> int | None:
    """How many days the readings of dates are about together; None where they leave it open."""
    said = {name: value for parameters in stay for name, value in parameters.items()}
    if "month" in said and "days" in said:
        return int(said["days"])
    if "start" in said and "end" in said:
        return (date.fromisoformat(said["end"]) - date.fromisoformat(said["start"])).days
    return None


def _longest(found: list[_Found]) -> list[_Found]:
    taken: set[int] = set()
    chosen: list[_Found] = []
    for each in sorted(found, key=lambda each: -len(each[0])):
        covered = range(each[0].first, each[0].end)
        if taken.isdisjoint(covered):
            taken.update(covered)
            chosen.append(each)
    return sorted(chosen, key=lambda each: each[0].first)


def _stay(found: list[_Found], today: date) -> dict[Span, dict[str, Any]]:
    """What the mentions of days say about one stay: the whole of it, or as much as is known.

    A mention that has no part in it stays text, and so does any time of a month beside days.
    """
    some_month = [(span, said) for span, _, said in found if "month" in said]
    mentions: list[tuple[Span, Days]] = [
        (span, said["days"]) for span, _, said in found if "month" not in said
    ]
    lengths = [(span, days.length) for span, days in mentions if days.length]
    dated = [each for each in mentions if each[1].start or each[1].end]
    if dated:
        return _together(_dated(dated), lengths)
    alone = [(span, {"days": dates.days_in(length)}) for span, length in lengths[:1]]
    if not some_month:
        return dict(alone)
    # "In July" and, elsewhere, "for a week".
    complete = [each for each in some_month if "days" in each[1]]
    ((span, said),) = (complete or some_month)[:1]
    if alone and len(some_month) == 1 and "days" not in said:
        days = alone[0][1]["days"]
        if days <= LONGEST_TOTAL and months.has_room(said["month"], days, today):
            return {span: said, **dict(alone)}
    return {span: said}


def _dated(mentions: list[tuple[Span, Days]]) -> dict[Span, Days]:
    """A stay that is named as a whole, or its start and its end."""
    for span, days in mentions:
        if days.start and days.end and not days.single:
            return {span: days}
    starts = [each for each in mentions if each[1].start]
    ends = [each for each in mentions if not each[1].start]
    # "Pick up on the 4th, return on the 9th": of two single days the second is the return.
    ends += [(span, Days(None, days.start)) for span, days in starts[1:] if days.single]
    if starts and ends:
        (first, begin), (last, over) = starts[0], ends[0]
        if begin.start and over.end and begin.start < over.end:
            return {first: Days(begin.start, None), last: Days(None, over.end)}
    return dict((starts or ends)[:1])


def _together(
    stay: dict[Span, Days], lengths: list[tuple[Span, str]]
) -> dict[Span, dict[str, Any]]:
    """The stay and, if it is said, how long it is: that makes its end, or agrees with it."""
    said: dict[Span, dict[str, Any]] = {span: _ends(days) for span, days in stay.items()}
    if not lengths or len({length for _, length in lengths}) > 1 or len(stay) > 1:
        return said
    (span, length), ((day, known),) = lengths[0], stay.items()
    days = dates.days_in(length)
    if not known.start:
        return {day: _ends(known), span: {"days": days}}
    if known.single or not known.end:
        end = dates.add(known.start, length)
        if (end - known.start).days <= dates.LONGEST_RENTAL:
            return {day: _ends(Days(known.start, None)), span: _ends(Days(None, end))}
        return said
    most = (known.end - known.start).days
    if known.week and days < most:
        # "3 days next week": which of them is open.
        return {day: {"days": days}, span: {"days": days}}
    # From Friday to Sunday are 3 days to those who count both.
    if days in {most, most + 1} and (span.end == day.first or day.end == span.first):
        return {day: _ends(known), span: _ends(known)}
    return said


def _ends(days: Days) -> dict[str, str]:
    ends = {"start": days.start, "end": days.end}
    return {name: day.isoformat() for name, day in ends.items() if day}


def _reading(line: Line, span: Span, kind: Kind, parameters: dict[str, Any]) -> Reading:
    start, end = line.offsets(span)
    return Reading(kind, line.text[start:end], start, end, parameters)


def rest(text: str, readings: Sequence[Reading]) -> str | None:
    """What remains to be searched as text, without the words between those that matter."""
    if not readings:
        return text
    parts = []
    at = 0
    for reading in readings:
        before = text[at : reading.start]
        parts.append(_uncounted(before) if reading.kind == "features" else before)
        at = reading.end
    parts.append(text[at:])
    words = [word for word in " ".join(parts).split() if _matters(word)]
    return " ".join(words) or None


def _uncounted(before: str) -> str:
    """Without the number of a feature, "2 child seats", unless it may belong to another word."""
    *words, last = before.split() or [""]
    counts = (last.isdecimal() and len(last) == 1) or fold(last) in NUMBER_WORDS
    if counts and before[-1].isspace() and not (words and _matters(words[-1])):
        return " ".join(words)
    return before


def _matters(word: str) -> bool:
    return any(token[0].isalnum() and token not in FILLER for token in Line(word).tokens)
