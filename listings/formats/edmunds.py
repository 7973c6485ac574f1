"""Owners' reviews from Edmunds: CSV, about a variant of a model year ("2006 Ferrari 612 … Coupe").

There is no review id: a review is named by all that it says, so an exact repetition is the same
review.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from listings.formats.shared import hashed
from listings.listing import ImportedReview
from listings.report import Action
from listings.row import RejectedRowError, Row

SOURCE = "edmunds"
COLUMNS = frozenset({"vehicle", "date", "rating", "title", "body"})
# The clock has 24 hours; the AM or PM after it says nothing more ("16:47 PM").
_DATE = re.compile(r"on (\d\d/\d\d/\d\d \d\d:\d\d)(?: [AP]M)? \((PST|PDT)\)", re.ASCII)
_NOT_A_DATE = "not a date like `on 11/19/11 16:47 PM (PST)`"
_HOURS_FROM_UTC = {"PST": -8, "PDT": -7}


def parse(row: Row) -> ImportedReview:
    """The review of one row.

    Raises:
        RejectedRowError: no vehicle, no rating of 1 to 5, no date that can be, or no words.
    """
    about = row.required_name("vehicle")
    rating = row.stars("rating")
    if rating is None:
        raise RejectedRowError("rating", row.raw("rating") or "", "not a rating of 1 to 5")
    title, body = row.prose("title"), row.prose("body")
    if not title and not body:
        raise RejectedRowError("body", "", "neither title nor text")
    if not body:
        row.note(Action.KEPT, "body", "", "no text, only a title")
    return ImportedReview(
        source=SOURCE,
        source_key=hashed(
            *(str(row.raw(field) or "") for field in ("vehicle", "date", "rating", "title", "body"))
        ),
        line=row.line,
        about=about,
        rating=rating,
        title=title,
        body=body,
        created_at=_written(row),
    )


def _written(row: Row) -> datetime:
    text = row.required_name("date")
    match = _DATE.fullmatch(text)
    if match is None:
        raise RejectedRowError("date", text, _NOT_A_DATE)
    offset = timezone(timedelta(hours=_HOURS_FROM_UTC[match[2]]))
    try:
        written = datetime.strptime(match[1], "%m/%d/%y %H:%M").replace(tzinfo=offset)
    except ValueError:
        raise RejectedRowError("date", text, _NOT_A_DATE) from None
    if written > datetime.now(UTC):
        raise RejectedRowError("date", text, "in the future")
    return written
