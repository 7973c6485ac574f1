"""Days as people write them, as patterns over a folded line: what `dates` resolves.

`FORMS` are ways to say days, by name: each holds points (`a`, `b`), a length or the like as groups of
its own. `POINT` is one day; which of its groups matched says how it is resolved.
"""

import re
from collections.abc import Iterable

from search.understand.holidays import HOLIDAYS
from search.understand.numbers import NUMBER_WORDS

MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sept sep", "october oct", "november nov", "december dec"), 1
    )
    for name in names.split()
}  # fmt: skip
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        ("monday mon", "tuesday tues tue", "wednesday weds wed", "thursday thurs thur thu",
         "friday fri", "saturday sat", "sunday sun")
    )
    for name in names.split()
}  # fmt: skip
ORDINALS = {
    word: number
    for number, word in enumerate(
        ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
         "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth",
         "seventeenth", "eighteenth", "nineteenth", "twentieth"), 1
    )
}  # fmt: skip


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


# Without any of these no days are said, and none of the patterns has to be tried.
SAID = re.compile(
    r"\d|\b(?:day|night|week|fortnight|month|hour|hr|today|tonight|tom|tmr|morning|afternoon|evening|"
    rf"{_any([*MONTHS, *WEEKDAYS, *ORDINALS, *HOLIDAYS])})"
)
MONTH = rf"(?:{_any(MONTHS)})(?: \.)?"
# "sat nav", "sun roof" and "the sun" are no days.
_WEEKDAY = rf"(?:(?:{_any(WEEKDAYS)})(?<!\bthe sun)(?! (?:nav|roof|shade|visor|screen|city)\b))"
_NTH = r"\d{1,2}(?:st|nd|rd|th)"
_NOT_A_DAY = r"(?! (?:row|street|st|ave|avenue|gen|generation|floor|party|person|gear|class|one)\b)"
_TOMORROW = r"(?:tomorrow|tomorow|tommorow|tommorrow|tmrw|tmr)"
_DAY = rf"(?:{_NTH}|\d{{1,2}})"
_WORDY = rf"(?:{_any(ORDINALS)})"
_YEAR = r"(?:(?: ,)? (?P<{0}>20\d\d))?"
_COUNT = rf"(?:\d{{1,3}}|an?|{_any(NUMBER_WORDS)}|a couple(?: of)?|couple(?: of)?)"
_UNIT = r"(?:days?|nights?|weeks?|fortnights?|months?|weekends?|hours?|hrs?)"
# "March 4 pm" and "March 4 days" do not name the 4th.
_NOT_A_TIME = (
    r"(?! ?(?::|am\b|pm\b|o ' clock|o \")|(?: -)? (?:days?|nights?|weeks?|hours?|people|persons?|"
    r"passengers?|adults|seats?|seaters?|doors?)\b)"
)

# "24/7" is always, "rated 5/5" and "5/5 stars" say how good a car is.
_RATED = r"(?:stars?|rating|rated|reviews?|score)"
_NOT_RATED = r"(?<!/ )(?!24 / 7(?! /))" + "".join(
    rf"(?<!\b{word} )" for word in ("rated", "rating", "score", "scored", "stars", "reviews")
)
# Of other churches and countries, or none: "orthodox Easter", "Easter Island", "brand new".
_HOLIDAY = rf"(?:(?<!brand )(?<!orthodox )(?<!greek )(?<!canadian )(?:{_any(HOLIDAYS)})(?! (?:island|eggs?)\b))"
SLASHED = re.compile(r"\d{1,2} / \d{1,2}(?: / \d+)?")
_WHICH_WEEK = "this|next|the following|the next"
IN_A_WEEK = re.compile(
    rf"(?P<day>{_WEEKDAY})(?: of)? (?P<week>{_WHICH_WEEK}) week"
    rf"|(?P<week2>{_WHICH_WEEK}) week(?: ,)?(?: on)? (?P<day2>{_WEEKDAY})"
)
A_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)")

