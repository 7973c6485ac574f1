"""What has happened to a car and what will: its reviews and its bookings."""

from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import NamedTuple

from listings.demo.calendar import AHEAD_DAYS, DAY, PAST_DAYS, Calendar
from listings.demo.fleet import Variant
from listings.demo.hosts import Host
from listings.demo.places import CURRENCY
from listings.demo.rows import BookingRow, ReviewRow, VehicleRow
from listings.demo.words import REVIEWS
from models import BookingStatus, VehicleStatus

SOURCE = "demo"

_RATINGS = (500, 450, 400, 350, 300, 250, 200, 150, 100)
_BY_TIER = tuple(
    tuple(accumulate(weights))
    for weights in (
        (80, 9, 7, 1, 1.4, 0.3, 0.7, 0.1, 0.5),
        (62, 12, 16, 3, 3.5, 0.7, 1.2, 0.3, 1.3),
        (38, 10, 25, 6, 10, 2, 4, 1, 4),
        (18, 6, 22, 8, 18, 5, 10, 3, 10),
    )
)
_WORDLESS = 0.12
_CLOSING = 0.6

_LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 14, 21, 28, 30)
_LENGTH_WEIGHTS = tuple(accumulate((6, 11, 16, 14, 12, 8, 15, 4, 6, 5, 2, 1, 1)))
_JUST_OVER = -2  # days from today, well within those in which a rental can be reviewed
_GAP_DAYS = 80  # between two rentals of a car of median popularity, around today

# Outcomes with the upper bound of their share of [0, 1).
_PAST = (
    (BookingStatus.COMPLETED, 0.88),
    (BookingStatus.CANCELLED, 0.97),
    (BookingStatus.DECLINED, 1.0),
)
_AHEAD = (
    (BookingStatus.CONFIRMED, 0.9),
    (BookingStatus.CANCELLED, 0.96),
    (BookingStatus.HELD, 0.98),
    (BookingStatus.EXPIRED, 1.0),
)


class Car(NamedTuple):
    """A car before its row is drawn.

    `listed_at` is a moment's text and `listed_ago` the seconds from then to today; `popularity`
    has median 1.
    """

    id: int
    host_id: int
    host: Host
    variant: Variant
    listed_at: str
    listed_ago: int
    popularity: float

    def words(self, rng: Random) -> dict[str, str]:
        """What the templates of `words` may mention, one sight among them."""
        model, island = self.variant.model, self.host.island
        return {
            "car": f"{model.make} {model.name}",
            "model": model.name,
            "city": self.host.town.name,
            "island": island.name,
            "sight": island.sights[int(rng.random() * len(island.sights))],
        }


def total_cents(vehicle: VehicleRow, days: int) -> int:
    """The all-in total, as the SQL function `rental_total_cents` has it (a test compares them)."""
    rental = vehicle.daily_rate_cents * days
    percent = 0
    if days >= 28:  # noqa: PLR2004 - a month in the tariff
        percent = vehicle.monthly_discount_pct
    elif days >= 7:  # noqa: PLR2004 - a week
        percent = vehicle.weekly_discount_pct
    base = rental - (rental * percent + 50) // 100
    return base + vehicle.cleaning_fee_cents + (base * 10 + 50) // 100


def _outcome(outcomes: tuple[tuple[BookingStatus, float], ...], luck: float) -> BookingStatus:
    return next(status for status, bound in outcomes if luck < bound)


class History:
    """Draws reviews and bookings by `renters` (account ids), the known renter first."""

    def __init__(self, rng: Random, calendar: Calendar, renters: list[int]) -> None:
        self._rng = rng
        self._calendar = calendar
        self._renters = renters
        self._has_been_away = False

    def reviews(self, car: Car, count: int) -> Iterator[ReviewRow]:
        """`count` reviews written since the car was listed."""
        rng = self._rng
        if not count:
            return
        context = car.words(rng)
        for rating in rng.choices(_RATINGS, cum_weights=_BY_TIER[car.host.tier], k=count):
            title, body = "", ""
            if rng.random() > _WORDLESS:
                titles, openings, closings = REVIEWS[rating // 100]
                title = titles[int(rng.random() * len(titles))].format_map(context)
                body = openings[int(rng.random() * len(openings))]
                if rng.random() < _CLOSING:
                    body += " " + closings[int(rng.random() * len(closings))]
                body = body.format_map(context)
            yield ReviewRow(
                vehicle_id=car.id,
                account_id=self._renter(),
                source=SOURCE,
                rating=rating,
                title=title,
                body=body,
                created_at=self._calendar.moment(int(rng.random() * car.listed_ago)),
            )

    def bookings(
        self, car: Car, vehicle: VehicleRow, *, known_renter: bool
    ) -> Iterator[BookingRow]:
        """Rentals one after another, dense now and sparse a year ahead.

        A car that cannot be found takes no new ones. `known_renter` gives the first to the known
        renter, and before that, of one car in all, one that is just over and can be reviewed.
        """
        rng = self._rng
        last = AHEAD_DAYS if vehicle.status == VehicleStatus.LISTED else 0
        gap = _GAP_DAYS / min(3.0, max(0.4, car.popularity))
        first = 1 - min(PAST_DAYS, car.listed_ago // DAY)
        began = _JUST_OVER - vehicle.min_days
        if known_renter and last and first <= began and not self._has_been_away:
            self._has_been_away = True
            first = _JUST_OVER
            trip = self._booking(car, vehicle, self._renters[0], began, first)
            yield trip._replace(status=BookingStatus.COMPLETED)
        start = first + int(rng.expovariate(1) * gap)
        while True:
            length = rng.choices(_LENGTHS, cum_weights=_LENGTH_WEIGHTS)[0]
            end = start + max(vehicle.min_days, length)
            if end > last:
                return
            renter = self._renters[0] if known_renter else self._renter()
            known_renter = False
            yield self._booking(car, vehicle, renter, start, end)
            start = end + int(rng.expovariate(1) * gap * (1 + max(0, end) / 15))

    def _booking(
        self, car: Car, vehicle: VehicleRow, renter: int, start: int, end: int
    ) -> BookingRow:
        """The booking over [start, end), in days from today."""
        rng = self._rng
        luck = rng.random()
        if end <= 0:
            status = _outcome(_PAST, luck)
        elif start > 0:
            status = _outcome(_AHEAD, luck)
        else:
            status = BookingStatus.ACTIVE
        lead = max(0, -start) * DAY + int(rng.expovariate(1 / 20) * DAY)
        created_at = self._calendar.moment(min(car.listed_ago, lead))
        return BookingRow(
            vehicle_id=car.id,
            renter_id=renter,
            during=f"[{self._calendar.day(start)},{self._calendar.day(end)})",
            status=status,
            total_cents=total_cents(vehicle, end - start),
            currency=CURRENCY,
            created_at=created_at,
            updated_at=created_at,
            # As long as a host may take to answer, or all would be gone at once.
            expires_at=self._calendar.moment(-DAY) if status == BookingStatus.HELD else None,
        )

    def _renter(self) -> int:
        return self._renters[int(self._rng.random() * len(self._renters))]
