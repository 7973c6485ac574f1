"""Construction of the clients that more than one room needs."""

from contextlib import AbstractContextManager, nullcontext

from celery import Celery
from elasticsearch import Elasticsearch
from elasticsearch.serializer import OrjsonSerializer

from runtime.settings import Settings


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


def celery(settings: Settings, name: str) -> Celery:
    """A Celery application whose messages are hints: losing any or all of them loses nothing.

    Its queue is called `name`: applications that share a broker do not take each other's tasks.
    """
    app = Celery(name, broker=settings.redis_url)
    app.conf.update(
        task_default_queue=name,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        beat_scheduler="celery.beat:Scheduler",  # in memory: hints need no file to remember them
        broker_transport_options={"visibility_timeout": 60},
        timezone="UTC",
    )
    return app
