"""What accounts need done beside requests, as tasks of the one Celery application.

Hints, like the indexer's: rows are the state, every task may run twice, and losing all messages
delays mails until the next one.
"""

from typing import Any

from celery.schedules import crontab

from accounts import post, tidying
from models.session import connect
from runtime.settings import settings
from runtime.ticking import Ticking

# A mail server may be slow: a queue of its own, that a worker can be kept for.
QUEUE = "mail"
HINT_S = 10  # that a hint is good for
LONGEST_S = post.MOST * post.LEASE_S  # if a server used all its time at every step


def install(app: Any) -> None:
    """Add the tasks and their beat to a Celery application whose workers serve `QUEUE`."""
    # Acknowledged early: the next hint comes anyway, and a message given back comes too late.
    hint = {"acks_late": False, "soft_time_limit": LONGEST_S, "time_limit": LONGEST_S + 30}
    app.task(name="accounts.post", **hint)(send_mails)
    app.task(name="accounts.tidy", **hint)(tidy)
    routes = {"accounts.post": {"queue": QUEUE}, "accounts.tidy": {"queue": QUEUE}}
    app.conf.task_routes = {**(app.conf.task_routes or {}), **routes}
    app.conf.beat_schedule = {
        **(app.conf.beat_schedule or {}),
        "post": {
            "task": "accounts.post",
            "schedule": Ticking(1.0),
            "options": {"expires": HINT_S},
        },
        "tidy": {
            "task": "accounts.tidy",
            "schedule": crontab(hour=4, minute=7),
            "options": {"expires": 3600},
        },
    }


def send_mails() -> int:
    """Send the mails that are due; their number."""
    current = settings()
    with connect(current, application="post") as connection:
        return post.deliver(connection, current)


def tidy() -> int:
    """Delete what has expired; the number of rows."""
    with connect(settings(), application="tidy") as connection:
        return tidying.tidy(connection)
