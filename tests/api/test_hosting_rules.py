"""What the API takes of a host is what PostgreSQL takes; merge patches are RFC 7396's."""

from contextlib import suppress

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api import spelling
from api.merge_patch import merged
from api.schemas.hosting import VehicleIn, said
from bookings.hosting import Terms
from models import BOUNDS
from tests.factory import insert, store_account

LEAST = {"make": "Kia", "dailyRate": 5_000, "currency": "USD", "timeZone": "UTC"}
FIELDS = {
    "daily_rate_cents": "dailyRate",
    "cleaning_fee_cents": "cleaningFee",
    "mileage_km": "mileageKm",
    "weekly_discount_pct": "weeklyDiscountPct",
    "monthly_discount_pct": "monthlyDiscountPct",
    "min_days": "minDays",
    "max_days": "maxDays",
    "notice_days": "noticeDays",
}
PLACES = ("lat", "lon")


def described(column, value):
    if column in PLACES:
        return LEAST | {"location": dict.fromkeys(PLACES, 0) | {column: value}}
    return LEAST | {FIELDS.get(column, column): value}


def stored(conn, row):
    """Whether PostgreSQL takes a vehicle with these columns; nothing is left of it."""
    kept = False
    refused = (psycopg.errors.DataError, psycopg.errors.IntegrityError)
    with suppress(*refused), conn.transaction(force_rollback=True):
        host = store_account(conn, "host")
        insert(conn, "vehicles", {"host_id": host} | row)
        kept = True
    return kept


@pytest.mark.parametrize("column", BOUNDS)
@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("beyond", [False, True])
def test_the_bounds_of_a_number_are_those_of_its_column(conn, column, end, beyond):
    value = BOUNDS[column][end] + (beyond and (-1, 1)[end])
    terms = VehicleIn.model_validate(LEAST).terms().columns()
    position = {"lat": 0, "lon": 0} if column in PLACES else {}
    assert stored(conn, terms | position | {column: value}) is not beyond
    if beyond:
        with pytest.raises(ValidationError) as refused:
            VehicleIn.model_validate(described(column, value))
        (error,) = refused.value.errors()
        assert error["loc"][-1] in (FIELDS.get(column), column)
        assert str(BOUNDS[column][end]) in error["msg"]
    else:
        assert VehicleIn.model_validate(described(column, value))


# Mostly what people write, and now and then what no column takes.
PLAIN = st.sampled_from("ab c")
LETTERS = (
    st.sampled_from("aZé 3-'\N{RIGHT SINGLE QUOTATION MARK}ß漢\n\x00\x1b\ud800") | PLAIN | PLAIN
)
WORDS = st.sampled_from(["Kei", "Land Rover", "ID.4", "Citroën"])
TEXTS = st.none() | WORDS | WORDS | st.text(LETTERS, min_size=1, max_size=8)
NUMBERS = {
    FIELDS.get(column, column): st.integers(low, high)
    for column, (low, high) in BOUNDS.items()
    if column not in PLACES
}
MAYBE = NUMBERS | {
    "model": TEXTS,
    "title": TEXTS,
    "description": WORDS | WORDS | st.text(LETTERS, max_size=60),
    "features": st.lists(WORDS | st.text(LETTERS, min_size=1, max_size=5), max_size=4),
    "location": st.fixed_dictionaries(
        {"lat": st.floats(-90, 90), "lon": st.floats(-180, 180)},
        optional={"city": TEXTS, "region": TEXTS, "country": TEXTS},
    ),
}
VEHICLES = st.fixed_dictionaries(
    {
        "make": WORDS | WORDS | st.text(LETTERS, min_size=1, max_size=5),
        "dailyRate": NUMBERS["dailyRate"],
        "currency": st.sampled_from(["USD", "EUR", "CAD", "JPY", "usd"]),
        "timeZone": st.sampled_from(sorted(spelling._zones())),
    },
    optional={name: each for name, each in MAYBE.items() if name != "dailyRate"},
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(VEHICLES)
def test_whatever_is_taken_can_be_stored_and_says_the_same_again(conn, vehicle):
    try:
        taken = VehicleIn.model_validate(vehicle)
    except ValidationError:
        return
    terms = taken.terms()
    assert stored(conn, terms.columns())
    # What an edit starts from gives the same terms: a patch of nothing changes nothing.
    assert VehicleIn.model_validate(merged(said(terms), {})).terms() == terms


def test_most_of_these_are_taken():
    """Or the test above would assert nothing."""
    taken = 0

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(VEHICLES)
    def count(vehicle):
        nonlocal taken
        with suppress(ValidationError):
            VehicleIn.model_validate(vehicle)
            taken += 1

    count()
    assert taken > 45


def test_postgresql_knows_every_time_zone_that_is_taken(conn):
    (known,) = conn.execute("SELECT array_agg(name) FROM pg_timezone_names").fetchone()
    assert spelling._zones() - set(known) == set()


def test_all_that_a_host_says_can_be_said_in_a_patch():
    terms = VehicleIn.model_validate(LEAST).terms()
    assert said(terms).keys() == {
        field.alias or name for name, field in VehicleIn.model_fields.items()
    }
    assert isinstance(terms, Terms)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_the_rfc(target, patch, result):
    assert merged(target, patch) == result


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_a_patch_applied_twice_is_a_patch_applied_once(target, patch):
    once = merged(target, patch)
    assert merged(once, patch) == once


@given(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), st.sampled_from("abc"))
def test_a_patch_touches_only_what_it_names(target, name):
    result = merged(target, {name: None})
    assert result == {each: value for each, value in target.items() if each != name}
    assert merged(target, {}) == target
