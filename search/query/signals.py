"""What a profile adds to the text's score: functions of the document and the request alone.

So scores hold still under writes, and need no script.
"""

from typing import Any

from search.fields import RELEVANCE
from search.profiles import Profile
from search.profiles.profile import Distance, Freshness, Price, Rating, Reviews
from search.request import Near, SearchRequest

Function = dict[str, Any]

DAY_MS = 24 * 3600 * 1000
MEDIAN = 1000  # price_vs_median of a vehicle at the local median
WHOLE_DOUBT = 10_000  # rating_doubt of a vehicle without a review


def ranked(request: SearchRequest, profile: Profile) -> dict[str, Any] | None:
    """The clause that scores every hit by the signals; None where nothing asks for a score."""
    if request.sort != RELEVANCE or request.only:
        return None
    signals = profile.signals
    functions: list[Function] = []
    if signals.rating.on:
        functions += _rating(signals.rating)
    if signals.reviews.on:
        functions.append(_reviews(signals.reviews))
    if signals.distance.on and request.near:
        functions.append(_distance(signals.distance, request.near))
    if signals.freshness.on and request.now is not None:
        functions.append(_freshness(signals.freshness, int(request.now.timestamp() * 1000)))
    if signals.price.on:
        functions.append(_price(signals.price))
    if all("filter" in function for function in functions):
        # Elasticsearch gives a vehicle to which no function applies a 1.
        functions.append({"weight": 0})
    return {
        "function_score": {
            "query": {"match_all": {}},
            "functions": functions,
            "score_mode": "sum",
            "boost_mode": "replace",
        }
    }


def rating_factors(signal: Rating) -> list[tuple[str, float]]:
    """Points by field: evidence, and the prior mean as far as there is doubt."""
    parts = (("rating_evidence", 1 / 1000), ("rating_doubt", signal.prior_mean / WHOLE_DOUBT))
    return [(name, round(stars * signal.points_per_star, 9)) for name, stars in parts]


def _rating(signal: Rating) -> list[Function]:
    """Stars of the Bayesian average."""
    return [
        {"field_value_factor": {"field": name, "factor": factor, "missing": 0}}
        for name, factor in rating_factors(signal)
    ]


def _reviews(signal: Reviews) -> Function:
    """`reviews / (reviews + 10)`: what is left of the doubt."""
    no_doubt = {"origin": 0, "scale": WHOLE_DOUBT // 2, "decay": 0.5}
    return {"linear": {"rating_doubt": no_doubt}, "weight": signal.points}


def _distance(signal: Distance, near: Near) -> Function:
    origin = {"lat": near.lat, "lon": near.lon}
    return {
        # A decay gives a vehicle without the field the most.
        "filter": {"exists": {"field": "location"}},
        "exp": {"location": {"origin": origin, "scale": f"{signal.half_km}km", "decay": 0.5}},
        "weight": signal.points,
    }


def _freshness(signal: Freshness, now_ms: int) -> Function:
    half = signal.half_days * DAY_MS
    return {
        "filter": {"exists": {"field": "listed_at"}},
        "exp": {"listed_at": {"origin": now_ms, "scale": half, "decay": 0.5}},
        "weight": signal.points,
    }


def _price(signal: Price) -> Function:
    """A line from all points, at so much below the median, down to none at the median."""
    fall = signal.full_pct * 10
    line = {"origin": 0, "offset": MEDIAN - fall, "scale": fall / 2, "decay": 0.5}
    return {
        "filter": {"exists": {"field": "price_vs_median"}},
        "linear": {"price_vs_median": line},
        "weight": signal.points,
    }