# What may stand after any day: "Friday at 5pm", "dec 5, 10:30", "tomorrow morning". It says nothing
# about the days, so the grammar reads the line without it.
_PART = r"(?:noon|midday|midnight|morning|afternoon|evening|night)"
_HOUR = (
    r"(?:\d{1,2}(?: : \d\d)? ?(?:am|pm|a \. m(?: \.)?|p \. m(?: \.)?)|\d{1,2} : \d\d"
    rf"|\d{{1,2}} o ['\"] clock|(?:half past )?\d{{1,2}}(?= in the {_PART}))(?!\S)"
)
_DAY_BEFORE = (
    rf"(?<!\S)(?:{_any(WEEKDAYS)}|{_TOMORROW}|today|tonight|{_HOLIDAY}|{_NTH}|(?:{MONTH}|/|-) \d{{1,2}}|20\d\d"
    rf"|\d\S*\.20\d\d|\d(?: of)? {MONTH}|(?:this|next) (?:week|month))"
)
TIME = re.compile(
    rf"{_DAY_BEFORE}(?P<skip>(?:(?: ,)?(?: (?:at|around|about|by|@|in the|early|late)){{0,2}} "
    rf"(?:{_HOUR}|{_PART}(?!\S))){{1,2}}(?: (?:to|-|–|until|till) {_HOUR})?"
    rf"| \( (?:{_any(WEEKDAYS)}) \))"
)
# The same before a day: "10am Friday", "at 5pm on the 4th".
TIME_BEFORE = re.compile(
    rf"(?<!\S)(?P<skip>(?:(?:at|around|about|by) )?{_HOUR}(?: on)?)"
    rf" (?:(?:the )?{_NTH}|\d{{1,2}} (?:/|{MONTH})|{MONTH} \d|(?:(?:this|next) )?(?:{_any(WEEKDAYS)})|{_TOMORROW}|today)(?!\S)"
)

# One alternative for each way to name a day; the name of its group says how it is resolved.
_POINTS = (
    r"(?P<iso>20\d\d (?:- \d{1,2} -|/ \d{1,2} /) \d{1,2})(?! [/:\d])",
    rf"{_NOT_RATED}(?P<slashed>\d{{1,2}} / \d{{1,2}}(?: / (?:20)?\d\d)?)(?! (?:[/:\d★]|{_RATED}\b))",
    r"(?P<dotted>\d{1,2}\.\d{1,2}\.20\d\d)",
    rf"(?:{_WEEKDAY}(?: ,)? )?(?:the )?(?P<day>{_DAY}|{_WORDY})(?: of| \.)? (?P<month>{MONTH})"
    + _YEAR.format("year1"),
    rf"(?:{_WEEKDAY}(?: ,)? )?(?:the )?(?P<month2>{MONTH}) (?:the )?(?P<day2>{_DAY}|{_WORDY}){_NOT_A_TIME}"
    + _YEAR.format("year2"),
    rf"(?:{_WEEKDAY}(?: ,)? )?(?:the )?(?P<day3>{_DAY}) of (?P<which>this|next|the|the next) month",
    rf"(?:{_WEEKDAY}(?: ,)? )?the (?P<day4>{_NTH}){_NOT_A_DAY}",
    r"(?:the )?(?P<overmorrow>day after tomorrow)",
    rf"(?P<tomorrow>{_TOMORROW})",
    r"(?P<today>(?:later )?(?:today|tonight)|this (?:morning|afternoon|evening))",
    rf"(?P<week_day>{_WEEKDAY})(?: of)? (?P<week>{_WHICH_WEEK}) week",
    rf"(?P<week2>this|next) week(?: ,)?(?: on)? (?P<week_day2>{_WEEKDAY})",
    rf"(?:the )?(?P<weekday>(?:(?:this coming|coming|this|next) )?{_WEEKDAY})(?! (?:of|the \d))",
    rf"(?P<holiday>{_HOLIDAY})(?! (?:holidays?|break|vacation|period|week|weeks|weekend|model)\b)" + _YEAR.format("year3"),
    rf"in (?P<after>{_COUNT} (?:days?|weeks?))(?: time)?",
    rf"(?P<from_now>{_COUNT} (?:days?|weeks?)) from (?:now|today)",
)  # fmt: skip
POINT = re.compile("|".join(f"(?:{point})" for point in _POINTS))
# The same without names, to be used several times in one pattern.
_P = "(?:" + re.sub(r"\?P<\w+>", "?:", POINT.pattern) + ")"
# A bare ordinal is a day only after a word that wants one: "on 4th", "until 10th".
_BARE = rf"(?:{_NTH}(?! (?:of|{MONTH})\b){_NOT_A_DAY})"
_Q = rf"(?:{_P}|{_BARE})"

