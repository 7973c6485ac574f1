"""What a profile adds to the text's score, as SQL: the signals of `search/query/signals.py`."""

from math import log

from search.postgres.conditions import distance_m
from search.postgres.parameters import Parameters
from search.profiles import Profile
from search.profiles.profile import Distance, Freshness, Rating, Reviews
from search.query.signals import DAY_MS, WHOLE_DOUBT, rating_factors
from search.request import Near, SearchRequest


def ranked(request: SearchRequest, profile: Profile, into: Parameters) -> list[str]:
    """The points of every signal that is on and has what it needs, as expressions to be added."""
    signals = profile.signals
    points: list[str] = []
    if signals.rating.on:
        points.append(_rating(signals.rating))
    if signals.reviews.on:
        points.append(_reviews(signals.reviews))
    if signals.distance.on and request.near:
        points.append(_distance(signals.distance, request.near, into))
    if signals.freshness.on and request.now is not None:
        now_ms = int(request.now.timestamp() * 1000)
        points.append(_freshness(signals.freshness, into.add(now_ms, "bigint")))
    return points


def _rating(signal: Rating) -> str:
    parts = [f"coalesce({name}, 0) * {_float(f)}" for name, f in rating_factors(signal)]
    return f"({' + '.join(parts)})"


def _reviews(signal: Reviews) -> str:
    doubt = f"least(coalesce(rating_doubt, 0), {WHOLE_DOUBT}) / {_float(WHOLE_DOUBT)}"
    return f"{_float(signal.points)} * (1 - {doubt})"


def _distance(signal: Distance, near: Near, into: Parameters) -> str:
    return _decay(signal.points, signal.half_km * 1000, f"({distance_m(near, into)})")


def _freshness(signal: Freshness, now_ms: str) -> str:
    return _decay(signal.points, signal.half_days * DAY_MS, f"abs(listed_at - {now_ms})")


def _decay(points: float, half: float, away: str) -> str:
    """All points at 0, half of them at `half`; none where the distance is not known."""
    # PostgreSQL refuses an exponential that is too small for a float, of a car across the world.
    # Without a distance it is as far: exp(-700) is 1e-304.
    return f"{_float(points)} * exp(greatest({_float(log(0.5) / half)} * {away}, -700))"


def _float(number: float) -> str:
    # A bare one would be a numeric, of which an exponential takes a hundred times as long.
    return f"'{number!r}'::float8"
