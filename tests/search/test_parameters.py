"""Bad requests: refused before any engine is asked, naming the parameter and what is allowed."""

from datetime import date

import pytest

from api.errors import Problem
from api.search_parameters import openapi_parameters, parse

TODAY = date(2026, 11, 23)


def errors(query: str) -> dict[str, str]:
    pairs = [tuple(pair.partition("=")[::2]) for pair in query.split("&")]
    with pytest.raises(Problem) as raised:
        parse(pairs, TODAY)  # type: ignore[arg-type]
    assert raised.value.status == 422
    return {error.pointer: error.message for error in raised.value.errors}


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ("maek=Jeep", "maek", "did you mean make?"),
        ("colour_=x", "colour_", "allowed are q, lat"),
        ("sort=cheap", "sort", "'relevance', 'distance', 'price', '-price', 'rating' or 'newest'"),
        ("facets=maek", "facets", "'make'"),
        ("facets=none,make", "facets", "none excludes"),
        ("limit=0", "limit", "greater than or equal to 1"),
        ("limit=101", "limit", "less than or equal to 100"),
        ("limit=1&limit=2", "limit", "only once"),
        ("yearMin=1899", "yearMin", "greater than or equal to 1900"),
        ("yearMin=abc", "yearMin", "whole number"),
        ("yearMin=2020&yearMax=2019", "yearMin", "above yearMax"),
        ("ratingMin=5.1", "ratingMin", "less than or equal to 5"),
        ("ratingMin=nan", "ratingMin", "finite"),
        ("priceMin=-1", "priceMin", "whole number"),
        ("instantBook=perhaps", "instantBook", "boolean"),
        ("lat=1", "lon", "come together"),
        ("lat=91&lon=0", "lat", "less than or equal to 90"),
        ("radiusKm=5", "radiusKm", "needs lat and lon"),
        ("lat=0&lon=0&radiusKm=0", "radiusKm", "greater than 0"),
        ("sort=distance", "sort", "needs lat and lon"),
        ("bbox=1,2,3", "bbox", "four numbers"),
        ("bbox=0,10,1,5", "bbox", "south not above north"),
        ("bbox=nan,0,1,1", "bbox", "four numbers"),
        ("bbox=1_0,2,30,4", "bbox", "four numbers"),
        ("bbox=1,91,2,92", "bbox", "must lie within"),
        ("make=Jee\ufffd", "make", "UTF-8"),
        ("start=2027-03-01", "end", "come together"),
        ("start=2027-03-01&end=2027-03-01", "end", "after start"),
        ("start=2027-03-01&end=2028-03-02", "end", "at most 365 days"),
        ("start=2026-11-21&end=2026-11-25", "start", "in the past"),
        ("start=1.3.2027&end=2027-03-05", "start", "YYYY-MM-DD"),
        ("start=20270301&end=2027-03-05", "start", "YYYY-MM-DD"),
        ("priceBasis=total", "priceBasis", "needs start and end"),
        ("priceBasis=total&start=2027-03-01&end=2027-04-01", "priceBasis", "1 to 30 days, not 31"),
        ("make=", "make", "at least 1 character"),
        ("q=" + "a" * 201, "q", "at most 200 characters"),
        ("&".join(f"make={n}" for n in range(21)), "make", "at most 20 items"),
        ("cursor=" + "a" * 8001, "cursor", "at most 8000 characters"),
    ],
)
def test_wrong_parameters(query: str, parameter: str, says: str) -> None:
    found = errors(query)
    assert set(found) == {parameter}
    assert says in found[parameter]


def test_the_published_bounds_are_those_that_are_kept() -> None:
    bounds = [
        (each["name"], each["schema"][end], step)
        for each in openapi_parameters()
        for end, step in (("minimum", -1), ("maximum", 1))
        if end in each["schema"]
    ]
    assert len(bounds) > 20
    for name, bound, step in bounds:
        # Unknown beside it, so that all is refused and says what is wrong.
        beyond, at = (errors(f"{name}={value}&x=1") for value in (bound + step, bound))
        assert name in beyond, (name, bound)
        assert "than" not in at.get(name, ""), (name, bound)


def test_everything_wrong_is_named_at_once() -> None:
    assert set(errors("a=1&limit=0&sort=x&yearMin=1")) == {"a", "limit", "sort", "yearMin"}


def test_a_search_of_yesterday_is_allowed_because_it_is_still_yesterday_somewhere() -> None:
    request, _ = parse([("start", "2026-11-22"), ("end", "2026-11-25")], TODAY)
    assert request.dates is not None
    assert request.dates.days == 3


def test_the_search_is_the_same_whatever_the_order_of_its_parameters() -> None:
    one, _ = parse([("make", "Jeep"), ("make", "Kia"), ("q", "x")], TODAY)
    other, _ = parse([("q", "x"), ("make", "Kia"), ("make", "Jeep")], TODAY)
    page_size, _ = parse([("q", "x"), ("make", "Kia"), ("make", "Jeep"), ("limit", "3")], TODAY)
    narrower, _ = parse([("q", "x"), ("make", "Kia")], TODAY)
    assert one.fingerprint() == other.fingerprint() == page_size.fingerprint()
    assert one.fingerprint() != narrower.fingerprint()


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("limit=abc&bbox=1,2,3&priceMin=10&priceMax=5", {"limit", "bbox", "priceMin"}),
        ("limit=0&start=2027-06-05&end=2027-06-01", {"limit", "end"}),
        ("maek=Jeep&limit=0&lat=5", {"maek", "limit", "lon"}),
        # Of what is wrong itself nothing else is said, nor of what goes with it.
        ("lat=91&lon=0&radiusKm=5&sort=distance", {"lat"}),
        ("start=soon&end=2027-06-01&flexDays=2", {"start"}),
    ],
)
def test_all_that_is_wrong_is_named_at_once(query: str, wrong: set[str]) -> None:
    assert set(errors(query)) == wrong


def test_an_end_of_a_range_is_never_passed_by_rounding() -> None:
    def least(rating: str) -> object:
        return parse([("ratingMin", rating)], TODAY)[0].ranges["rating"][0]

    assert [least(each) for each in ("4.7", "4.894", "4.333", "4.29", "5")] == [
        470,
        490,
        434,
        429,
        500,
    ]