# To and from the island, as renters fly.
_COME = r"(?:arriv(?:e|ing)|land(?:ing)?|fly(?:ing)? in|check(?:ing)? in)(?: on)?"
_LEAVE = r"(?:leav(?:e|ing)|depart(?:ing)?|fly(?:ing)? (?:home|out|back)|check(?:ing)? out)(?: on)?"
_TO = (
    rf"(?:,? ?(?:and )?{_LEAVE}|,? ?(?:and )?(?:(?:return|returning|drop off|dropping off|back)(?: it| the car)?(?: on| by)?"
    r"|(?:up )?(?:until|till|til)(?: the end of)?|through(?: to| till| until)?|thru|to|-|–|—|ending)(?: on)?)"
)
_FROM = (
    r"(?:from|starting(?: on| from)?|starts?(?: on)?|beginning(?: on| from)?|begins?(?: on)?|"
    rf"commencing(?: on)?|since|between|{_COME})"
)
_UNTIL = (
    r"(?:(?:keep(?:ing)? (?:it|the car) )?(?:(?:up )?(?:until|till|til)|(?:up )?to)|through(?: to| till)?|thru|"
    r"ending(?: on)?|(?:return(?:ing|ed)?|drop(?:ping)? off|bring(?:ing)? back|back)"
    rf"(?: it| the car| the vehicle)?(?: on| by)?|{_LEAVE})"
)
_ON = r"(?:on|for)"
_FOR = rf"(?:for|lasting) (?:about |around )?(?P<length>{_COUNT} {_UNIT}|the week)"
# "In 3 days", "the first two weeks", "2 or 3 days", "$300 a week": the number counts something else
# or is none that can be relied upon.
NOT_A_STAY = r"(?<![-–—/$€£] )" + "".join(
    rf"(?<!\b{word} )"
    for word in (
        "in", "first", "last", "next", "past", "other", "final", "every", "each", "within", "after",
        "before", "least", "most", "than", "minimum", "maximum", "or", "to", "and", "days", "nights",
        "times", "once", "twice", "per", "dollars", "bucks", "usd", "eur", "euros", "pounds",
    )
)  # fmt: skip
# Where a length says more than how long the stay is, it is not read: "3 days minimum".
_NO_MORE = (
    r"(?! (?:(?:an?|per|each|every|minimum|min|maximum|max|or|notice|ago|before|after|prior|ahead|"
    rf"in advance|later|earlier|old|free|off)\b|[/+]|(?:to|and|-|–|—) (?:a half|{_COUNT} {_UNIT})))"
)
_BARE_LENGTH = (
    rf"(?:\d{{1,2}}|{_any(NUMBER_WORDS)}|(?:a )?couple(?: of)?) (?:days|nights|weeks|fortnights|months)"
    r"|(?:1|one) (?:week|fortnight|month)|1 (?:day|night)|(?:24|48|72) (?:hours|hrs)"
    # "A week from Friday" is a day.
    r"|a (?:week|fortnight|month)(?= (?:starting|beginning|commencing)\b)"
)
_SHORT_TO = r"(?:until|till|til|through|thru|to|-|–|and)"

