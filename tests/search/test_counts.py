"""Several searches counted in one request: whole bodies, and both engines alike."""

from search.postgres import counts as of_postgres
from search.query import counts
from search.query.text import match
from search.request import SearchRequest

VISIBLE = {"bool": {"must_not": {"term": {"hidden": True}}}}


def test_each_search_is_a_filter_without_scores() -> None:
    jeeps = SearchRequest(
        text="jeep",
        filters={"make": ("Jeep",)},
        ranges={"daily_rate": (None, 9000)},
        facets=("make",),
        after=(1.0, 7),
    )
    assert counts.build([jeeps, SearchRequest()]) == {
        "query": {"bool": {"filter": [VISIBLE]}},
        "size": 0,
        "track_total_hits": False,
        "aggs": {
            "counts": {
                "filters": {
                    "filters": [
                        {
                            "bool": {
                                "filter": [
                                    VISIBLE,
                                    {"terms": {"make.key": ["Jeep"]}},
                                    {"range": {"daily_rate": {"lte": 9000}}},
                                ],
                                "must": [match("jeep")],
                            }
                        },
                        {"bool": {"filter": [VISIBLE]}},
                    ]
                }
            }
        },
        "timeout": "1s",
    }


def test_an_answer_is_read_in_order() -> None:
    buckets = [{"doc_count": 3}, {"doc_count": 0}]
    assert counts.read({"counts": {"buckets": buckets}}) == [3, 0]


def test_one_statement_counts_each_on_its_own() -> None:
    statement, values = of_postgres.build(
        [SearchRequest(), SearchRequest(flags={"instant_book": True})]
    )
    assert statement == (
        "SELECT ARRAY["
        "(SELECT count(*) FROM vehicle_search_view WHERE NOT hidden), "
        "(SELECT count(*) FROM vehicle_search_view "
        "WHERE NOT hidden AND instant_book = %(p0)s::boolean)]"
    )
    assert values == {"p0": True}
