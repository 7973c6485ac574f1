"""The generator: the same for the same seed and day, and such as a visitor would believe."""

import itertools
from collections import Counter, defaultdict
from datetime import date, timedelta
from statistics import median

import pytest

from listings.demo.generate import BATCH, REVIEWS_PER_VEHICLE, Ids, Marketplace
from listings.demo.hosts import draw
from listings.demo.models import MODELS
from listings.demo.rows import Batch, BookingRow, VehicleRow

TODAY = date(2026, 11, 23)
VEHICLES = BATCH + 500
IDS = Ids(renter=1, host=2, first_account=4, first_vehicle=1)


def generate(*, seed: int = 1, vehicles: int = VEHICLES, today: date = TODAY) -> list[Batch]:
    return list(Marketplace(vehicles=vehicles, seed=seed, today=today).batches(IDS))


def days(booking: BookingRow) -> tuple[date, date]:
    start, end = booking.during.removeprefix("[").removesuffix(")").split(",")
    return date.fromisoformat(start), date.fromisoformat(end)


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    return generate()


@pytest.fixture(scope="module")
def vehicles(batches: list[Batch]) -> list[VehicleRow]:
    return [vehicle for batch in batches for vehicle in batch.vehicles]


@pytest.fixture(scope="module")
def bookings(batches: list[Batch]) -> list[BookingRow]:
    return [booking for batch in batches for booking in batch.bookings]


def test_the_same_seed_and_day_give_the_same_rows(batches: list[Batch]) -> None:
    assert generate() == batches
    one = Marketplace(vehicles=50, seed=1, today=TODAY)
    other = Marketplace(vehicles=50, seed=1, today=TODAY)
    assert one.accounts(IDS) == other.accounts(IDS)


def test_another_seed_or_day_gives_other_rows() -> None:
    rows = generate(vehicles=20)
    assert generate(vehicles=20, seed=2) != rows
    assert generate(vehicles=20, today=TODAY + timedelta(days=1)) != rows


@pytest.mark.parametrize(
    "today", [date(2027, 1, 1), date(2027, 10, 1), date(2028, 2, 29), date(2040, 12, 31)]
)
def test_any_day_will_do(today: date) -> None:
    (batch,) = generate(vehicles=200, today=today)
    assert max(row.year for row in batch.vehicles) <= today.year
    assert max(row.listed_at for row in batch.vehicles) <= f"{today} 00:00+00"


def test_batches_are_whole_and_ids_follow_each_other(batches: list[Batch]) -> None:
    assert [len(batch.vehicles) for batch in batches] == [BATCH, 500]
    ids = [vehicle.id for batch in batches for vehicle in batch.vehicles]
    assert ids == list(range(1, VEHICLES + 1))
    for batch in batches:
        own = {vehicle.id for vehicle in batch.vehicles}
        assert {row.vehicle_id for row in batch.vehicle_features} <= own
        assert {row.vehicle_id for row in batch.reviews} <= own
        assert {row.vehicle_id for row in batch.bookings} <= own


@pytest.mark.parametrize("vehicles", [1, 2, 7, 300])
def test_any_size_has_reviews_in_proportion_and_no_account_twice(vehicles: int) -> None:
    marketplace = Marketplace(vehicles=vehicles, seed=5, today=TODAY)
    accounts = marketplace.accounts(IDS)
    assert len({row.id for row in accounts}) == len(accounts) == marketplace.account_count
    (batch,) = marketplace.batches(IDS)
    assert len(batch.reviews) == vehicles * REVIEWS_PER_VEHICLE
    known = {row.id for row in accounts} | {IDS.renter, IDS.host}
    assert {row.host_id for row in batch.vehicles} <= known
    assert {row.account_id for row in batch.reviews} <= known
    assert {row.renter_id for row in batch.bookings} <= known


def test_hosts_have_few_cars_and_businesses_many() -> None:
    from random import Random

    hosts, owners = draw(Random(1), 20_000)
    fleets = Counter(owners)
    assert len(owners) == 20_000
    assert 3 < len(owners) / len(hosts) < 5
    assert median(fleets.values()) <= 2
    assert max(fleets.values()) >= 30
    assert (hosts[0].name, fleets[0]) == ("Malia Kahale", 6)


def test_bookings_and_features_are_in_proportion(batches: list[Batch]) -> None:
    assert 1.8 < sum(len(batch.bookings) for batch in batches) / VEHICLES < 2.5
    assert 5.5 < sum(len(batch.vehicle_features) for batch in batches) / VEHICLES < 8


def test_a_car_is_a_model_that_was_built_that_year(vehicles: list[VehicleRow]) -> None:
    models = defaultdict(list)
    for model in MODELS:
        models[model.make, model.name, model.body].append(model)
    for vehicle in vehicles:
        assert any(
            model.first <= vehicle.year <= (model.last or TODAY.year)
            for model in models[vehicle.make, vehicle.model, vehicle.body]
        )
        assert vehicle.year <= int(vehicle.listed_at[:4]) + 1, "listed before it was built"


