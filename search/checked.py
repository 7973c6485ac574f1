"""A page, or a map, of which PostgreSQL says that every vehicle can be booked.

The index may be a second behind. What was just taken, hidden, or has come too near for its host's
notice is dropped, and what follows in the same order moves up.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from search import diversity
from search.clusters import MapView
from search.engine import SearchUnavailableError
from search.fallback import Answer, Searches
from search.page import Item, SearchPage, ready
from search.request import Dates, SearchRequest
from search.truth import Truth

# Then the page may be short, and says how to go on. An engine takes up to a second to fail: a page
# that has taken half of one already must not wait for that as well.
REFILLS = 3
REFILL_S = 0.5


async def search(
    searches: Searches,
    truth: Truth,
    request: SearchRequest,
    now: datetime,
    issuer: str | None = None,
) -> SearchPage:
    """One page; its facets and its total are the index's and may be a second old.

    It continues behind the last hit that was looked at. That is the last one shown, or dropped
    ones behind it: no vehicle is passed over that was not found taken. If PostgreSQL does not
    answer, the page stands as the index has it, `checked` is False, and booking still decides.

    `issuer` is the engine that issued the cursor from which it continues. What moves up comes from
    the engine that began the page; if that goes away in between, the page is short.

    Raises:
        CursorEngineChangedError: the page would be of another order than those before it.
        SearchUnavailableError: no engine has a whole answer.
    """
    begun = time.monotonic()
    first = part = await searches.search(request, issuer)
    # By id: what moves down the order between two calls is shown once.
    shown: dict[int, Item] = {}
    for refill in range(REFILLS + 1):
        kept = await _unread(truth, part, request, now)
        if kept is None:
            part = await _read(searches, part, request, first.engine)
            bookable = await truth.bookable([each["id"] for each in part.items], request.dates, now)
            if bookable is None:
                return _page(first, part, shown | _by_id(part.items), checked=False)
            kept = _by_id(_kept(part.items, bookable, request.dates))
        shown |= kept
        missing = request.limit - len(shown)
        late = refill == REFILLS or time.monotonic() - begun > REFILL_S
        if not part.more or not missing or late:
            break
        rest = replace(
            request,
            after=None if part.last is None else tuple(part.last),
            pinned=part.pinned,
            counted=False,
            limit=missing,
            facets=(),
        )
        try:
            part = await searches.more(rest, first.engine)
        except SearchUnavailableError:
            break
    return _page(first, part, shown, checked=True)


def _page(
    first: SearchPage, part: SearchPage, shown: dict[int, Item], *, checked: bool
) -> SearchPage:
    """The page that began as `first` and continues where its last `part` does."""
    items = list(shown.values())
    return replace(
        first, items=items, last=part.last, pinned=part.pinned, unread=(), checked=checked
    )


async def _unread(
    truth: Truth, part: SearchPage, request: SearchRequest, now: datetime
) -> dict[int, Item] | None:
    """Those of the page's unread vehicles that can be booked; None if PostgreSQL lacks one."""
    if not part.unread:
        return None
    found = await truth.items(part.unread, request.dates, now)
    if found is None:
        return None
    shown: dict[int, Item] = {}
    flexible = request.dates is not None and request.dates.flexible
    for vehicle in part.unread:
        if vehicle in found:
            start, item, total = found[vehicle]
            beside = _window(request.dates, start) if flexible else {}
            shown[vehicle] = ready(request, item, total, beside)
    return shown


def _by_id(items: Iterable[dict[str, Any]]) -> dict[int, Item]:
    return {each["id"]: each for each in items}


async def _read(
    searches: Searches, part: SearchPage, request: SearchRequest, engine: str
) -> SearchPage:
    """The page with the items that its engine has, where they are unread."""
    if not part.unread:
        return part
    page = await searches.more(diversity.alone(request, part.unread), engine)
    return replace(part, items=diversity.in_order(page.items, part.unread))


async def clusters(searches: Searches, truth: Truth, view: MapView, now: datetime) -> Answer:
    """A map section; its single vehicles can be booked, its clusters are as the index has them.

    Single vehicles are all that the section holds, so what is dropped leaves the total as well:
    clusters' counts and items always sum to it.

    Raises:
        SearchUnavailableError: no engine has a whole answer.
    """
    found = await searches.clusters(view)
    items = found.content["items"]
    if not items:
        return found
    dates = view.request.dates
    bookable = await truth.bookable([each["id"] for each in items], dates, now)
    if bookable is None:
        return replace(found, degraded=True)
    kept = _kept(items, bookable, dates)
    total = {"value": len(kept), "exact": True}
    return replace(found, content=found.content | {"items": kept, "total": total})


def _kept(
    items: Iterable[dict[str, Any]], bookable: Mapping[int, date | None], dates: Dates | None
) -> list[dict[str, Any]]:
    return [each | _window(dates, bookable[each["id"]]) for each in items if each["id"] in bookable]


def _window(dates: Dates | None, start: date | None) -> dict[str, Any]:
    """The days that a vehicle of flexible dates can be booked for.

    Every window costs the same: a total depends on the number of days only.
    """
    if not dates or not dates.flexible or start is None:
        return {}
    return {"window": {"start": start, "end": start + timedelta(days=dates.days)}}
