"""A line in which no number and no day is said is not tried, and would have said nothing."""

import random
import re
from collections.abc import Iterable
from datetime import date

import pytest

from search.understand import date_patterns, dates, months, numbers
from search.understand.words import Line

TODAY = date(2026, 3, 10)
FORMS = [pattern.pattern for _, pattern in date_patterns.FORMS]
MONTHS = [pattern.pattern for pattern in (*months._FORMS, months._MONTH_ALONE)]
NUMBERS = [
    *(pattern.pattern for _, pattern in (*numbers._PRICES, *numbers._YEARS)),
    *(pattern.pattern for pattern in (numbers._SEATS, *numbers._RATINGS)),
]


def words_of(patterns: Iterable[str]) -> list[str]:
    """Every word, and beginning of one, that a pattern names."""
    return sorted({word for each in patterns for word in re.findall(r"[a-z]+", each)})


@pytest.mark.parametrize(
    ("said", "words", "signs"),
    [
        (date_patterns.SAID, words_of([*FORMS, *MONTHS]), ["-", ",", "'", "."]),
        (numbers.SAID, words_of(NUMBERS), ["$", "+", "★", "<", "-"]),
    ],
    ids=["days", "numbers"],
)
def test_what_is_not_tried_says_nothing(
    said: re.Pattern[str], words: list[str], signs: list[str]
) -> None:
    unsaid = [word for word in words if not said.search(word)]
    assert 50 < len(unsaid) < len(words)
    rng = random.Random(11)
    for _ in range(3000):
        line = Line(" ".join(rng.choices(unsaid + signs, k=rng.randint(1, 6))))
        assert not said.search(line.folded)
        if said is numbers.SAID:
            tried = [line.find(pattern) for _, pattern in (*numbers._PRICES, *numbers._YEARS)]
            tried += [line.find(pattern) for pattern in (numbers._SEATS, *numbers._RATINGS)]
            assert [found for each in tried for found in each] == [], line.text
        else:
            assert [*dates.find(line, TODAY), *months.find(line, TODAY, 3)] == [], line.text