def test_rates_follow_class_age_and_place(vehicles: list[VehicleRow]) -> None:
    kinds = {(model.make, model.name, model.body, model.first): model for model in MODELS}
    kind = {(make, name, body): model.kind for (make, name, body, _), model in kinds.items()}

    def middle(**wanted: object) -> float:
        rates = [
            vehicle.daily_rate_cents
            for vehicle in vehicles
            if all(getattr(vehicle, field) == value for field, value in wanted.items())
        ]
        return median(rates)

    by_kind = defaultdict(list)
    for vehicle in vehicles:
        by_kind[kind[vehicle.make, vehicle.model, vehicle.body]].append(vehicle.daily_rate_cents)
    medians = {name: median(rates) for name, rates in by_kind.items()}
    assert medians["economy"] < medians["compact"] < medians["suv"] < medians["large suv"]
    assert 2_000 < medians["economy"] < 4_500
    assert medians["luxury"] > 3 * medians["economy"]
    assert middle(region="Hawaii", model="RAV4") > middle(region="Canary Islands", body="SUV")
    assert middle(model="Wrangler", year=2024) > middle(model="Wrangler", year=2014)
    assert min(vehicle.daily_rate_cents for vehicle in vehicles) >= 1_500


def test_reviews_are_skewed_and_later_than_the_listing(
    batches: list[Batch], vehicles: list[VehicleRow]
) -> None:
    listed = {vehicle.id: vehicle.listed_at for vehicle in vehicles}
    reviews = [review for batch in batches for review in batch.reviews]
    counts = Counter(review.vehicle_id for review in reviews)
    assert all(review.created_at >= listed[review.vehicle_id] for review in reviews)
    assert max(review.created_at for review in reviews) <= f"{TODAY} 00:00+00"
    assert max(counts.values()) >= 24
    assert 0.1 < 1 - len(counts) / VEHICLES < 0.4, "some cars have none"
    assert {review.rating for review in reviews} <= set(range(100, 501, 50))
    assert 430 < sum(review.rating for review in reviews) / len(reviews) < 480
    for vehicle in vehicles:
        assert vehicle.trips >= counts[vehicle.id]


def test_no_two_bookings_of_a_car_overlap(bookings: list[BookingRow]) -> None:
    calendar = defaultdict(list)
    for booking in bookings:
        calendar[booking.vehicle_id].append(days(booking))
    for rentals in calendar.values():
        rentals.sort()
        for (_, end), (start, _) in itertools.pairwise(rentals):
            assert end <= start


def test_bookings_lie_within_a_month_back_and_a_year_ahead(
    bookings: list[BookingRow], vehicles: list[VehicleRow]
) -> None:
    by_id = {vehicle.id: vehicle for vehicle in vehicles}
    for booking in bookings:
        vehicle = by_id[booking.vehicle_id]
        start, end = days(booking)
        assert TODAY - timedelta(days=30) <= start < end <= TODAY + timedelta(days=365)
        assert vehicle.min_days <= (end - start).days <= vehicle.max_days
        assert vehicle.listed_at <= booking.created_at <= f"{TODAY} 00:00+00"
        assert booking.created_at < f"{start} 24:00+00"
        assert vehicle.status == "listed" or end <= TODAY, "nobody can book what is not listed"


def test_a_booking_is_as_far_as_its_days(bookings: list[BookingRow]) -> None:
    seen = Counter(booking.status for booking in bookings)
    assert seen["confirmed"] > len(bookings) / 2
    assert min(seen[status] for status in ("held", "active", "completed", "cancelled")) > 0
    for booking in bookings:
        start, end = days(booking)
        if booking.status == "completed":
            assert end <= TODAY
        if booking.status == "active":
            assert start <= TODAY < end
        if booking.status in {"held", "confirmed"}:
            assert start > TODAY


def test_most_cars_are_listed_and_few_have_a_title_of_their_own(vehicles: list[VehicleRow]) -> None:
    status = Counter(vehicle.status for vehicle in vehicles)
    assert 0.93 < status["listed"] / VEHICLES < 0.98
    assert min(status["unlisted"], status["archived"]) > 0
    titled = sum(vehicle.title is not None for vehicle in vehicles)
    assert 0.08 < titled / VEHICLES < 0.2
    assert not any("{" in (vehicle.title or "") + vehicle.description for vehicle in vehicles)


def test_the_known_host_has_cars_that_the_known_renter_books() -> None:
    (batch,) = generate(vehicles=60)
    cars = {vehicle.id for vehicle in batch.vehicles if vehicle.host_id == IDS.host}
    assert len(cars) == 6
    assert any(row.vehicle_id in cars for row in batch.bookings if row.renter_id == IDS.renter)


def test_the_known_renter_has_just_brought_back_a_car_of_the_known_host() -> None:
    for seed in range(3):
        (batch,) = generate(vehicles=60, seed=seed)
        cars = {
            vehicle.id
            for vehicle in batch.vehicles
            if vehicle.host_id == IDS.host and vehicle.status == "listed"
        }
        status = [
            row.status
            for row in batch.bookings
            if row.renter_id == IDS.renter and row.vehicle_id in cars
            if days(row)[1] == TODAY - timedelta(days=2)
        ]
        assert "completed" in status
