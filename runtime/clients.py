"""Construction of the clients that more than one room needs."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer
from kombu.connection import Connection
from kombu.entity import Queue

from runtime.settings import Settings

RETRY_S = 2  # between two tries for a broker that is away


def elasticsearch(settings: Settings, *, request_timeout: float = 30) -> Elasticsearch:
    """A blocking client without retries of its own: they come at once and multiply an overload."""
    return Elasticsearch(
        settings.elasticsearch_url,
        serializer=OrjsonSerializer(),
        request_timeout=request_timeout,
        max_retries=0,
        retry_on_timeout=False,
    )


def elasticsearch_if_any(
    settings: Settings, *, request_timeout: float = 30
) -> AbstractContextManager[Elasticsearch | None]:
    """A context with a client, or with None where no Elasticsearch is configured."""
    if not settings.elasticsearch_url:
        return nullcontext()
    return elasticsearch(settings, request_timeout=request_timeout)


class _Connection(Connection):
    """Tries for a broker that is away every `RETRY_S`; Celery's own comes to every 30 s.

    Worker and beat would each be deaf for up to 30 s after an outage of four minutes.
    """

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        """Wait for the broker."""
        options = {"interval_max": RETRY_S} | options
        return super().ensure_connection(*args, **options)  # type: ignore[no-untyped-call]


class _Amqp(AMQP):  # type: ignore[misc]  # Celery ships no types
    Connection = _Connection


class _Celery(Celery):  # type: ignore[misc]
    @cached_property
    def Worker(self) -> Any:  # noqa: N802 - Celery's name
        return self.subclass_with_self("runtime.worker:Worker")


def celery(
    settings: Settings, name: str, *, also: Sequence[str] = (), longest: float = 50
) -> Celery:
    """A Celery application whose messages are hints: losing any or all of them loses nothing.

    Its queue is called `name`: applications that share a broker do not take each other's tasks.
    Workers serve the queues in `also` too, unless told otherwise. A task that means to end after
    `longest` seconds is ended a while later.
    """
    app = _Celery(name, broker=settings.redis_url, amqp=_Amqp)
    app.conf.update(
        task_default_queue=name,
        task_queues=[Queue(each) for each in (name, *also)],  # type: ignore[no-untyped-call]
        task_ignore_result=True,
        # Acknowledged when done, also where the process was killed; with Redis, a message comes
        # back after the visibility timeout, by when the task has been ended.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_soft_time_limit=longest + 15,
        task_time_limit=longest + 30,
        broker_transport_options={
            "visibility_timeout": longest + 60,
            # A connection that died without a word is noticed, and a worker does not wait on it.
            "socket_keepalive": True,
            "health_check_interval": 10,
            "socket_timeout": 30,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # by default a worker gives up after 100, for good
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_prefetch_multiplier=1,
        worker_max_memory_per_child=200_000,  # kilobytes; then a fresh process takes its place
        # In memory: hints need no file to remember them.
        beat_scheduler="runtime.ticking:SteadyScheduler",
        timezone="UTC",
    )
    return app
