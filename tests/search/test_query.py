"""The query builder is pure: a request in, a whole body out."""

from datetime import date

from search.query.body import SOURCE, build
from search.query.text import TEXT_FIELDS
from search.request import Box, Dates, Near, SearchRequest

VISIBLE = {"bool": {"must_not": {"term": {"hidden": True}}}}
PAGE = {"track_total_hits": True, "_source": SOURCE, "timeout": "1s"}


def test_asking_for_nothing_finds_everything_visible_by_popularity() -> None:
    assert build(SearchRequest()) == PAGE | {
        "query": {"bool": {"filter": [VISIBLE]}},
        "sort": [{"review_count": "desc"}, {"id": "asc"}],
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
    assert build(request) == PAGE | {
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


def test_text_must_match_and_scores() -> None:
    body = build(SearchRequest(text="jeep hilo"))
    assert body["query"] == {
        "bool": {
            "filter": [VISIBLE],
            "must": [
                {
                    "multi_match": {
                        "query": "jeep hilo",
                        "type": "cross_fields",
                        "operator": "and",
                        "fields": list(TEXT_FIELDS),
                    }
                }
            ],
        }
    }
    assert body["sort"] == [{"_score": "desc"}, {"review_count": "desc"}, {"id": "asc"}]
    assert set(body["highlight"]["fields"]) == {"title", "description"}


def test_selected_facets_move_to_the_post_filter_and_out_of_their_own_counts() -> None:
    make, body_style = {"terms": {"make.key": ["Jeep"]}}, {"terms": {"body.key": ["SUV"]}}
    built = build(
        SearchRequest(
            filters={"make": ("Jeep",), "body": ("SUV",)}, facets=("make", "fuel", "features")
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
