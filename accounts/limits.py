"""How often one may try, and how much one may ask: counted in Redis for all processes.

Attempts fail closed: where nothing can count, nobody guesses either. Requests fail open: a search
is worth more than its counter.
"""

import hashlib
import ipaddress
import time
from dataclasses import dataclass

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from accounts.addresses import normalised
from accounts.errors import InvalidFieldError, SignInUnavailableError, TooManyAttemptsError
from accounts.tokens import Principal
from models import Tier
from runtime.settings import Settings

log = structlog.get_logger(__name__)

# The guide's figure for somebody who is not signed in.
PER_NETWORK = RateLimitItemPerMinute(100, 15, namespace="network")
# Somebody who tries at one address from one network; then, from all networks together: enough
# that nobody is kept out by a single other person, too few to get anywhere.
LOGIN = RateLimitItemPerMinute(10, 15, namespace="login")
LOGIN_OF_ADDRESS = RateLimitItemPerHour(100, namespace="login-address")
# Passwords and codes of somebody who is signed in.
ACCOUNT = RateLimitItemPerMinute(20, 15, namespace="account")
# Mails that one address can be made to get.
MAILS = RateLimitItemPerHour(5, namespace="mails")

ANSWER_S = 2  # that Redis has for its answer

# Requests in a window, by tier: the guide's figures.
WINDOW_S = 15 * 60
REQUESTS = {Tier.PUBLIC: 100, Tier.AUTHENTICATED: 1000, Tier.PREMIUM: 5000}
HOT_ANSWER_S = 0.25  # every search waits for this one
PAUSE_S = 5.0  # without counting, after Redis has not answered


class AttemptLimits:
    """The counters of one deployment."""

    def __init__(self, settings: Settings) -> None:
        self._pool, self._storage = _storage(settings, "limits", ANSWER_S)
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    async def login(self, email: str, ip: str) -> None:
        """Count an attempt to sign in, whether it will succeed or not.

        Raises:
            TooManyAttemptsError: there were too many.
            SignInUnavailableError: Redis does not answer.
        """
        who = _address_key(email)
        await self._hit(PER_NETWORK, _network(ip))
        await self._hit(LOGIN, who, _network(ip))
        await self._hit(LOGIN_OF_ADDRESS, who)

    async def mail(self, email: str, ip: str) -> None:
        """Count a mail to an address, whether one will be sent or not.

        Raises:
            TooManyAttemptsError, SignInUnavailableError: as for `login`.
        """
        await self._hit(PER_NETWORK, _network(ip))
        await self._hit(MAILS, _address_key(email))

    async def attempt(self, ip: str) -> None:
        """Count any other attempt: at tokens, codes, providers.

        Raises:
            TooManyAttemptsError, SignInUnavailableError: as for `login`.
        """
        await self._hit(PER_NETWORK, _network(ip))

    async def account(self, account_id: int, ip: str) -> None:
        """Count an attempt at a password or code of who is signed in.

        Raises:
            TooManyAttemptsError, SignInUnavailableError: as for `login`.
        """
        await self._hit(PER_NETWORK, _network(ip))
        await self._hit(ACCOUNT, str(account_id))

    async def reset(self) -> None:
        """Forget everything that was counted."""
        await self._storage.reset()

    async def close(self) -> None:
        """Let the connections go."""
        await self._pool.aclose()

    async def _hit(self, item: RateLimitItem, *who: str) -> None:
        try:
            if await self._limiter.hit(item, *who):
                return
            window = await self._limiter.get_window_stats(item, *who)
        except (RedisError, OSError) as error:
            log.warning("attempts cannot be counted", error=str(error))
            raise SignInUnavailableError from error
        seconds = window.reset_time - time.time()
        raise TooManyAttemptsError(max(1, round(seconds)))


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a window's requests; `remaining` is below 0 where this one was too many."""

    limit: int
    remaining: int
    seconds: int


class RequestLimits:
    """Counts requests of everybody, in windows that are the same for all."""

    def __init__(self, settings: Settings) -> None:
        self._pool, self._storage = _storage(settings, "requests", HOT_ANSWER_S)
        self._paused_until = 0.0

    async def count(self, principal: Principal | None, ip: str) -> Quota | None:
        """Count a request; None where that is not possible right now, which lets it through."""
        if time.monotonic() < self._paused_until:
            return None
        tier = principal.tier if principal is not None else Tier.PUBLIC
        who = _network(ip) if principal is None else f"account {principal.account_id}"
        window, passed = divmod(int(time.time()), WINDOW_S)
        try:
            # One call of one round trip, and it says the count.
            done = await self._storage.incr(f"{who}/{window}", WINDOW_S)
        except (RedisError, OSError) as error:
            self._paused_until = time.monotonic() + PAUSE_S
            log.warning("requests are not counted", error=str(error))
            return None
        return Quota(REQUESTS[tier], REQUESTS[tier] - done, WINDOW_S - passed)

    async def reset(self) -> None:
        """Forget everything that was counted."""
        await self._storage.reset()

    async def close(self) -> None:
        """Let the connections go."""
        await self._pool.aclose()


def _storage(settings: Settings, what: str, answer_s: float) -> tuple[ConnectionPool, RedisStorage]:
    pool = ConnectionPool.from_url(
        settings.redis_url, socket_timeout=answer_s, socket_connect_timeout=answer_s
    )
    storage = RedisStorage(
        f"async+{settings.redis_url}",
        implementation="redispy",
        # Deployments that share a Redis differ in their index.
        key_prefix=f"{what}:{settings.index_alias}",
        connection_pool=pool,  # type: ignore[arg-type]  # typed for plain values only
    )
    return pool, storage


def _address_key(email: str) -> str:
    """One key per address however it is written, and no address in Redis."""
    try:
        email = normalised(email)
    except InvalidFieldError:
        email = email.strip().lower()
    return hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()[:32]


def _network(ip: str) -> str:
    """The address; of IPv6 the /64, as every customer has at least so many."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip  # a socket's path, or a test's client
    if address.version == 6:  # noqa: PLR2004 - its name
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
