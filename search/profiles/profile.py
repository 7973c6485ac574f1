"""A profile: the weights of text and the signals that order what the text finds alike.

Points are on the scale of the text's weights, which are whole numbers. The signals and a typo's
points together stay below one of them, so that no signal ever outranks a word found in a better
place, and no similar word one that is written as asked. Without text, signals alone make the order.
"""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from search.fields import FIELDS, PRIOR_REVIEWS

_STARS = 4  # from the worst rating to the best
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=500)]
Points = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Reasoned(_Part):
    reason: Reason


class Text(_Reasoned):
    """What a word scores by the field that it is found in; the table of fields has the rest."""

    weights: dict[str, Annotated[int, Field(ge=1, le=20)]]

    @field_validator("weights")
    @classmethod
    def _searched_fields(cls, weights: dict[str, int]) -> dict[str, int]:
        searched = {field.name for field in FIELDS if field.weight}
        if unknown := sorted(weights.keys() - searched):
            msg = f"not searched by text: {', '.join(unknown)}; there are {', '.join(searched)}"
            raise ValueError(msg)
        return {
            field.name: weights.get(field.name, field.weight) for field in FIELDS if field.weight
        }


class Typo(_Reasoned):
    """What a similar word of the name scores at most, before its share of equal letters."""

    points: Annotated[float, Field(gt=0, lt=1)]


class Signal(_Reasoned):
    """Something that makes a vehicle a better answer, and can be switched off."""

    on: bool = True


class Rating(Signal):
    """Bayesian average: as if `prior_reviews` more had given a vehicle the prior mean.

    How much they weigh is in the documents, so there is one value: a profile says by which it was
    tuned, and is refused where another one is in force.
    """

    points_per_star: Annotated[float, Field(ge=0, lt=1 / _STARS)]
    prior_mean: Annotated[float, Field(ge=1, le=5)]
    prior_reviews: Annotated[int, Field(ge=1, le=1000)]

    @field_validator("prior_reviews")
    @classmethod
    def _of_the_documents(cls, prior_reviews: int) -> int:
        if prior_reviews != PRIOR_REVIEWS:
            msg = (
                f"documents weigh the prior as {PRIOR_REVIEWS} reviews: give {PRIOR_REVIEWS}, or "
                "change the view and PRIOR_REVIEWS together (docs/adr/0034)"
            )
            raise ValueError(msg)
        return prior_reviews


class Reviews(Signal):
    """Points grow with the number of reviews: half of them at the rating's prior, 10."""

    points: Points


class Distance(Signal):
    """Points at the asked point; half of them at `half_km`."""

    points: Points
    half_km: Annotated[float, Field(gt=0, le=20_000)]


class Freshness(Signal):
    """Points on the day of listing; half of them after `half_days`."""

    points: Points
    half_days: Annotated[int, Field(ge=1, le=3650)]


class Price(Signal):
    """Points for a price below the local median: all of them from `full_pct` per cent below on.

    With `p = price_vs_median / 1000`: `points * clamp((1 - p) / (full_pct / 100), 0, 1)`; nothing
    where no median is known.
    """

    points: Points
    full_pct: Annotated[int, Field(ge=1, le=90)]


class Signals(_Part):
    """Every signal there is."""

    rating: Rating
    reviews: Reviews
    distance: Distance
    freshness: Freshness
    price: Price

    @property
    def most(self) -> float:
        """How many points all signals that are on can move a vehicle."""
        parts: list[tuple[Signal, float]] = [
            (self.rating, self.rating.points_per_star * _STARS),
            (self.reviews, self.reviews.points),
            (self.distance, self.distance.points),
            (self.freshness, self.freshness.points),
            (self.price, self.price.points),
        ]
        return sum(points for signal, points in parts if signal.on)


class Diversity(_Reasoned):
    """What it costs a vehicle among the first hundred that its host or model stands before it."""

    on: bool = True
    host_points: Points  # for each vehicle of its host
    model_points: Points  # for each of its make and model; only without text
    repeats: Annotated[int, Field(ge=1, le=20)]  # further ones cost no more

    @property
    def most(self) -> float:
        """How many points a vehicle can lose."""
        return (self.host_points + self.model_points) * self.repeats

    def cost(self, hosts: int, models: int) -> float:
        """The points lost to so many vehicles of its host and of its model."""
        return self.host_points * min(hosts, self.repeats) + self.model_points * min(
            models, self.repeats
        )


class Profile(_Part):
    """One way to rank; `version` changes with anything in it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    text: Text
    typo: Typo
    signals: Signals
    diversity: Diversity

    @model_validator(mode="after")
    def _text_first(self) -> "Profile":
        most = self.signals.most + self.typo.points
        if most >= 1:
            msg = (
                f"signals and typo may give {most:.2f} points together; lower them below 1, "
                "the smallest difference between two words found"
            )
            raise ValueError(msg)
        moved = self.signals.most + self.diversity.most
        if self.diversity.on and moved >= 1:
            msg = (
                f"signals and diversity may move a vehicle by {moved:.2f} points together; lower "
                "them below 1, the smallest difference between two words found"
            )
            raise ValueError(msg)
        return self

    @cached_property
    def version(self) -> str:
        """A fingerprint of all values."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def read(path: Path) -> Profile:
    """The profile in a JSON file.

    Raises:
        ValidationError: it is not a valid profile; the message names every wrong value.
    """
    content: Any = path.read_bytes()
    return Profile.model_validate_json(content)


DEFAULT: Profile = read(Path(__file__).parent / "default.json")
