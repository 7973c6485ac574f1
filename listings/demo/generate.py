"""The demo marketplace as rows: pure, in batches, the same for the same seed and day.

A batch is drawn in two passes, because how often a car is reviewed depends on how long it has been
listed, and the reviews of a batch are dealt out among all its cars.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, product
from random import Random
from typing import Any, NamedTuple

from listings.demo import fleet, hosts, words
from listings.demo.calendar import DAY, Calendar
from listings.demo.history import SOURCE, Car, History
from listings.demo.places import CURRENCY
from listings.demo.rows import AccountRow, Batch, FeatureRow, VehicleRow
from models import Role, VehicleStatus

BATCH = 2_000
REVIEWS_PER_VEHICLE = 4
RENTERS_PER_VEHICLE = 1
_LISTED_DAYS = 3 * 365
_JOINED_DAYS = 2 * 365

Weighted = tuple[tuple[Any, int], ...]


class Choice(NamedTuple):
    """Every combination of independent options, so that one draw takes them all."""

    values: tuple[Any, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, *options: Weighted) -> "Choice":
        """The product of weighted options; a value is a tuple with one of each."""
        values, weights = [], []
        for combination in product(*options):
            values.append(tuple(value for value, _ in combination))
            weight = 1
            for _, share in combination:
                weight *= share
            weights.append(weight)
        return cls(tuple(values), tuple(accumulate(weights)))

    def draw(self, rng: Random) -> Any:
        """One combination."""
        return rng.choices(self.values, cum_weights=self.weights)[0]


# (weekly, monthly) percent; cleaning fee in cents; instant booking.
_MONEY = Choice.of(
    (
        ((0, 0), 24), ((0, 10), 6), ((5, 10), 10), ((5, 20), 8), ((10, 15), 10), ((10, 20), 12),
        ((10, 30), 10), ((15, 25), 8), ((15, 35), 6), ((20, 40), 6),
    ),
    ((0, 42), (1_000, 12), (1_500, 12), (2_000, 14), (2_500, 10), (3_500, 6), (5_000, 4)),
    ((True, 64), (False, 36)),
)  # fmt: skip
# Days: at least, at most, of notice; then the status.
_TERMS = Choice.of(
    ((1, 54), (2, 22), (3, 17), (5, 4), (7, 3)),
    ((30, 35), (60, 15), (90, 20), (365, 30)),
    ((0, 26), (1, 44), (2, 20), (3, 8), (7, 2)),
    ((VehicleStatus.LISTED, 960), (VehicleStatus.UNLISTED, 25), (VehicleStatus.ARCHIVED, 15)),
)
_DEAR_TO_CLEAN = frozenset({"luxury", "large suv", "minivan", "van", "classic"})
_OWN_TITLE = 0.13
# What costs much to bring to an island is not cheap on the cheap ones.
_IMPORTED = frozenset({"premium", "luxury", "sports", "classic", "electric"})
_DEAR_ANYWHERE = 0.9


@dataclass(frozen=True)
class Ids:
    """Ids that are kept free for the demo: of the known people, and the first of the others."""

    renter: int
    host: int
    first_account: int
    first_vehicle: int


class Marketplace:
    """`vehicles` cars with their hosts and renters as of `today`, drawn from `seed`."""

    def __init__(self, *, vehicles: int, seed: int, today: date) -> None:
        self._rng = Random(f"{seed}/{vehicles}/{today}")  # noqa: S311 - has to be repeatable
        self._account_rng = Random(self._rng.random())  # noqa: S311 - so that each may be left out
        self.vehicles = vehicles
        self.renters = vehicles * RENTERS_PER_VEHICLE
        self.hosts, self._owners = hosts.draw(self._rng, vehicles)
        self._today = today
        self._calendar = Calendar(today)

    @property
    def opened_at(self) -> str:
        """When the known people joined, before everybody else."""
        return self._calendar.moment((_LISTED_DAYS + _JOINED_DAYS) * DAY)

    @property
    def account_count(self) -> int:
        """How many accounts the demo needs beside the known people."""
        return len(self.hosts) - 1 + self.renters - 1

    def accounts(self, ids: Ids) -> list[AccountRow]:
        """Hosts, then renters, without the known people; all joined before the first listing."""
        rng = self._account_rng
        names = [(host.name, Role.HOST) for host in self.hosts[1:]]
        names += [(hosts.person_name(rng), Role.RENTER) for _ in range(self.renters - 1)]
        return [
            AccountRow(
                id=number,
                display_name=name,
                role=role,
                created_at=self._calendar.moment(
                    int((_LISTED_DAYS + _JOINED_DAYS * rng.random()) * DAY)
                ),
            )
            for number, (name, role) in enumerate(names, ids.first_account)
        ]

    def batches(self, ids: Ids) -> Iterator[Batch]:
        """All vehicles with what hangs on them, `BATCH` at a time; to be asked for once."""
        first_renter = ids.first_account + len(self.hosts) - 1
        renters = [ids.renter, *range(first_renter, first_renter + self.renters - 1)]
        history = History(self._rng, self._calendar, renters)
        for start in range(0, self.vehicles, BATCH):
            owners = self._owners[start : start + BATCH]
            yield self._batch(ids, history, ids.first_vehicle + start, owners)

    def _batch(self, ids: Ids, history: History, first_id: int, owners: list[int]) -> Batch:
        rng = self._rng
        cars = [self._car(ids, number, owner) for number, owner in enumerate(owners, first_id)]
        reviewed = Counter(
            rng.choices(
                range(len(cars)),
                cum_weights=list(accumulate(car.popularity * car.listed_ago for car in cars)),
                k=len(cars) * REVIEWS_PER_VEHICLE,
            )
        )
        batch = Batch([], [], [], [])
        for index, car in enumerate(cars):
            vehicle = self._vehicle(car, reviews=reviewed[index])
            batch.vehicles.append(vehicle)
            batch.vehicle_features.extend(
                FeatureRow(vehicle.id, feature)
                for feature, share in car.variant.features
                if rng.random() < share
            )
            batch.reviews.extend(history.reviews(car, reviewed[index]))
            batch.bookings.extend(
                history.bookings(car, vehicle, known_renter=vehicle.host_id == ids.host)
            )
        return batch

    def _car(self, ids: Ids, number: int, owner: int) -> Car:
        rng = self._rng
        host = self.hosts[owner]
        offer = fleet.offer(host.island.region.market, self._today.year)
        variant = rng.choices(offer.variants, cum_weights=offer.weights)[0]
        # Next year's models arrive in October.
        built = (self._today - date(variant.year - 1, 10, 1)).days
        seconds = int(rng.random() * min(_LISTED_DAYS, built) * DAY)
        return Car(
            id=number,
            host_id=ids.host if owner == 0 else ids.first_account + owner - 1,
            host=host,
            variant=variant,
            listed_at=self._calendar.moment(seconds),
            listed_ago=seconds,
            popularity=rng.lognormvariate(0, 0.75),
        )

    def _vehicle(self, car: Car, *, reviews: int) -> VehicleRow:
        rng = self._rng
        model = car.variant.model
        (weekly, monthly), cleaning, instant = _MONEY.draw(rng)
        min_days, max_days, notice, status = _TERMS.draw(rng)
        lat, lon = car.host.town.around(rng.random(), rng.random())
        region = car.host.island.region
        return VehicleRow(
            id=car.id,
            host_id=car.host_id,
            source=SOURCE,
            status=status,
            make=model.make,
            model=model.name,
            year=car.variant.year,
            title=_title(rng, car) if rng.random() < _OWN_TITLE else None,
            description=_description(rng, car),
            body=model.body,
            fuel=car.variant.fuel,
            transmission=car.variant.transmission,
            seats=model.seats,
            doors=model.doors,
            mileage_km=_mileage(rng, car.variant),
            daily_rate_cents=_rate(rng, car),
            currency=CURRENCY,
            weekly_discount_pct=weekly,
            monthly_discount_pct=monthly,
            cleaning_fee_cents=cleaning * (2 if model.kind in _DEAR_TO_CLEAN else 1),
            min_days=min_days,
            max_days=max_days,
            notice_days=notice,
            instant_book=instant,
            lat=lat,
            lon=lon,
            city=car.host.town.name,
            region=region.name,
            country=region.country,
            time_zone=region.time_zone,
            trips=int(reviews * (1.2 + 1.3 * rng.random())),
            listed_at=car.listed_at,
            created_at=car.listed_at,
        )


def _rate(rng: Random, car: Car) -> int:
    """USD cents a day, as round as hosts make them: to the dollar, 5, or just below it."""
    region, kind = car.host.island.region, car.variant.model.kind
    season = 1.1 if int(car.listed_at[5:7]) in region.season else 0.97
    dollars = car.variant.rate_cents / 100
    place = max(_DEAR_ANYWHERE, region.price) if kind in _IMPORTED else region.price
    dollars *= place * car.host.price * season * rng.gauss(1, 0.07)
    habit = rng.random()
    if habit < 0.3:  # noqa: PLR2004 - three in ten
        return max(15, 5 * round(dollars / 5)) * 100
    if habit < 0.55:  # noqa: PLR2004 - and a quarter
        return max(15, 5 * round(dollars / 5) - 1) * 100
    return max(15, round(dollars)) * 100


def _mileage(rng: Random, variant: fleet.Variant) -> int:
    if variant.model.kind == "classic":
        return int(40_000 + 140_000 * rng.random())
    years = variant.age + 0.2 + 0.8 * rng.random()
    return int(years * 14_000 * max(0.3, rng.gauss(1, 0.3)) / (1 + years / 30))


def _title(rng: Random, car: Car) -> str:
    texts = words.phrases(words.TITLES, car.variant.model.kind)
    return texts[int(rng.random() * len(texts))].format_map(car.words(rng))


def _description(rng: Random, car: Car) -> str:
    """One to four sentences: the car, a sight, and up to two on how it is handed over."""
    texts = words.phrases(words.CAR_SENTENCES, car.variant.model.kind)
    length = rng.random()
    text = texts[int(rng.random() * len(texts))]
    handover = int(rng.random() * len(words.HANDOVER_SENTENCES))
    if length > 0.12:  # noqa: PLR2004 - the shares of the lengths
        text += " " + words.SIGHT_SENTENCES[int(rng.random() * len(words.SIGHT_SENTENCES))]
    if length > 0.45:  # noqa: PLR2004
        text += " " + words.HANDOVER_SENTENCES[handover]
    if length > 0.85:  # noqa: PLR2004
        text += " " + words.HANDOVER_SENTENCES[handover - 4]
    return text.format_map(car.words(rng))
