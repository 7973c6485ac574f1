"""Free text becomes filters: what is understood, and what stays text."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.query.body import build
from search.request import SearchRequest
from search.understand.apply import apply
from search.understand.reader import rest, understand
from search.understand.reading import KINDS
from search.understand.vocabulary import EMPTY
from tests.search.understand.labelled import cases
from tests.search.understand.names import vocabulary

NAMES = vocabulary()
TODAY = date(2027, 2, 24)
NOW = datetime(2027, 2, 24, 12, tzinfo=UTC)


def read(text: str, **more: Any) -> dict[str, Any]:
    """All parameters that the text stands for, values of several readings together."""
    together: dict[str, Any] = {}
    for reading in understand(text, NAMES, TODAY, **more):
        for name, value in reading.parameters.items():
            together[name] = together.get(name, []) + value if isinstance(value, list) else value
    return together


def test_a_sentence_becomes_filters_with_the_words_they_came_from() -> None:
    text = "7 seater under $80 a day near Hilo next weekend"
    readings = understand(text, NAMES, TODAY)
    assert [(each.kind, each.words, dict(each.parameters)) for each in readings] == [
        ("seats", "7 seater", {"seatsMin": 7}),
        ("price", "under $80 a day", {"priceMax": 8000}),
        ("place", "near Hilo", {"lat": 19.7, "lon": -155.1, "radiusKm": 30}),
        ("dates", "next weekend", {"start": "2027-03-06", "end": "2027-03-08"}),
    ]
    assert all(text[each.start : each.end] == each.words for each in readings)
    assert rest(text, readings) is None


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("f150", {"model": ["F-150"]}),
        ("F-150", {"model": ["F-150"]}),
        ("f 150", {"model": ["F-150"]}),
        ("cx5", {"model": ["CX-5"]}),
        ("mazda 3", {"model": ["Mazda3"]}),
        ("3 series", {"model": ["3 Series"]}),
        ("CITROEN c3", {"make": ["Citroën"], "model": ["C3"]}),
        ("vw golf", {"make": ["Volkswagen"], "model": ["Golf"]}),
        ("merc a class", {"make": ["Mercedes-Benz"], "model": ["A-Class"]}),
        ("teslas", {"make": ["Tesla"]}),
        ("jeep or toyota", {"make": ["Jeep", "Toyota"]}),
        ("gas suv", {"fuel": ["Petrol"], "body": ["SUV"]}),
        ("auto", {"transmission": ["Automatic"]}),
        ("with android auto", {"features": ["Android Auto"]}),
        ("a/c and child seats", {"features": ["Air conditioning", "Child seat"]}),
        ("heated seat", {"features": ["Heated seats"]}),
        ("mini-van", {"body": ["Minivan"]}),
        ("miata", {"model": ["MX-5"]}),
        ("plug-in hybrid", {"fuel": ["Hybrid"]}),
        ("reverse camera, leather interior, panoramic roof", {
            "features": ["Backup camera", "Leather seats", "Sunroof"],
        }),
        # A model's name inside another model's: both are meant.
        ("mustang", {"model": ["Mustang", "Mustang Mach-E"]}),
        ("fiat 500", {"make": ["Fiat"], "model": ["500", "Nuova 500"]}),
    ],
)  # fmt: skip
def test_names_as_people_write_them(text: str, parameters: dict[str, Any]) -> None:
    assert read(text) == parameters


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("santa fe", {}),
        ("hyundai santa fe", {"make": ["Hyundai"], "model": ["Santa Fe"]}),
        ("cars in santa fe", {"city": ["Santa Fe"]}),
        ("hyundai santa fe in santa fe", {
            "make": ["Hyundai"], "model": ["Santa Fe"], "city": ["Santa Fe"],
        }),
        ("kona", {}),  # also in Kailua-Kona
        ("hyundai kona", {"make": ["Hyundai"], "model": ["Kona"]}),
        ("ibiza", {}),
        ("seat ibiza", {"make": ["SEAT"], "model": ["Ibiza"]}),
        ("fit", {}),
        ("honda fit", {"make": ["Honda"], "model": ["Fit"]}),
        ("500", {}),
        ("golf clubs", {}),
        ("pickup in Hilo", {"city": ["Hilo"]}),
        ("pick up a jeep", {"make": ["Jeep"]}),
        ("toyota pickup", {"make": ["Toyota"], "body": ["Pickup"]}),
        ("nissan march", {"make": ["Nissan"], "model": ["March"]}),
        ("which model", {}),  # not the Model S
        ("jeep cheap on gas", {"make": ["Jeep"]}),
        ("good gas saver", {}),
        ("gas jeep", {"make": ["Jeep"], "fuel": ["Petrol"]}),
        ("jeep with electric windows", {"make": ["Jeep"]}),
        ("electric seats and mirrors", {}),
        ("electric car", {"fuel": ["Electric"]}),
        ("models", {}),
        ("tesla models", {"make": ["Tesla"]}),
        ("type 2", {}),
        ("vw type 2", {"make": ["Volkswagen"], "model": ["Type 2"]}),
        ("electric with type 2 cable", {"fuel": ["Electric"], "features": ["Charging cable"]}),
        ("type 2 charger", {}),
        ("2019 civic", {"model": ["Civic"]}),  # the year is in the name, where text finds it
        ("Washington", {}),  # a city and, elsewhere, a state
    ],
)  # fmt: skip
def test_what_its_neighbours_do_not_decide_stays_text(
    text: str, parameters: dict[str, Any]
) -> None:
    assert read(text) == parameters


@pytest.mark.parametrize(
    ("text", "parameters", "remains"),
    [
        ("not a tesla", {}, None),
        ("no suv", {}, None),
        ("non-electric", {}, None),
        ("anything but a toyota", {}, None),
        ("all makes but tesla", {}, "makes"),
        ("anything other than a jeep", {}, None),
        ("don't want a toyota", {}, None),
        ("I don\u2019t want a big toyota", {}, None),
        ("I don't need a child seat", {}, None),
        ("no electric cars please", {}, None),
        ("not only jeeps", {}, None),
        ("jeep, no compass", {"make": ["Jeep"]}, None),
        ("jeep not in hilo", {"make": ["Jeep"]}, None),
        ("no jeep in hilo", {"city": ["Hilo"]}, None),
        ("not in Portland, OR", {}, None),
        ("not tesla suv in hawaii", {"region": ["Hawaii"]}, None),
        ("no tesla or jeep, automatic", {"transmission": ["Automatic"]}, None),
        ("no tesla and automatic", {"transmission": ["Automatic"]}, None),
        ("not automatic but manual", {"transmission": ["Manual"]}, None),
        # Nothing denied: "no" has a word of its own, "but" denies only of all.
        ("no smoking suv", {"body": ["SUV"]}, "no smoking"),
        ("not expensive suv", {"body": ["SUV"]}, "not expensive"),
        ("small but automatic", {"transmission": ["Automatic"]}, "small"),
        ("no 500", {}, "no 500"),
    ],
)
def test_what_is_denied_is_neither_a_filter_nor_text(
    text: str, parameters: dict[str, Any], remains: str | None
) -> None:
    assert read(text) == parameters
    assert rest(text, understand(text, NAMES, TODAY)) == remains


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("in Hilo", {"city": ["Hilo"]}),
        ("hilo hawaii", {"city": ["Hilo"], "region": ["Hawaii"]}),
        ("Portland, OR", {"city": ["Portland"], "region": ["Oregon"]}),
        ("portland or hilo", {"city": ["Portland", "Hilo"]}),
        ("kailua kona", {"city": ["Kailua-Kona"]}),
        ("near hawaii", {"region": ["Hawaii"]}),
        ("hawaii island", {"region": ["Hawaii"]}),
        ("within 10 miles of hilo", {"lat": 19.7, "lon": -155.1, "radiusKm": 16.1}),
        ("10 km from Hilo", {"lat": 19.7, "lon": -155.1, "radiusKm": 10}),
        ("less than 5 kilometres from hilo", {"lat": 19.7, "lon": -155.1, "radiusKm": 5}),
        ("within 0 km of hilo", {"city": ["Hilo"]}),
        ("within 10 miles of portland", {"city": ["Portland"]}),  # two of them
        ("at hilo airport", {"city": ["Hilo"]}),
        ("near Hilo International Airport", {"lat": 19.7, "lon": -155.1, "radiusKm": 30}),
        ("kona airport", {"city": ["Kailua-Kona"]}),
        ("hilo airport or kona airport", {"city": ["Hilo", "Kailua-Kona"]}),
        ("near Portland", {"city": ["Portland"]}),  # two of them: no point to be near to
        ("mahebourg", {"city": ["Mahébourg"]}),
        ("mauritius", {"country": ["Mauritius"]}),  # the country holds the region
        ("palma de mallorca", {"city": ["Palma"]}),
        ("palma, mallorca", {"city": ["Palma"], "region": ["Balearic Islands"]}),
        ("car in ibiza", {"city": ["Ibiza Town"]}),
        ("near ibiza", {"lat": 38.9, "lon": 1.4, "radiusKm": 30}),
        # A place beside a place.
        ("hilo and kona", {"city": ["Hilo", "Kailua-Kona"]}),
        ("hilo, kona", {"city": ["Hilo", "Kailua-Kona"]}),
        ("near hilo or kona", {"lat": 19.6, "lon": -156.0, "radiusKm": 30}),
        (
            "hilo, hyundai kona",
            {
                "city": ["Hilo"],
                "make": ["Hyundai"],
                "model": ["Kona"],
            },
        ),
        ("not hilo, kona", {}),
        ("NYC", {"city": ["New York"]}),
        ("new york", {"region": ["New York"]}),  # which holds the city
    ],
)
def test_places(text: str, parameters: dict[str, Any]) -> None:
    assert read(text) == parameters


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("under $80", {"priceMax": 8000}),
        ("less than 80 dollars a day", {"priceMax": 8000}),
        ("max 1,200 €", {"priceMax": 120_000}),
        ("about 100", {"priceMin": 8000, "priceMax": 12_000}),
        ("$50-$80", {"priceMin": 5000, "priceMax": 8000}),
        ("between 50 and 80 dollars", {"priceMin": 5000, "priceMax": 8000}),
        ("over $50", {"priceMin": 5000}),
        ("80 a day", {"priceMax": 8000}),
        ("price under 80", {"priceMax": 8000}),
        ("daily rate under 70", {"priceMax": 7000}),
        ("max budget 100", {"priceMax": 10_000}),
        ("maximum price: $100", {"priceMax": 10_000}),
        ("price must be under 80", {"priceMax": 8000}),
        ("price: $50-$100", {"priceMin": 5000, "priceMax": 10_000}),
        ("prices from 30 to 50", {"priceMin": 3000, "priceMax": 5000}),
        ("price range 30-50", {"priceMin": 3000, "priceMax": 5000}),
        ("max. 50 €", {"priceMax": 5000}),
        ("$50 per day or less", {"priceMax": 5000}),
        ("$50 a day or more", {"priceMin": 5000}),
        ("under USD 80", {"priceMax": 8000}),
        ("EUR 50 a day", {"priceMax": 5000}),
        ("rate 4.5", {}),  # of stars, perhaps
        ("between 30 and 50", {}),
        # What is denied is the opposite limit.
        ("no less than 50", {"priceMin": 5000}),
        ("not under 50", {"priceMin": 5000}),
        ("not more than 60", {"priceMax": 6000}),
        ("not over $60", {"priceMax": 6000}),
        ("I don't want to pay more than 60", {"priceMax": 6000}),
        ("no $50 deposit", {}),
        # A week is seven days and a month thirty, whole cents inwards.
        ("under $500 a week", {"priceMax": 7142}),
        ("over $500 weekly", {"priceMin": 7143}),
        ("$350/week", {"priceMax": 5000}),
        ("$1000 a month", {"priceMax": 3333}),
        ("under 350 a week from dec 20 to dec 27", {
            "priceMax": 5000, "start": "2027-12-20", "end": "2027-12-27",
        }),
        # A day's: so it hides nothing that either meaning would find.
        ("under $300 for the weekend", {
            "priceMax": 30_000, "start": "2027-02-27", "end": "2027-03-01",
        }),
        ("driver under 25", {}),
        ("drivers over 21", {}),
        ("must be at least 21", {}),
        ("I'm under 25", {}),
        ("range over 400", {}),
        ("over 100 reviews", {}),
        ("more than 50 trips", {}),
        ("over 300 horsepower", {}),
        ("at least 500 litre trunk", {}),
        ("over 20 inch wheels", {}),
        ("around 3:30", {}),
        ("about 100 km", {}),
        ("under $500 total", {}),
        ("2019 or newer", {"yearMin": 2019}),
        ("2019+", {"yearMin": 2019}),
        ("newer than 2018", {"yearMin": 2019}),
        ("before 2015", {"yearMax": 2014}),
        ("not before 2015", {"yearMin": 2015}),
        ("not after 2018", {"yearMax": 2018}),
        ("not between 2015 and 2018", {}),
        ("2015-2020", {"yearMin": 2015, "yearMax": 2020}),
        ("under 2015", {}),
        ("4.5 stars or better", {"ratingMin": 4.5}),
        ("rated 4.8", {"ratingMin": 4.8}),
        ("minimum rating 4.5", {"ratingMin": 4.5}),
        ("better than 4.5 stars", {"ratingMin": 4.5}),
        ("not under 4 stars", {"ratingMin": 4.0}),
        ("under 4 stars", {}),
        ("five stars", {"ratingMin": 5.0}),
        ("4.8/5 stars", {"ratingMin": 4.8}),
        ("4.8/5", {"ratingMin": 4.8}),
        ("rated 5/5", {"ratingMin": 5.0}),
        ("4.5 out of 5", {"ratingMin": 4.5}),
        ("at least 4 stars", {"ratingMin": 4.0}),
        ("7-seater", {"seatsMin": 7}),
        ("seven seats", {"seatsMin": 7}),
        ("for 5 people", {"seatsMin": 5}),
        ("at least 7 seats", {"seatsMin": 7}),
        ("no less than 5 seats", {"seatsMin": 5}),
        ("more than 5 seats", {"seatsMin": 6}),
        ("for more than 5 people", {"seatsMin": 6}),
        ("max 5 people", {"seatsMin": 5}),
        ("max 5 seats", {}),  # no filter for the most of them
        ("not more than 4 seats", {}),
        ("no 7 seater", {}),
        ("4 adults and 2 kids", {"seatsMin": 6}),
        ("2 adults, 1 child seat", {"seatsMin": 2, "features": ["Child seat"]}),
        ("a family of 5", {"seatsMin": 5}),
        # Of a range of seats the fewer will do, of people all must sit.
        ("7-8 seats", {"seatsMin": 7}),
        ("5 or 7 seater", {"seatsMin": 5}),
        ("7/8-seater", {"seatsMin": 7}),
        ("2-3 people", {"seatsMin": 3}),
        ("for 4 to 5 people", {"seatsMin": 5}),
        ("fits 8", {"seatsMin": 8}),
        ("must fit 7", {"seatsMin": 7}),
        ("fits 2 surfboards", {}),
        ("fits 2 large suitcases", {}),
        ("honda fit 2019", {"make": ["Honda"], "model": ["Fit"]}),
        ("car for 6", {"seatsMin": 6}),
        ("vehicle for seven, please", {"seatsMin": 7}),
        ("people carrier for 7", {"body": ["Minivan"], "seatsMin": 7}),
        ("car for 6 days", {"days": 6}),
        ("car for 6 december", {"start": "2027-12-06", "end": "2027-12-07"}),
        ("car for 5 a day", {"priceMax": 500}),
        ("between $50 & $80", {"priceMin": 5000, "priceMax": 8000}),
        ("starting from $50", {"priceMin": 5000}),
        ("sub $50 a day", {"priceMax": 5000}),
        # A day's, as of the weekend.
        ("less than $400 for the week", {"priceMax": 40_000, "days": 7}),
    ],
)  # fmt: skip
def test_limits(text: str, parameters: dict[str, Any]) -> None:
    assert read(text) == parameters


@pytest.mark.parametrize(
    ("words", "parameters"),
    [
        ("under $300 total", {"priceMax": 30_000}),
        ("under $300 in total", {"priceMax": 30_000}),
        ("for less than 500 altogether", {"priceMax": 50_000}),
        ("$300 all in", {"priceMax": 30_000}),
        ("max 1,200 € for the whole trip", {"priceMax": 120_000}),
        ("total under $300", {"priceMax": 30_000}),
        ("total budget of 300 dollars", {"priceMax": 30_000}),
        ("$200-$300 total", {"priceMin": 20_000, "priceMax": 30_000}),
        ("about 100 total", {"priceMin": 8_000, "priceMax": 12_000}),
    ],
)
def test_prices_in_total_need_days(words: str, parameters: dict[str, Any]) -> None:
    total = parameters | {"priceBasis": "total"}
    assert read(words) == {}
    assert rest(words, understand(words, NAMES, TODAY)) == words
    assert read(words, days=3) == total
    assert read(words, days=31) == {}
    weekend = {"start": "2027-03-06", "end": "2027-03-08"}
    assert read(f"jeep {words}, next weekend") == total | weekend | {"make": ["Jeep"]}
    assert read(f"a week in April {words}") == total | {"month": "2027-04", "days": 7}
    assert read(f"{words} for 60 days from March 1st") == {
        "start": "2027-03-01", "end": "2027-04-30",
    }  # fmt: skip
    assert read(f"{words} from March 1st") == {"start": "2027-03-01"}
    assert read(f"{words} tomorrow", keep=["dates"]) == {}


@pytest.mark.parametrize("words", ["$80 a day", "$80 per day total", "$80 daily"])
def test_a_price_a_day_stays_one(words: str) -> None:
    assert read(words, days=3).get("priceBasis") is None


def test_a_text_full_of_days_is_not_about_one_stay() -> None:
    """Nor may a text that was made up to be slow cost what a sentence does not."""
    sentence = "from friday 5 march to the 9th of march 2027 or from the 10th to 12th"
    assert read(sentence)
    for text in ("fri-" * 50, "march 1 " * 25, "tomorrow " * 22, "3 days in march " * 12):
        assert read(text[:200]) == {}


def test_days_as_labelled_by_hand() -> None:
    labelled = list(cases())
    assert len(labelled) >= 300
    wrong = []
    for today, text, expected in labelled:
        found: dict[str, Any] = {}
        for reading in understand(text, EMPTY, today):
            if reading.kind == "dates":
                found |= reading.parameters
        if found != expected:
            wrong.append((today.isoformat(), text, expected, found))
    assert wrong == []


def test_kinds_to_keep_stay_text() -> None:
    text = "jeep under $80 in hilo"
    assert read(text, keep=["price", "make"]) == {"city": ["Hilo"]}
    assert rest(text, understand(text, NAMES, TODAY, ["price", "make"])) == "jeep under $80"


def test_a_time_of_day_goes_with_its_day() -> None:
    readings = understand("jeep, friday at 5pm to sunday 10am, in hilo", NAMES, TODAY)
    assert [each.words for each in readings] == ["jeep", "friday at 5pm to sunday 10am", "in hilo"]


@pytest.mark.parametrize(
    "text", ["for 3 days", "in july", "until friday for 2 days", "3 days next week", "this month"]
)
def test_days_that_are_half_known_filter_nothing_and_are_no_text(text: str) -> None:
    readings = understand(text, NAMES, TODAY)
    request, applied = apply(SearchRequest(text=text, now=NOW), readings)
    assert (request.text, request.dates, set(applied)) == (None, None, {False})


@pytest.mark.parametrize(
    ("text", "remains"),
    [
        ("I need a jeep with surf rack in Hilo, please", "surf rack"),
        ("tesla modl 3", "modl 3"),
        ("f-160 under $80", "f-160"),
        ("a quiet car", "a quiet car"),
        ("for 4-5 people", None),
        ("jeep at hilo airport", None),
        ("jeep at Hilo Intl. Airport", None),
        ("kona area", None),
        ("from 9am saturday until 9pm sunday", None),
        ("within 10 miles of hilo", None),
        ("pick up in hilo, drop off in kona", None),
        ("airport pickup in hilo", "airport pickup"),
        ("hilo airport pickup", "pickup"),
        ("7-8 seats", None),
        ("2 child seats and one car seat", None),
        ("modl 3 child seat", "modl 3"),
        ("automatic only", None),
        ("must have a/c", None),
        ("w/ heated seats", None),
        ("charging cable included", None),
        ("toyota models", None),
        ("jeep", None),
    ],
)
def test_text_that_is_not_understood_stays_text(text: str, remains: str | None) -> None:
    assert rest(text, understand(text, NAMES, TODAY)) == remains


def test_an_accent_alone_is_no_word() -> None:
    assert read("jeep \u094d \u0301") == {"make": ["Jeep"]}


WORDS = """jeep golf santa fe in near hilo , . - $ 80 under march 1st 31 to until for a week weekend
    next friday 2019 or newer + seats 7 stars 4.5 the of not İ ß é 🚗 ' / 2027 02 30 0
    4 days in april month total altogether"""


@settings(deadline=None)  # how long it takes is measured by the benchmark
@given(
    st.one_of(
        st.text(max_size=200), st.lists(st.sampled_from(WORDS.split()), max_size=40).map(" ".join)
    )
)
def test_no_text_fails_and_every_reading_stands_in_it(text: str) -> None:
    at = 0
    readings = understand(text, NAMES, TODAY)
    for reading in readings:
        assert reading.kind in KINDS
        assert reading.start >= at
        assert reading.words == text[reading.start : reading.end] != ""
        assert reading.parameters or "not" in text.casefold()
        at = reading.end
    request, applied = apply(SearchRequest(text=text or None, now=NOW), readings)
    assert len(applied) == (len(readings) if text else 0)
    assert build(request)["query"]
    assert request.price_basis == "day" or (request.dates and request.dates.days <= 30)
