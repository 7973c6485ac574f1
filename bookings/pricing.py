"""What a rental costs, line by line, in integer cents.

The total is a function of the vehicle and the number of days only. The SQL function
`rental_total_cents` computes the same sum for the search index; a property test holds the two to
each other, so a change here is a migration there.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

WEEKLY_FROM_DAYS = 7
MONTHLY_FROM_DAYS = 28
SERVICE_FEE_PCT = 10
# What `bookings.total_cents` and the SQL function can hold.
LARGEST_TOTAL_CENTS = 2**31 - 1


class LineCode(StrEnum):
    """What a line of a quote is for."""

    RENTAL = "rental"
    WEEKLY_DISCOUNT = "weekly-discount"
    MONTHLY_DISCOUNT = "monthly-discount"
    CLEANING_FEE = "cleaning-fee"
    SERVICE_FEE = "service-fee"


@dataclass(frozen=True, slots=True)
class RateTerms:
    """What a host asks: cents of the vehicle's currency, whole percent."""

    daily_rate_cents: int
    weekly_discount_pct: int = 0
    monthly_discount_pct: int = 0
    cleaning_fee_cents: int = 0


class Line(NamedTuple):
    """One line of a quote; discounts are negative."""

    code: LineCode
    label: str
    cents: int


class Quote(NamedTuple):
    """Lines that are not zero, in the order in which they are added up, and their sum."""

    lines: tuple[Line, ...]
    total_cents: int


def quote(terms: RateTerms, days: int) -> Quote:
    """The price of `days` days, at least 1.

    Percentages are rounded to the nearest cent, a half up. The service fee is on the rental after
    its discount, not on the cleaning.
    """
    rental = terms.daily_rate_cents * days
    discount_code, pct = _discount(terms, days)
    discount = _percent(rental, pct)
    lines = (
        Line(LineCode.RENTAL, f"{days} day{'s' if days > 1 else ''}", rental),
        Line(discount_code, f"{pct} % off", -discount),
        Line(LineCode.CLEANING_FEE, "Cleaning", terms.cleaning_fee_cents),
        Line(LineCode.SERVICE_FEE, "Service fee", _percent(rental - discount, SERVICE_FEE_PCT)),
    )
    return Quote(tuple(line for line in lines if line.cents), sum(line.cents for line in lines))


def _discount(terms: RateTerms, days: int) -> tuple[LineCode, int]:
    if days >= MONTHLY_FROM_DAYS:
        return LineCode.MONTHLY_DISCOUNT, terms.monthly_discount_pct
    return LineCode.WEEKLY_DISCOUNT, terms.weekly_discount_pct if days >= WEEKLY_FROM_DAYS else 0


def _percent(cents: int, pct: int) -> int:
    return (cents * pct + 50) // 100
