"""The photo worker as a Celery task of the application that workers run (indexer/tasks.py)."""

from functools import cache

from celery import shared_task

from bookings.photo_work import Worker
from models.session import connect
from runtime.cdn import Cdn, open_cdn
from runtime.object_store import ObjectStore, open_store
from runtime.settings import settings

TASK, QUEUE = "bookings.photos", "photos"
# As long as a run begins new photos: hints keep about one process busy and leave another free.
EVERY_S = 2.0


@cache
def _servers() -> tuple[ObjectStore, Cdn]:
    """Clients for as long as the process lives: making them costs more than using them."""
    return open_store(settings()), open_cdn(settings())


@shared_task(name=TASK)
def photos() -> int:
    """Look at what was uploaded, remove what was taken away; the number of rows done."""
    store, cdn = _servers()
    with connect(settings(), application="photos") as connection:
        return Worker(connection, store, cdn).work(EVERY_S)
