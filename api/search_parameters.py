"""A query string as a `SearchRequest`: parsed once, everything wrong named at once."""

import re
from calendar import monthrange
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from math import ceil, floor
from typing import Any, Self
from urllib.parse import parse_qsl

from fastapi import Request
from msgspec import Struct
from pydantic import ValidationError, create_model

from api.errors import invalid_request
from api.schemas.common import FieldError
from api.schemas.search import ALL_FACETS, PARAMETERS, FixedParameters, SearchParameters
from search.fields import DISTANCE, FACETS, FIELDS, LONGEST_TOTAL, PRICE, camel
from search.request import Box, Dates, Near, SearchRequest

LONGEST_RENTAL = 365  # days
MONTHS_AHEAD = 18
_FACET_NAMES = dict(zip(ALL_FACETS, (*FACETS, PRICE), strict=True))
_MATCHED = tuple(field.name for field in FIELDS if field.match)
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_FLAGS = tuple(field.name for field in FIELDS if field.flag)
# By field: its parameters' names, as far as it has them, and what a unit of theirs is stored as.
_BOUNDED = tuple(
    (field.name, f"{field.bounds.parameter}_min", f"{field.bounds.parameter}_max", field.bounds)
    for field in FIELDS
    if field.bounds
)
_BETWEEN = tuple(
    field.bounds.parameter
    for field in FIELDS
    if field.bounds and field.bounds.ends == ("min", "max")
)


# With which others a parameter may be at odds: nothing is said of it where one of them is wrong.
_DAYS = ("start", "end", "month", "days", "flexDays")
_TOGETHER = {
    "lat": ("lat", "lon"),
    "lon": ("lat", "lon"),
    "radiusKm": ("lat", "lon"),
    "sort": ("lat", "lon"),
    "priceBasis": _DAYS,
    **dict.fromkeys(_DAYS, _DAYS),
}


class Accepted(Struct, frozen=True):
    """The parameters of a route: the model that validates them, and which of its names it takes."""

    model: type[FixedParameters]
    names: Mapping[str, bool]  # to whether the parameter may be repeated

    @classmethod
    def searching(cls, name: str, *, without: Container[str] = (), **own: Any) -> Self:
        """A search's parameters `without` some, and a route's `own` as `create_model` takes them.

        What is left out keeps its default.
        """
        model = create_model(name, __base__=SearchParameters, **own)
        names = {info.alias or each: each for each, info in model.model_fields.items()}
        return cls(model, {n: PARAMETERS.get(n, False) for n in names if n not in without})


SEARCH = Accepted(SearchParameters, PARAMETERS)


def pairs(request: Request) -> list[tuple[str, str]]:
    """The pairs of the query string, without the tables that Starlette makes of them."""
    return parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def parse(query: Iterable[tuple[str, str]], today: date) -> tuple[SearchRequest, str | None]:
    """The search that the query string asks for, and its cursor.

    Raises:
        Problem: 422, naming every unknown or wrong parameter and what is allowed.
    """
    parameters, request = parse_for(SEARCH, query, today)
    return request, parameters.cursor


def parse_for(
    accepted: Accepted, query: Iterable[tuple[str, str]], today: date
) -> tuple[Any, SearchRequest]:
    """A route's own parameters, validated, and the search that is in them.

    Raises:
        Problem: 422, naming every unknown or wrong parameter and what is allowed.
    """
    given, errors = _collect(accepted.names, query)
    wrong: set[str] = set()
    try:
        parameters = accepted.model.model_validate(given)
    except ValidationError as invalid:
        found = [_field_error(error) for error in invalid.errors(include_url=False)]
        errors += found
        wrong = {each.pointer for each in found}
        # What else is wrong shows without these, if the rest makes a whole.
        rest = {name: value for name, value in given.items() if name not in wrong}
        try:
            parameters = accepted.model.model_validate(rest)
        except ValidationError:
            raise invalid_request(errors) from None
    box, box_errors = _box(parameters.bbox)
    errors += box_errors
    contradictions = _contradictions(parameters, today)
    errors += _news(contradictions, wrong)
    wrong |= {pointer for pointer, _ in contradictions}
    request = _request(parameters, box, dated=wrong.isdisjoint(_DAYS))
    # A text is read first: see `require_whole`.
    if not (parameters.q or getattr(parameters, "text", None)):
        errors += _news(_lacking(request), wrong)
    if errors:
        raise invalid_request(errors)
    return parameters, request


def _news(found: Iterable[tuple[str, str]], wrong: Container[str]) -> list[FieldError]:
    """Errors, by parameter, without those that may come of another that is `wrong`."""
    return [
        FieldError(pointer=pointer, message=message)
        for pointer, message in found
        if not any(other in wrong for other in _TOGETHER.get(pointer, ()))
    ]


