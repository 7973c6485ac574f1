"""What one search asks for and a relaxed one does not, for people and for programs."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from search.fields import FIELDS, camel
from search.parameters import parameters
from search.query.text import is_optional
from search.request import SearchRequest
from search.words import split

# What is called otherwise than in the table of fields, where it is asked for.
_CALLED = {"rating": "rating", "daily_rate": "price", "region": "region", "make": "make"}
_PARAMETERS = {
    name: _CALLED.get(field.name, field.about.lower())
    for field in FIELDS
    for name in (
        [camel(field.name)] * bool(field.match)
        + [f"{field.bounds.parameter}{end}" for end in ("Min", "Max") if field.bounds]
    )
}


def given_up(asked: SearchRequest, relaxed: SearchRequest) -> list[dict[str, Any]]:
    """`{parameter, was, now, label}` for each parameter that asks for less; `now` None if gone."""
    before, after = parameters(asked), parameters(relaxed)
    if asked.dates:
        before.setdefault("flexDays", 0)
    return [
        {
            "parameter": name,
            "was": was,
            "now": after.get(name),
            "label": _label(name, was, after.get(name), before, after),
        }
        for name, was in before.items()
        if name != "keep" and was != after.get(name, 0 if name == "flexDays" else None)
    ]


def _label(
    name: str, was: Any, now: Any, before: Mapping[str, Any], after: Mapping[str, Any]
) -> str:
    if name in {"city", "region", "country", "radiusKm", "bbox"}:
        return _place(name, was, now, around="radiusKm" in after and "radiusKm" not in before)
    match name:
        case "q" if now and not set(split(now)) <= set(split(was)):
            return f"Results for \u201c{now}\u201d"
        case "q":
            gone = Counter(split(was)) - Counter(split(now or ""))
            words = [word for word in dict.fromkeys(split(was)) if word in gone]
            mattered = [word for word in words if not is_optional(word)] or [was]
            return f"Without \u201c{' '.join(mattered)}\u201d"
        case "flexDays":
            return f"Up to {now} days earlier or later"
        case "priceMin" | "priceMax" if now is not None:
            per = "in total" if after.get("priceBasis") == "total" else "a day"
            return f"{'From' if name == 'priceMin' else 'Up to'} {now / 100:g} {per}"
        case "model" if "make" in after:
            return f"Any {' or '.join(after['make'])}"
        case "instantBook":
            return "With or without instant booking"
        case "features":
            return f"Without {', '.join(value for value in was if value not in (now or ()))}"
    return f"Any {_PARAMETERS.get(name, name)}"


def _place(name: str, was: Any, now: Any, *, around: bool) -> str:
    """`around`: a point has taken the place of names."""
    match name:
        case "radiusKm":
            return "At any distance" if now is None else f"Within {now:g} km"
        case "bbox":
            return "Anywhere"
        case "city" if around:
            return f"Around {was[0]}, not only in it"
        case _ if around:
            return f"Also outside {' and '.join(was)}"
    return f"Any {_PARAMETERS[name]}"
