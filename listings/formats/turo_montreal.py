"""Turo's listings around Montréal, 2023: a JSON object per line, rates in the currency it names.

Errors of the scraper lie among the listings; owners were removed, so all have one host.
"""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from listings.formats.shared import make_of, model_of
from listings.listing import Listing
from listings.normalise import AUTOMATIC, BODIES, CAR, CONVERTIBLE, FEATURES, FUELS, MANUAL, fold
from listings.places import CANADA, COUNTRIES, PROVINCES, STATES, UNITED_STATES, city
from listings.report import Action
from listings.row import MAX_COUNT, RejectedRowError, Row

SOURCE = "turo-montreal"
KEYS = frozenset({"id", "vehicle", "rate", "location", "basicCarDetails", "badges"})
_CURRENCY = re.compile(r"[A-Z]{3}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_2009, _2100 = 1_230_768_000_000, 4_102_444_800_000
_MAX_DISCOUNT = 90
_SOMEBODYS = re.compile(r".*\w's .+")


def parse(row: Row) -> Listing:
    """The listing of one object.

    Raises:
        RejectedRowError: an error of the scraper, a deleted listing, or one without id, make, price
            or currency.
    """
    if row.raw("vehicle") is None and row.raw("code") is not None:
        raise RejectedRowError("code", row.raw("code"), "an error of the scraper, not a listing")
    if row.flag("listingDeleted"):
        raise RejectedRowError("listingDeleted", row.raw("listingDeleted"), "deleted at the source")
    make = make_of(row, "vehicle.make")
    features, convertible = _features(row)
    body = row.word("vehicle.type", BODIES)
    country = row.word("location.country", COUNTRIES)
    lat, lon = row.position("location.latitude", "location.longitude")
    automatic = row.flag("vehicle.automaticTransmission")
    return Listing(
        source=SOURCE,
        source_key=row.required_name("id"),
        line=row.line,
        host_key=SOURCE,
        host_name="Host in Montréal",
        status="unlisted" if row.flag("listingEnabled") is False else "listed",
        make=make,
        model=model_of(row, "vehicle.model", make),
        year=row.year("vehicle.year"),
        title=_title(row),
        description=row.prose("description"),
        body=CONVERTIBLE if body == CAR and convertible else body,
        fuel=row.word("basicCarDetails.fuelType.value", FUELS),
        transmission=None if automatic is None else AUTOMATIC if automatic else MANUAL,
        seats=row.integer("basicCarDetails.numberOfSeats", 1, 60),
        doors=row.integer("basicCarDetails.numberOfDoors", 1, 10),
        daily_rate_cents=row.cents("rate.averageDailyPriceWithCurrency.amount"),
        currency=_currency(row),
        weekly_discount_pct=row.integer("rate.weeklyDiscountPercentage", 0, _MAX_DISCOUNT) or 0,
        monthly_discount_pct=row.integer("rate.monthlyDiscountPercentage", 0, _MAX_DISCOUNT) or 0,
        lat=lat,
        lon=lon,
        city=row.spelled(
            "location.city", row.name("location.city"), lambda name: city(name, country)
        ),
        region=row.word("location.state", STATES if country == UNITED_STATES else PROVINCES)
        if country in {CANADA, UNITED_STATES}
        else None,
        country=country,
        time_zone=_time_zone(row),
        imported_rating=row.stars("ratings.ratingToHundredth"),
        imported_review_count=row.integer("numberOfReviews", 0, MAX_COUNT) or 0,
        trips=row.integer("tripCount", 0, MAX_COUNT) or 0,
        listed_at=_listed_at(row),
        features=features,
    )


def _title(row: Row) -> str | None:
    """The listing's own title, unless it is the default one: "Adrian's smart" names a person."""
    title = row.name("vehicle.name")
    if title is not None and _SOMEBODYS.fullmatch(title):
        row.note(Action.DROPPED, "vehicle.name", title, "it names a person")
        return None
    return title


def _currency(row: Row) -> str:
    """The currency of the price that is loaded; the viewer's own is not the listing's."""
    code = row.raw("rate.averageDailyPriceWithCurrency.currencyCode")
    if not isinstance(code, str) or not _CURRENCY.fullmatch(code):
        raise RejectedRowError(
            "rate.averageDailyPriceWithCurrency.currencyCode", code or "", "not a currency"
        )
    return code


def _time_zone(row: Row) -> str:
    zone = row.name("location.timeZone")
    try:
        return ZoneInfo(zone or "UTC").key
    except (ValueError, OSError, LookupError):
        row.note(Action.DROPPED, "location.timeZone", zone, "not a time zone")
        return "UTC"


def _listed_at(row: Row) -> datetime | None:
    """The file has milliseconds since 1970; the site began in 2009."""
    field = "vehicle.listingCreatedTime"
    milliseconds = row.integer(field, _2009, _2100)
    listed = None if milliseconds is None else _EPOCH + timedelta(milliseconds=milliseconds)
    if listed is not None and listed > datetime.now(UTC):
        row.note(Action.DROPPED, field, milliseconds, "in the future")
        return None
    return listed


def _features(row: Row) -> tuple[tuple[str, ...], bool]:
    """The badges in display form, and whether one of them says that the roof opens."""
    badges = row.raw("badges")
    labels = set()
    for badge in badges if isinstance(badges, list) else ():
        label = badge.get("label") if isinstance(badge, dict) else None
        if not isinstance(label, str) or fold(label) not in FEATURES | {fold(CONVERTIBLE): ""}:
            row.note(Action.DROPPED, "badges", label, "not a known feature")
            continue
        labels.add(FEATURES.get(fold(label), CONVERTIBLE))
    return tuple(sorted(labels - {CONVERTIBLE})), CONVERTIBLE in labels
