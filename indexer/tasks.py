"""The indexer's Celery application: `celery -A indexer.tasks worker -B`.

Beat hints once a second that there may be work; the dirty log says what work. A hint that is not
taken soon is dropped, so hints never pile up; losing all of them only adds delay. Every task may
run twice, or at the same time as another: the rows are the state, never the message.

What takes long goes to a queue of its own, `indexer-slow`, so that a worker can be kept for the
drain (`-Q indexer`). Mails have theirs, `mail`, photos `photos`, and renting's clock `bookings`. A
worker that is not told serves all.
"""

import time
from typing import Any

import structlog
from celery.schedules import crontab
from celery.signals import setup_logging

from accounts import tasks as account_tasks
from bookings import photo_tasks
from bookings import tasks as renting
from indexer import audit as auditing
from indexer import bulk, lag, rebuild, slices
from indexer import drain as draining
from indexer import medians as local_medians
from models.session import connect
from runtime.clients import celery, elasticsearch_if_any
from runtime.logging import configure_logging
from runtime.settings import settings
from runtime.ticking import Ticking

__all__ = ["app", "photo_tasks"]

log = structlog.get_logger(__name__)

# Seconds that a hint is good for. More than the one until the next: the clocks of two machines
# differ, and a worker whose clock is ahead would find every hint expired.
HINT_S = 10
SLOW = "indexer-slow"
AUDIT_S = 6 * 3600  # more than any audit takes

app = celery(
    settings(),
    "indexer",
    also=[SLOW, account_tasks.QUEUE, photo_tasks.QUEUE, renting.QUEUE],
    longest=draining.LONGEST_RUN_S,
)
app.conf.task_routes = {
    "indexer.fill": {"queue": SLOW},
    "indexer.audit": {"queue": SLOW},
    photo_tasks.TASK: {"queue": photo_tasks.QUEUE},
}
app.conf.beat_schedule = {
    "drain": {"task": "indexer.drain", "schedule": Ticking(1.0), "options": {"expires": HINT_S}},
    "photos": {
        "task": photo_tasks.TASK,
        "schedule": Ticking(photo_tasks.EVERY_S),
        "options": {"expires": HINT_S},
    },
    "audit": {
        "task": "indexer.audit",
        "schedule": crontab(hour=3, minute=17),
        "options": {"expires": 3600},
    },
    "medians": {
        "task": "indexer.medians",
        "schedule": crontab(hour=3, minute=47),
        "options": {"expires": 3600},
    },
    **renting.SCHEDULE,
}
account_tasks.install(app)


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


# Acknowledged early: the next summons comes anyway, and a message given back after the broker's
# visibility timeout would only come too late.
@app.task(name="indexer.fill", acks_late=False)
def fill(build_id: int, max_rate: float | None = None) -> None:
    """Help a running `rides reindex` for some seconds; it calls again while there is work."""
    current = settings()
    until = time.monotonic() + rebuild.SUMMON_S
    with (
        connect(current, application="fill") as connection,
        elasticsearch_if_any(current) as client,
    ):
        row: Any = connection.execute(
            "SELECT index_name FROM index_builds WHERE id = %s", [build_id]
        ).fetchone()
        if row is None or client is None:
            return
        try:
            slices.fill(
                connection,
                client,
                build_id,
                row[0],
                throttle=slices.Throttle(max_rate),
                stop=lambda: time.monotonic() > until,
            )
        except (bulk.BuildStoppedError, bulk.OverloadedError) as error:
            # Whoever runs the reindex meets it too, and decides.
            log.warning("page not taken", index=row[0], error=str(error))


@app.task(name="indexer.audit", acks_late=False, soft_time_limit=AUDIT_S, time_limit=AUDIT_S + 60)
def audit() -> None:
    """The nightly audit of everything: what is wrong is mended, and kept for status and metrics."""
    current = settings()
    with (
        connect(current, application="audit") as connection,
        elasticsearch_if_any(current) as client,
    ):
        lag.tidy(connection)
        try:
            results = auditing.audit(connection, client, repair=True)
        except auditing.AuditError as error:
            log.error("no audit", error=str(error))  # noqa: TRY400 - the message says it all
            return
        for result in results:
            log.info("audited", store=result.store, checked=result.checked, n=len(result.findings))
