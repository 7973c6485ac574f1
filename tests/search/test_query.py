"""The query builder is pure: a request in, a whole body out."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from search.query.body import SOURCE, UNREAD, build
from search.query.text import TEXT_FIELDS, match
from search.request import Box, Dates, Near, SearchRequest

VISIBLE = {"bool": {"must_not": {"term": {"hidden": True}}}}
PAGE = {"track_total_hits": True, "timeout": "1s"}
# What the default profile adds to every search by relevance.
RATING = [
    {"field_value_factor": {"field": "rating_evidence", "factor": 0.0001, "missing": 0}},
    {"field_value_factor": {"field": "rating_doubt", "factor": 0.000046, "missing": 0}},
]
REVIEWS = {
    "linear": {"rating_doubt": {"origin": 0, "scale": 5000, "decay": 0.5}},
    "weight": 0.05,
}


PRICE = {
    "filter": {"exists": {"field": "price_vs_median"}},
    "linear": {"price_vs_median": {"origin": 0, "offset": 600, "scale": 200, "decay": 0.5}},
    "weight": 0.06,
}


def signals(*functions: dict[str, Any]) -> dict[str, Any]:
    return {
        "function_score": {
            "query": {"match_all": {}},
            "functions": [*RATING, REVIEWS, *functions, PRICE],
            "score_mode": "sum",
            "boost_mode": "replace",
        }
    }


def test_asking_for_nothing_finds_everything_visible_by_the_profiles_signals() -> None:
    assert build(SearchRequest()) == PAGE | UNREAD | {
        "query": {"bool": {"filter": [VISIBLE], "should": [signals()]}},
        "sort": [{"_score": "desc"}, {"id": "asc"}],
        "size": 21,
    }


def test_every_filter_at_once() -> None:
    request = SearchRequest(
        near=Near(19.7, -155.1, 25),
        box=Box(-156, 18.9, -154.8, 20.3),
        dates=Dates(date(2027, 3, 1), date(2027, 3, 8)),
        filters={"make": ("Jeep", "Kia"), "features": ("GPS", "Sunroof")},
        ranges={"year": (2018, None), "daily_rate": (None, 9000)},
        flags={"instant_book": True},
        sort="price",
        limit=10,
        after=(4500, 7),
    )
    assert build(request) == PAGE | UNREAD | {
        "query": {
            "bool": {
                "filter": [
                    VISIBLE,
                    {
                        "geo_distance": {
                            "distance": "25km",
                            "location": {"lat": 19.7, "lon": -155.1},
                        }
                    },
                    {
                        "geo_bounding_box": {
                            "location": {"top": 20.3, "bottom": 18.9, "left": -156, "right": -154.8}
                        }
                    },
                    {
                        "range": {
                            "free": {
                                "gte": "2027-03-01",
                                "lt": "2027-03-08",
                                "relation": "contains",
                            }
                        }
                    },
                    {"range": {"min_days": {"lte": 7}}},
                    {"range": {"max_days": {"gte": 7}}},
                    {"term": {"instant_book": True}},
                    {"term": {"features.key": "GPS"}},
                    {"term": {"features.key": "Sunroof"}},
                    {"range": {"year": {"gte": 2018}}},
                    {"terms": {"make.key": ["Jeep", "Kia"]}},
                    {"range": {"daily_rate": {"lte": 9000}}},
                ]
            }
        },
        "sort": [{"daily_rate": {"order": "asc", "missing": "_last"}}, {"id": "asc"}],
        "size": 11,
        "search_after": [4500, 7],
    }


def test_distance_and_freshness_are_measured_from_the_request() -> None:
    built = build(
        SearchRequest(near=Near(19.7, -155.1), now=datetime.fromtimestamp(1_800_000_000, UTC))
    )
    distance = {
        "filter": {"exists": {"field": "location"}},
        "exp": {
            "location": {"origin": {"lat": 19.7, "lon": -155.1}, "scale": "10.0km", "decay": 0.5}
        },
        "weight": 0.18,
    }
    freshness = {
        "filter": {"exists": {"field": "listed_at"}},
        "exp": {"listed_at": {"origin": 1_800_000_000_000, "scale": 30 * 86_400_000, "decay": 0.5}},
        "weight": 0.04,
    }
    assert built["query"]["bool"]["should"] == [signals(distance, freshness)]


def word(text: str, fields: tuple[str, ...] = TEXT_FIELDS) -> dict[str, Any]:
    return {
        "multi_match": {
            "query": text,
            "type": "cross_fields",
            "operator": "and",
            "fields": list(fields),
        }
    }


def joined(text: str) -> dict[str, Any]:
    return word(text, ("make.text^6", "model.text^6", "name^4"))


def either(*ways: dict[str, Any]) -> dict[str, Any]:
    return {"dis_max": {"queries": list(ways)}}


def text(
    *must: dict[str, Any], names: list[str], should: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    """All of `must`, and a point for each whole name of a make or model."""
    whole = [
        {"constant_score": {"filter": {"terms": {f"{each}.key": names}}, "boost": 1}}
        for each in ("make", "model")
    ]
    return {"bool": {"must": list(must), "should": [*should, *whole]}}


JEEP = text(word("jeep"), names=["jeep"])


def test_text_must_match_and_scores() -> None:
    body = build(SearchRequest(text="jeep"))
    assert body["query"] == {"bool": {"filter": [VISIBLE], "must": [JEEP], "should": [signals()]}}
    assert body["sort"] == [{"_score": "desc"}, {"id": "asc"}]
    assert set(body["highlight"]["fields"]) == {"title", "description"}


def test_documents_come_where_words_are_marked_or_these_vehicles_are_asked_for() -> None:
    for request in (SearchRequest(text="jeep"), SearchRequest(only=(7,))):
        body = build(request)
        assert body["_source"] == SOURCE
        assert "stored_fields" not in body


def test_another_order_than_relevance_needs_no_signals() -> None:
    built = build(SearchRequest(text="jeep", sort="price"))
    assert built["query"] == {"bool": {"filter": [VISIBLE], "must": [JEEP]}}


def test_neighbours_are_also_tried_as_one_word() -> None:
    assert match("F-150") == text(
        either(word("F"), joined("F150")),
        either(word("150"), joined("F150")),
        names=["150", "f", "f 150", "f-150"],
    )


def test_small_words_need_not_match_and_join_only_when_they_are_one_letter() -> None:
    built = match("bmw i 3 in hilo")["bool"]
    assert built["must"] == [
        either(word("bmw"), joined("bmwi")),
        either(word("3"), joined("i3")),
        word("hilo"),
    ]
    assert built["should"][:2] == [either(word("i"), joined("bmwi"), joined("i3")), word("in")]


def test_what_people_call_it_is_another_way() -> None:
    assert match("Chevys") == text(either(word("Chevys"), word("chevrolet")), names=["chevys"])


def test_similar_words_will_do_for_one_that_looks_misspelt() -> None:
    def similar(text: str, points: float) -> dict[str, Any]:
        return {"constant_score": {"filter": word(text), "boost": pytest.approx(points)}}

    assert match("tesla modl", {"modl": ("model", "modi")})["bool"]["must"] == [
        either(word("tesla"), joined("teslamodl")),
        either(word("modl"), joined("teslamodl"), similar("model", 0.15), similar("modi", 0.15)),
    ]
    assert match("Wragnelr", {"wragnelr": ("wrangler",)})["bool"]["must"] == [
        either(word("Wragnelr"), similar("wrangler", 0.15))
    ]


def test_an_unfinished_last_word_is_what_it_may_become() -> None:
    assert match("jeep wra", {}, ("wrangler", "wraith"))["bool"]["must"] == [
        either(word("jeep"), joined("jeepwra")),
        either(word("wra"), word("wrangler"), word("wraith"), joined("jeepwra")),
    ]


def test_words_beyond_the_bound_have_no_alternatives() -> None:
    built = match(" ".join(f"w{n}" for n in range(30)))["bool"]["must"]
    assert len(built) == 25
    assert built[-1] == word("w24 w25 w26 w27 w28 w29")


def test_text_without_a_letter_or_digit_is_asked_as_it_is() -> None:
    assert match("🏝 !")["bool"]["must"] == [word("🏝 !")]


def test_selected_facets_move_to_the_post_filter_and_out_of_their_own_counts() -> None:
    make, body_style = {"terms": {"make.key": ["Jeep"]}}, {"terms": {"body.key": ["SUV"]}}
    built = build(
        SearchRequest(
            filters={"make": ("Jeep",), "body": ("SUV",)},
            facets=("make", "fuel", "features"),
            sort="price",
        )
    )
    assert built["query"] == {"bool": {"filter": [VISIBLE]}}
    assert built["post_filter"] == {"bool": {"filter": [make, body_style]}}
    assert built["aggs"] == {
        "make": {
            "filter": {"bool": {"filter": [body_style]}},
            "aggs": {
                "make": {"terms": {"field": "make", "size": 20}},
                "selected": {
                    "filter": {"terms": {"make.key": ["Jeep"]}},
                    "aggs": {"values": {"terms": {"field": "make", "size": 4}}},
                },
            },
        },
        "shared": {
            "filter": {"bool": {"filter": [make, body_style]}},
            "aggs": {
                "fuel": {"terms": {"field": "fuel", "size": 20}},
                "features": {"terms": {"field": "features", "size": 20}},
            },
        },
    }


def test_prices_are_read_from_the_total_of_the_asked_days() -> None:
    request = SearchRequest(
        dates=Dates(date(2027, 3, 1), date(2027, 3, 15)),
        ranges={"daily_rate": (1, 2)},
        price_basis="total",
        sort="-price",
        facets=("price",),
    )
    built = build(request)
    assert built["post_filter"] == {
        "bool": {"filter": [{"range": {"total.14": {"gte": 1, "lte": 2}}}]}
    }
    assert built["sort"][0] == {"total.14": {"order": "desc", "missing": "_last"}}
    assert built["aggs"]["price"]["aggs"] == {
        "price": {"histogram": {"field": "total.14", "interval": 1000, "min_doc_count": 1}},
        "price_stats": {"stats": {"field": "total.14"}},
    }
