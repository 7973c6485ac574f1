from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from bookings.errors import InvalidDatesError
from bookings.rules import earliest_start, obstacles, rental_days


def vehicle(**overrides):
    rules = {"time_zone": "UTC", "notice_days": 0, "min_days": 1, "max_days": 365}
    return SimpleNamespace(**rules | overrides)


def test_a_day_begins_where_the_vehicle_stands():
    now = datetime(2027, 5, 21, 5, tzinfo=UTC)
    assert earliest_start(vehicle(time_zone="Pacific/Honolulu"), now) == date(2027, 5, 20)
    assert earliest_start(vehicle(time_zone="Europe/Paris"), now) == date(2027, 5, 21)
    assert earliest_start(vehicle(time_zone="Pacific/Kiritimati"), now) == date(2027, 5, 21)


def test_notice_is_counted_from_that_day():
    now = datetime(2027, 5, 21, 5, tzinfo=UTC)
    there = vehicle(time_zone="Pacific/Honolulu", notice_days=2)
    assert earliest_start(there, now) == date(2027, 5, 22)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (date(2027, 6, 1), date(2027, 6, 1), "must be after start"),
        (date(2027, 6, 2), date(2027, 6, 1), "must be after start"),
        (date(2027, 6, 1), date(2028, 6, 1), "must be at most 365 days after start"),
    ],
)
def test_a_rental_has_one_to_365_days(start, end, message):
    with pytest.raises(InvalidDatesError) as refused:
        rental_days(start, end)
    assert refused.value.fields == [("end", message)]


def test_the_return_day_is_not_part_of_the_rental():
    assert rental_days(date(2027, 6, 1), date(2027, 6, 2)) == 1


def test_every_broken_rule_is_named_with_what_would_keep_it():
    now = datetime(2027, 5, 20, tzinfo=UTC)
    strict = vehicle(notice_days=1, min_days=3)
    found = obstacles(strict, date(2027, 5, 20), date(2027, 5, 22), now)
    assert [(each.reason, each.field, each.message) for each in found] == [
        ("too-soon", "start", "must be 2027-05-21 or later on the vehicle's calendar (UTC)"),
        ("too-short", "end", "must be at least 3 days after start for this vehicle"),
    ]


def test_the_longest_rental_of_a_vehicle_may_be_booked_and_no_longer():
    now = datetime(2027, 5, 20, tzinfo=UTC)
    week = vehicle(max_days=7)
    assert obstacles(week, date(2027, 6, 1), date(2027, 6, 8), now) == []
    (found,) = obstacles(week, date(2027, 6, 1), date(2027, 6, 9), now)
    assert found.reason == "too-long"
