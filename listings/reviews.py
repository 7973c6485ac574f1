"""Finding the vehicle that an owner's review of a model year belongs to.

A review speaks of a kind of car, not of one car, so the reviews of a model year are spread over its
vehicles by their keys. Vehicles that hosts listed here themselves (source `app`) get none: what is
said about their car must have been said about their car.
"""

import re
from typing import Any

from psycopg import Connection

from listings import normalise
from listings.listing import ImportedReview
from listings.row import RejectedRowError

# What may follow the model in "2008 GMC Sierra 1500 Extended Cab SLE1 4dr …". Anything else may be
# the rest of another model's name (Prius Plug-In, Cooper Roadster), and is not guessed at.
_AFTER_MODEL = re.compile(
    r"sedan|coupe|convertible|hatchback|wagon|suv|minivan|van|crew|extended|regular|quad|double|"
    r"access|king|mega|club|[2-5]dr",
    re.IGNORECASE,
)
_MAKE_WORDS = 2
_MODEL_WORDS = 6


class Vehicles:
    """The vehicles that can be reviewed, by make, model and year."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._ids: dict[tuple[str, str, int], list[int]] = {}
        rows = conn.execute(
            "SELECT make, model, year, array_agg(id ORDER BY id) FROM vehicles "
            "WHERE model IS NOT NULL AND year IS NOT NULL AND source <> 'app' "
            "AND status <> 'archived' GROUP BY make, model, year ORDER BY make, model, year"
        )
        for make, model, year, ids in rows:
            key = (normalise.make(make), normalise.model_key(make, model), year)
            self._ids.setdefault(key, []).extend(ids)

    def reviewed(self, review: ImportedReview) -> int:
        """The id of the one vehicle that `review` goes to, always the same among the same vehicles.

        Raises:
            RejectedRowError: there is none.
        """
        year, *words = review.about.split()
        for length in range(_MAKE_WORDS, 0, -1):
            make = normalise.MAKES.get(normalise.fold("".join(words[:length])))
            if make is not None and year.isdecimal():
                ids = self._of_model(review, make, words[length:], int(year))
                return ids[int(review.source_key, 16) % len(ids)]
        raise RejectedRowError("vehicle", review.about, "no year and known make in front")

    def _of_model(
        self, review: ImportedReview, make: str, words: list[str], year: int
    ) -> list[int]:
        """The vehicles of the longest model name that `words` begin with."""
        for length in range(min(len(words), _MODEL_WORDS), 0, -1):
            ids = self._ids.get((make, normalise.model_key(make, "".join(words[:length])), year))
            if ids is None:
                continue
            if length == len(words) or _AFTER_MODEL.fullmatch(words[length]):
                return ids
            raise RejectedRowError(
                "vehicle", review.about, "what follows the model may make it another model"
            )
        raise RejectedRowError("vehicle", review.about, "no vehicle of this make, model and year")
