"""A first page on which neither a host nor a model floods: the first hundred hits, re-ranked.

The window is always the engine's own first hundred, whatever the size of a page. Its order is made
once, on the first page; what that does not show is pinned, as ids, by its cursor. So the pages cut
one list into pieces, and behind the window the walk continues after the hundredth hit.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace
from typing import Any, Protocol

from msgspec.structs import replace

from search.fields import RELEVANCE
from search.page import Candidate, SearchPage, Window
from search.profiles import DEFAULT
from search.profiles.profile import Diversity
from search.request import SearchRequest

WINDOW = 100


class Engine(Protocol):
    """What both engines can do."""

    async def search(self, request: SearchRequest) -> SearchPage:
        """One page in the engine's own order."""

    async def window(self, request: SearchRequest) -> Window:
        """The first hits as candidates, with the page that they leave empty."""


async def search(engine: Engine, request: SearchRequest) -> SearchPage:
    """One page from `engine`, by relevance in the diverse order; raises as `engine.search` does.

    A page ends where the window does, though it be short: the caller goes on behind it.
    """
    if request.only:
        return await engine.search(request)
    if request.pinned:
        return await _pinned(engine, request)
    if DEFAULT.diversity.on and request.sort == RELEVANCE and request.after is None:
        return await _first(engine, request, DEFAULT.diversity)
    return await engine.search(request)


async def _first(engine: Engine, request: SearchRequest, diversity: Diversity) -> SearchPage:
    window = await engine.window(replace(request, limit=WINDOW))
    order = rerank(window.candidates, diversity, by_model="model" in request.spread)
    shown, rest = order[: request.limit], order[request.limit :]
    whole = window.page
    if not shown:
        return whole
    if window.documents:
        return replace(whole, pinned=rest, items=window.items(request, shown))
    if request.text is None:
        return replace(whole, pinned=rest, unread=shown)
    # For the highlights. That they match, and how many do, is known by now.
    page = await engine.search(alone(request, shown))
    took_ms = whole.took_ms + page.took_ms
    return replace(whole, pinned=rest, items=in_order(page.items, shown), took_ms=took_ms)


def alone(request: SearchRequest, ids: Sequence[int]) -> SearchRequest:
    """The search for these of its vehicles, without counting any."""
    return replace(request, only=tuple(ids), pinned=(), after=None, counted=False, facets=())


def in_order(items: Sequence[dict[str, Any]], ids: Sequence[int]) -> list[dict[str, Any]]:
    """Those items that are still found, in the order of the ids."""
    found = {item["id"]: item for item in items}
    return [found[each] for each in ids if each in found]


async def _pinned(engine: Engine, request: SearchRequest) -> SearchPage:
    shown, rest = request.pinned[: request.limit], request.pinned[request.limit :]
    page = await engine.search(replace(request, only=shown, pinned=(), after=None))
    return replace(
        page,
        items=in_order(page.items, shown),
        pinned=rest,
        last=None if request.after is None else list(request.after),
    )


def rerank(
    candidates: Sequence[Candidate], diversity: Diversity, *, by_model: bool
) -> tuple[int, ...]:
    """The ids, each next one being the best after what repeating its host and model costs.

    `candidates` come by score.

    Maximal marginal relevance (Carbonell and Goldstein, 1998), with repetitions for similarity; the
    better candidate wins a tie. Costs only grow, so of most candidates it is known beforehand what
    they are worth when they are chosen: those of their model that are better and have a host of
    their own come before them for certain. The others begin with what they will cost at least, and
    are put back with what they cost when they come up.
    """
    repeats = diversity.repeats
    counts = range(repeats + 1)
    host_costs = [diversity.cost(n, 0) for n in counts]
    if not by_model:
        return _by_host(candidates, host_costs)
    model_costs = [diversity.cost(0, n) for n in counts]
    times = Counter([each.host for each in candidates])
    certain: list[tuple[float, int, Candidate]] = []
    others: list[tuple[float, int, Candidate]] = []
    doubtful = set()  # models of which a better one shares its host
    models: defaultdict[str | int | None, int] = defaultdict(int)
    for rank, each in enumerate(candidates):
        model = each.model
        before = models[model]
        worth = (model_costs[before] - each.score, rank, each)
        if times[each.host] > 1:
            others.append(worth)
            doubtful.add(model)
            continue
        if before == repeats:
            certain.append(worth)
            continue
        (others if model in doubtful else certain).append(worth)
        models[model] = before + 1
    certain.sort(reverse=True)
    heapify(others)
    hosts: defaultdict[int | None, int] = defaultdict(int)
    models.clear()
    order: list[int] = []
    while others:
        while certain and certain[-1] < others[0]:
            best = certain.pop()[2]
            order.append(best.id)
            models[best.model] += 1
        value, rank, best = others[0]
        of_host, of_model = min(hosts[best.host], repeats), min(models[best.model], repeats)
        now = host_costs[of_host] + model_costs[of_model] - best.score
        if now > value:
            heapreplace(others, (now, rank, best))
            continue
        heappop(others)
        order.append(best.id)
        hosts[best.host] += 1
        models[best.model] += 1
    return (*order, *[each.id for _, _, each in reversed(certain)])


def _by_host(candidates: Sequence[Candidate], costs: Sequence[float]) -> tuple[int, ...]:
    """The same where only hosts count: what each costs is known of all."""
    before: defaultdict[int | None, int] = defaultdict(int)
    last = len(costs) - 1
    worth: list[tuple[float, int, int]] = []
    for rank, each in enumerate(candidates):
        repeated = before[each.host]
        worth.append((costs[repeated] - each.score, rank, each.id))
        if repeated < last:
            before[each.host] = repeated + 1
    worth.sort()
    return tuple([vehicle_id for _, _, vehicle_id in worth])