# Numbers that look like a day without being read as one, joined to a day: the other end of it.
_JOIN = r"(?:to|until|till|til|through|thru|-|–|—|/)"
_DATE_LIKE = r"(?:\d{1,4} / \d{1,2}|\d{1,2}\.(?:0\d|1[012]))(?!\d)"
JOINED_TO = re.compile(rf" {_JOIN} {_DATE_LIKE}")
JOINED_BY = re.compile(rf"(?<!\S){_DATE_LIKE}(?: \.)? {_JOIN} $")
JOINED_BY_NUMBER = re.compile(rf"\d(?: \.)? {_JOIN} $")

_B, _E = r"(?<!\S)", r"(?!\S)"
FORMS = tuple(
    (name, re.compile(_B + pattern + _E))
    for name, pattern in (
        ("days_of", rf"(?:{_FROM} )?(?:the )?(?P<a>{_DAY})(?: of)? {_SHORT_TO} (?:the )?(?P<b>{_DAY}) (?:of )?"
                    rf"(?P<month>{MONTH})" + _YEAR.format("year")),
        ("month_days", rf"(?:{_FROM} )?(?P<month>{MONTH}) (?P<a>{_DAY}) {_SHORT_TO} (?:the )?(?P<b>{_DAY})"
                       rf"(?! (?:of|{MONTH})\b){_NOT_A_TIME}" + _YEAR.format("year")),
        ("range", rf"(?:{_FROM} |{_ON} )?(?P<a>{_Q}) {_TO} (?P<b>{_Q})"),
        ("range", rf"between (?P<a>{_Q}) and (?P<b>{_Q})"),
        ("weekend", r"(?:for |on |over |from )?(?P<which>this|next|the|the coming|this coming|the next|the following)"
                    r" (?P<long>long )?weekend(?! (?:of|trip|getaway))"),
        ("weekend", r"(?:for |on |over )?(?:the )?(?P<long>long )?weekend (?P<which>after next)"),
        ("weekend_of", rf"(?:for |on |over )?(?:the )?(?P<long>long )?weekend of (?P<a>{_Q})"),
        ("week", rf"(?:for |in |during )?(?P<which>this|next|the following|all of next) week(?! (?:, )?(?:(?:on|{_FROM}) )?{_WEEKDAY})"),
        ("week", r"(?:for |in |during )?(?:the )?week (?P<which>after next)"),
        ("week_from", r"(?:for |in |during )?(?<!\ba )(?<!\bone )(?<!\d )(?:the )?(?:week (?:commencing|beginning|starting)|w / c)"
                      rf"(?: on)? (?P<a>{_Q})"),
        ("in_week", rf"(?:for |in |during )?(?P<which>this|next|the following) week(?: ,)? {_FROM} (?P<a>{_WEEKDAY})"
                    rf"(?: {_SHORT_TO} (?P<b>{_WEEKDAY}))?"),
        ("week_of", rf"(?:for |in |during )?(?:the )?week of (?P<a>{_Q})"),
        ("holiday_week", rf"(?:for |in |during |over )?(?P<a>{_HOLIDAY})(?<!easter) week"),
        ("holiday_weekend", rf"(?:for |on |over )?(?:the )?(?P<a>{_HOLIDAY}|{MONTH} {_DAY}|{_NTH}(?: of)? {MONTH}) weekend"),
        ("over", r"(?:over|during) (?:the )?(?P<a>christmas|xmas|new year(?: ' s|s)?|thanksgiving|easter)"),
        ("over", r"(?:(?:for|in|on|over|during) )?(?:the )?(?P<a>christmas|xmas) (?:holidays?|break|vacation)"),
        ("length", rf"{_FOR}{_NO_MORE}"),
        ("length", rf"{NOT_A_STAY}(?P<length>{_BARE_LENGTH}){_NO_MORE}"),
        ("until", rf"{_UNTIL} (?P<a>{_Q})"),
        ("from", rf"{_FROM} (?P<a>{_Q})"),
        ("on", rf"{_ON} (?P<a>{_Q})"),
        ("on", rf"(?P<a>{_P})"),
    )
)  # fmt: skip