def _collect(
    names: Mapping[str, bool], query: Iterable[tuple[str, str]]
) -> tuple[dict[str, Any], list[FieldError]]:
    given: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in query:
        if name not in names:
            errors.append(FieldError(pointer=name[:100], message=_unknown(name, names)))
        elif "\ufffd" in value:  # what the server puts in place of what it cannot decode
            errors.append(FieldError(pointer=name, message="must be percent-encoded UTF-8"))
        elif names[name]:
            values = value.split(",") if name == "facets" else [value]
            given.setdefault(name, []).extend(values)
        elif name in given:
            errors.append(FieldError(pointer=name, message="may be given only once"))
        else:
            given[name] = value
    return given, errors


def _unknown(name: str, names: Iterable[str]) -> str:
    close = get_close_matches(name[:100], names, 1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"unknown parameter; {hint}allowed are {', '.join(names)}"


def _field_error(error: Any) -> FieldError:
    # The union of a number with None adds its own step to the location: only the name is of use.
    return FieldError(
        pointer=str(error["loc"][0]), message=error["msg"].removeprefix("Value error, ")
    )


def _box(value: str | None) -> tuple[Box | None, list[FieldError]]:
    if value is None:
        return None, []
    parts = value.split(",")
    if len(parts) != 4 or not all(map(_DECIMAL.fullmatch, parts)):  # noqa: PLR2004 - four sides
        message = "must be four numbers of degrees: west,south,east,north"
        return None, [FieldError(pointer="bbox", message=message)]
    west, south, east, north = map(float, parts)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 - degrees
        message = "must lie within -180..180 and -90..90 degrees, with south not above north"
        return None, [FieldError(pointer="bbox", message=message)]
    return Box(west, south, east, north), []


def _contradictions(asked: FixedParameters, today: date) -> list[tuple[str, str]]:
    errors: list[tuple[str, str]] = []
    if (asked.lat is None) != (asked.lon is None):
        errors.append(("lat" if asked.lat is None else "lon", "lat and lon come together"))
    if asked.lat is None and asked.radius_km is not None:
        errors.append(("radiusKm", "needs lat and lon"))
    errors += _wrong_dates(asked, today)
    for name in _BETWEEN:
        low, high = getattr(asked, f"{name}_min"), getattr(asked, f"{name}_max")
        if low is not None and high is not None and low > high:
            errors.append((f"{name}Min", f"must not be above {name}Max"))
    if asked.facets and "none" in asked.facets and len(asked.facets) > 1:
        errors.append(("facets", "none excludes every other facet"))
    return errors


def _wrong_dates(asked: FixedParameters, today: date) -> list[tuple[str, str]]:
    if asked.month or asked.days:
        if asked.start or asked.end or asked.flex_days:
            if not asked.month and (asked.start or asked.end):
                return [("days", "goes with month only: start and end say how many")]
            excluding = "month" if asked.month else "days"
            return [(excluding, "excludes start, end and flexDays")]
        return _wrong_month(_first_of(asked.month), asked.days, today) if asked.month else []
    if asked.start is None or asked.end is None:
        if asked.start or asked.end:
            return [("end" if asked.start else "start", "start and end come together")]
        return []
    days = (asked.end - asked.start).days
    if days < 1:
        return [("end", "must be after start")]
    if days > LONGEST_RENTAL:
        return [("end", f"must be at most {LONGEST_RENTAL} days after start")]
    # Somewhere on Earth it may still be yesterday.
    if asked.start < today - timedelta(days=1):
        return [("start", "must not be in the past")]
    return []


def _wrong_month(first: date, days: int | None, today: date) -> list[tuple[str, str]]:
    yesterday = today - timedelta(days=1)  # it may still be that somewhere
    ahead = 12 * (first.year - today.year) + first.month - today.month
    if first < yesterday.replace(day=1) or ahead > MONTHS_AHEAD:
        return [("month", f"must be the current one or at most {MONTHS_AHEAD} months ahead")]
    length = monthrange(first.year, first.month)[1]
    if days and days > length:
        return [("days", f"must be at most {length}: {first:%Y-%m} has no more")]
    if days and first + timedelta(days=length - days) < yesterday:
        return [("days", f"must be fewer: of {first:%Y-%m} not so many are left")]
    return []


def _lacking(request: SearchRequest) -> list[tuple[str, str]]:
    """What is open that has to be known."""
    found = []
    if request.sort == DISTANCE and request.near is None:
        found.append(("sort", "distance needs lat and lon, or a city in the text"))
    together = "month and days come together; one may be in the text"
    for name in request.half_dates:
        match name:
            case "flexDays":
                found.append((name, "needs start and end, or days in the text"))
            case "month":
                found.append(("days", together))
            case "days":
                found.append(("month", together))
    if request.price_basis == "total" and not request.half_dates:
        found += _wrong_basis(request.dates)
    return found


def _wrong_basis(dates: Dates | None) -> list[tuple[str, str]]:
    if dates is None:
        return [("priceBasis", "total needs start and end, or month and days")]
    if dates.days > LONGEST_TOTAL:
        return [("priceBasis", f"total takes 1 to {LONGEST_TOTAL} days, not {dates.days}")]
    return []


def require_whole(sent: SearchRequest, asked: SearchRequest, today: date) -> None:
    """Make sure that nothing is open of a search as it is `asked`, now that its text has been read.

    Raises:
        Problem: 422; neither the parameters nor the text say a search's days or point, or together
            they say what cannot be.
    """
    wrong = _lacking(asked)
    if sent.half_dates and asked.dates and asked.dates.later is not None:
        wrong += _wrong_month(asked.dates.start, asked.dates.days, today)
    if wrong:
        raise invalid_request(_news(wrong, ()))


def _first_of(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _dates(asked: FixedParameters) -> Dates | None:
    if asked.month and asked.days:
        return Dates.of_month(_first_of(asked.month), asked.days)
    if asked.start and asked.end:
        return Dates(asked.start, asked.end, asked.flex_days)
    return None


def _half_dates(asked: FixedParameters) -> dict[str, Any]:
    """What is said of days of which something is left open."""
    said = {"flexDays": asked.flex_days or None, "month": asked.month, "days": asked.days}
    return {name: value for name, value in said.items() if value is not None}


def _request(asked: FixedParameters, box: Box | None, *, dated: bool) -> SearchRequest:
    """The search; where it is not `dated`, what is said of days is wrong and left out."""
    dates = _dates(asked) if dated else None
    filters, ranges, flags = {}, {}, {}
    given = asked.model_fields_set
    for name in _MATCHED:
        if name in given and (values := getattr(asked, name)):
            # Case is ignored, so "Kia" and "kia" are one value.
            filters[name] = tuple({value.lower(): value for value in values}.values())
    for name in _FLAGS:
        if name in given and (flag := getattr(asked, name)) is not None:
            flags[name] = flag
    for name, least, most, bounds in _BOUNDED:
        if least in given or most in given:
            low = _stored(getattr(asked, least, None), bounds.scale, ceil)
            high = _stored(getattr(asked, most, None), bounds.scale, floor)
            ranges[name] = (low, high)
    near = None
    if asked.lat is not None and asked.lon is not None:
        near = Near(asked.lat, asked.lon, asked.radius_km)
    return SearchRequest(
        text=(asked.q or "").strip() or None,
        near=near,
        box=box,
        dates=dates,
        half_dates=_half_dates(asked) if dated and dates is None else {},
        filters=filters,
        ranges=ranges,
        flags=flags,
        price_basis=asked.price_basis,
        sort=asked.sort,
        keep=tuple(asked.keep),
        typing=asked.typing and not (asked.q or "")[-1:].isspace(),
        facets=_facets(asked.facets, continued=asked.cursor is not None),
        limit=asked.limit,
    )


def _stored(end: float | None, scale: int, within: Callable[[float], int]) -> int | None:
    """An end of a range as it is stored, so that nothing beyond it is found."""
    # 4.7 * 100 is a little more than 470.
    return None if end is None else within(round(end * scale, 6))


def _facets(asked: Sequence[str] | None, *, continued: bool) -> tuple[str, ...]:
    if asked is None:
        return () if continued else tuple(_FACET_NAMES.values())
    return tuple(dict.fromkeys(_FACET_NAMES[name] for name in asked if name != "none"))


def openapi_parameters(accepted: Accepted = SEARCH) -> list[dict[str, Any]]:
    """The parameters as OpenAPI lists them, from the very model that validates them."""
    schema = accepted.model.model_json_schema(by_alias=True)
    required = schema.get("required", ())
    return [
        _openapi_parameter(name, part) | {"required": name in required}
        for name, part in schema["properties"].items()
        if name in accepted.names
    ]


def _openapi_parameter(name: str, part: dict[str, Any]) -> dict[str, Any]:
    part = dict(part)
    # Optional here means that it may be left out, not that it may be null.
    alternatives = [each for each in part.pop("anyOf", []) if each.get("type") != "null"]
    for alternative in alternatives:
        part |= alternative
    examples = part.pop("examples", [])
    description = part.pop("description", "")
    part.pop("title", None)
    if part.get("default", 0) is None:
        part.pop("default")
    shown: dict[str, Any] = {
        "name": camel(name),
        "in": "query",
        "required": False,
        "description": description,
        "schema": part,
    }
    if examples:
        shown["example"] = examples[0]
    return shown
