"""The indexer's Celery application: `celery -A indexer.tasks worker -B`.

Beat hints once a second that there may be work; the dirty log says what work. A hint that is not
taken within its second is dropped, so hints never pile up; losing all of them only adds delay.
"""

from typing import Any

from celery.schedules import crontab
from celery.signals import setup_logging

from indexer import drain as draining
from indexer import medians as local_medians
from models.session import connect
from runtime.clients import celery, elasticsearch_if_any
from runtime.logging import configure_logging
from runtime.settings import settings

app = celery(settings(), "indexer")
app.conf.beat_schedule = {
    "drain": {"task": "indexer.drain", "schedule": 1.0, "options": {"expires": 1}},
    "medians": {
        "task": "indexer.medians",
        "schedule": crontab(hour="3", minute="30"),
        "options": {"expires": 3600},
    },
}


@setup_logging.connect
def _log_like_every_process(**_: Any) -> None:
    configure_logging(settings())


@app.task(name="indexer.drain")
def drain() -> int:
    """Bring the index up to date; the number of dirty rows done."""
    current = settings()
    with (
        connect(current, application="drain") as connection,
        elasticsearch_if_any(current, request_timeout=draining.LEASE_S) as client,
    ):
        return draining.drain(connection, client)


@app.task(name="indexer.medians")
def medians() -> int:
    """Take today's local medians over; the number of vehicles whose documents they change."""
    with connect(settings(), application="medians") as connection:
        return local_medians.recompute(connection).vehicles
