"""Days that have a name every year, by what a line of folded words calls them.

What is another day elsewhere is left out: Labour Day, but not Labor Day, which only the United States
write so. Thanksgiving is theirs, Easter the western one.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

_MONDAY, _THURSDAY = 0, 3


def easter(year: int) -> date:
    """Easter Sunday, by the anonymous Gregorian algorithm (Nature, 20 April 1876, p. 487)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    p = (32 + 2 * e + 2 * i - h - k) % 7
    month, day = divmod(h + p - 7 * ((a + 11 * h + 22 * p) // 451) + 114, 31)
    return date(year, month, day + 1)


def _on(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _first(weekday: int, month: int, day: int = 1) -> Callable[[int], date]:
    """The first such weekday of the month that is not before a day of it."""

    def of(year: int) -> date:
        earliest = date(year, month, day)
        return earliest + timedelta(days=(weekday - earliest.weekday()) % 7)

    return of


def _beside_easter(days: int) -> Callable[[int], date]:
    return lambda year: easter(year) + timedelta(days=days)


_NAMES: dict[Callable[[int], date], str] = {
    _on(1, 1): "new year, new years, new year ' s, new years day, new year ' s day",
    _on(2, 14): "valentines day, valentine ' s day, valentines, valentine ' s",
    _first(_MONDAY, 2, 15): "presidents day, president ' s day, presidents ' day",
    _beside_easter(-2): "good friday",
    easter: "easter, easter sunday",
    _beside_easter(1): "easter monday",
    _first(_MONDAY, 5, 25): "memorial day, memorial day monday",
    _on(7, 4): "independence day",
    _first(_MONDAY, 9): "labor day, labor day monday",
    _first(_MONDAY, 10, 8): "canadian thanksgiving",
    _on(10, 31): "halloween",
    _first(_THURSDAY, 11, 22): "thanksgiving, thanksgiving day, thanksgiving thursday",
    _on(12, 24): "christmas eve, xmas eve",
    _on(12, 25): "christmas, christmas day, xmas, xmas day",
    _on(12, 26): "boxing day",
    _on(12, 31): "new years eve, new year ' s eve, nye",
}
HOLIDAYS: Mapping[str, Callable[[int], date]] = {
    name: day for day, names in _NAMES.items() for name in names.split(", ")
}
"""To each name, which day it is of a year."""
