"""Who waits for messages in this process, and how it hears that there are some.

A hint says that a chat has a message of this number: by Redis, to all processes at once. It carries
no message, and losing it loses none: who waits reads what is stored. While Redis is away, one
query every two seconds asks for all chats that somebody waits for; while it is there, every 15, as
a process may be cut off alone.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bookings.chat import last_ids
from runtime.settings import Settings

log = structlog.get_logger(__name__)

DEAF_S, HEARING_S = 2.0, 15.0  # between two looks into the database
RETRY_S = 1.0  # between two tries for Redis
ANSWER_S = 2.0  # that it has for its answer
SILENCE_S = 5.0  # after which it is asked whether it is still there


class Waiter:
    """Somebody who has read a chat up to number `read` and waits for more."""

    def __init__(self, read: int) -> None:
        self.read = read
        self._more = asyncio.Event()

    def hear(self, number: int) -> None:
        """Wake up, if the number is news."""
        if number > self.read:
            self._more.set()

    async def more(self) -> None:
        """Return once there may be more, also if that was heard since the last call."""
        await self._more.wait()
        self._more.clear()


class ChatHints:
    """The hints of one process."""

    def __init__(self, settings: Settings, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        # Deployments that share a Redis differ in their index.
        self._channel = f"chat:{settings.index_alias}"
        self._waiters: defaultdict[int, set[Waiter]] = defaultdict(set)
        self._hints: dict[int, int] = {}  # that are not in Redis yet
        self._told = asyncio.Event()
        self._due = asyncio.Event()  # a look
        self._hears = False
        self._redis = Redis.from_url(
            settings.redis_url,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 1),  # once, for a connection of before a restart
        )

    @contextmanager
    def waiting(self, booking_id: int, read: int) -> Iterator[Waiter]:
        """A waiter for what follows message `read` of a booking; read once more after this."""
        waiter = Waiter(read)
        self._waiters[booking_id].add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[booking_id].discard(waiter)
            if not self._waiters[booking_id]:
                del self._waiters[booking_id]

    def tell(self, booking_id: int, number: int) -> None:
        """Say that message `number` is committed: here at once, elsewhere when Redis has it."""
        self._hear(booking_id, number)
        self._hints[booking_id] = max(number, self._hints.get(booking_id, 0))
        self._told.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hints come and go for as long as the block runs."""
        steps = (self._publish, self._subscribe, self._look)
        tasks = [asyncio.create_task(_for_ever(step)) for step in steps]
        try:
            yield
        finally:
            # More than once: a connection that is just being made can take it for its own failure.
            under_way = set(tasks)
            while under_way:
                for task in under_way:
                    task.cancel()
                _, under_way = await asyncio.wait(under_way, timeout=0.1)
            await self._redis.aclose()

    def _hear(self, booking_id: int, number: int) -> None:
        for waiter in self._waiters.get(booking_id, ()):
            waiter.hear(number)

    async def _publish(self) -> None:
        await self._told.wait()
        self._told.clear()
        hints, self._hints = self._hints, {}
        async with self._redis.pipeline(transaction=False) as pipeline:
            for booking_id, number in hints.items():
                pipeline.publish(self._channel, f"{booking_id} {number}")
            await pipeline.execute()

    async def _subscribe(self) -> None:
        try:
            async with self._redis.pubsub() as pubsub:
                await pubsub.subscribe(self._channel)
                await self._listen(pubsub)
        finally:
            if self._hears:
                self._hears = False
                self._due.set()  # or the next one would take as long as if it still heard

    async def _listen(self, pubsub: PubSub) -> None:
        asked = False
        while True:
            heard: dict[str, Any] | None = await pubsub.get_message(timeout=SILENCE_S)
            if heard is None:
                if asked:
                    raise RedisTimeoutError("Redis is silent")
                await pubsub.ping()
            elif heard["type"] == "subscribe":
                self._hears = True
                self._due.set()  # what was said before was not heard
            elif heard["type"] == "message":
                booking_id, _, number = heard["data"].partition(b" ")
                self._hear(int(booking_id), int(number))
            asked = heard is None

    async def _look(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARING_S if self._hears else DEAF_S):
                await self._due.wait()
        self._due.clear()
        if self._waiters:
            async with self._sessions() as session:
                found = await last_ids(session, list(self._waiters))
            for booking_id, number in found.items():
                self._hear(booking_id, number)


async def _for_ever(step: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await step()
        except (RedisError, OSError, SQLAlchemyError) as error:
            log.warning(
                "hints of messages are late", step=step.__name__, error=type(error).__name__
            )
            await asyncio.sleep(RETRY_S)
        except Exception:
            log.exception("hints of messages are late", step=step.__name__)
            await asyncio.sleep(RETRY_S)
