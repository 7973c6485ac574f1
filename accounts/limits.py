"""How often one may try: counted in Redis for all processes, over a sliding window.

Fails closed: where nothing can count, nobody guesses either.
"""

import hashlib
import ipaddress
import time

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from accounts.addresses import normalised
from accounts.errors import InvalidFieldError, SignInUnavailableError, TooManyAttemptsError
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


class AttemptLimits:
    """The counters of one deployment."""

    def __init__(self, settings: Settings) -> None:
        self._pool = ConnectionPool.from_url(
            settings.redis_url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S
        )
        self._storage = RedisStorage(
            f"async+{settings.redis_url}",
            implementation="redispy",
            # Deployments that share a Redis differ in their index.
            key_prefix=f"limits:{settings.index_alias}",
            connection_pool=self._pool,  # type: ignore[arg-type]  # typed for plain values only
        )
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
