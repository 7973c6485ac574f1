"""A first page on which neither a host nor a model floods: the first hundred hits, re-ranked.

The window is always the engine's own first hundred, whatever the size of a page. Its order is made
once, on the first page; what that does not show is pinned, as ids, by its cursor. So the pages cut
one list into pieces, and behind the window the walk continues after the hundredth hit.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from heapq import heappop, heappush, heapreplace
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
    order = rerank(window.candidates, diversity, by_model=request.text is None)
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

    `candidates` come by score. With text its words choose the models: mixing these put what was
    asked for further down (docs/adr/0020).

    Maximal marginal relevance (Carbonell and Goldstein, 1998), with repetitions for similarity; the
    better candidate wins a tie. Costs only grow: each begins with what it will cost for certain,
    what costs more is put back with that, and looked at again when it comes up. So a look or two at
    each replace comparing all with all.
    """
    repeats = diversity.repeats
    counts = range(repeats + 1)
    host_costs = [diversity.cost(n, 0) for n in counts]
    if not by_model:
        return _by_one(candidates, [each.host for each in candidates], host_costs)
    model_costs = [diversity.cost(0, n) for n in counts]
    times = Counter([each.host for each in candidates])
    if len(times) == len(candidates):
        return _by_one(candidates, [each.model for each in candidates], model_costs)
    # Better ones of its model stand before it for certain if their hosts have no other.
    unseen: list[tuple[float, int, Candidate]] = []
    models: defaultdict[tuple[str | None, str | None], int] = defaultdict(int)
    for rank, each in enumerate(candidates):
        before = models[each.model]
        unseen.append((model_costs[before] - each.score, rank, each))
        if before < repeats and times[each.host] == 1:
            models[each.model] = before + 1
    unseen.sort(reverse=True)
    # How many of each stand before, up to the number from which on more cost the same.
    hosts: defaultdict[int | None, int] = defaultdict(int)
    models.clear()
    put_back: list[tuple[float, int, Candidate]] = []  # a heap
    order: list[int] = []
    while unseen or put_back:
        again = not unseen or (put_back and put_back[0] < unseen[-1])
        value, rank, best = put_back[0] if again else unseen.pop()
        host, model = best.host, best.model
        of_host, of_model = hosts[host], models[model]
        now = host_costs[of_host] + model_costs[of_model] - best.score
        if now > value:
            (heapreplace if again else heappush)(put_back, (now, rank, best))
            continue
        if again:
            heappop(put_back)
        order.append(best.id)
        if of_host < repeats:
            hosts[host] = of_host + 1
        if of_model < repeats:
            models[model] = of_model + 1
    return tuple(order)


def _by_one(
    candidates: Sequence[Candidate], of: Sequence[Hashable], costs: Sequence[float]
) -> tuple[int, ...]:
    """The same where only one thing repeats: each follows the better ones of its kind for certain.

    So what it costs is known beforehand, and the order is that of what each is then worth.
    """
    before: defaultdict[Hashable, int] = defaultdict(int)
    last = len(costs) - 1
    worth: list[tuple[float, int, int]] = []
    for rank, (each, kind) in enumerate(zip(candidates, of, strict=True)):
        repeated = before[kind]
        worth.append((costs[repeated] - each.score, rank, each.id))
        if repeated < last:
            before[kind] = repeated + 1
    worth.sort()
    return tuple([vehicle_id for _, _, vehicle_id in worth])
