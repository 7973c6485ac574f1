"""From an upload to a photo, whatever happens in between: the rows say what is left to do."""

import threading
from io import BytesIO

import boto3
import psycopg
import pytest
from PIL import Image

from bookings.photo_work import IMMUTABLE, MOST_ATTEMPTS, Worker
from bookings.photos import folder, raw_key
from runtime.cdn import CloudFront, NoCdn
from runtime.object_store import FolderStore, StoreUnavailableError
from runtime.s3 import S3Store
from tests.bookings.pictures import picture, where_it_was_taken
from tests.factory import store_vehicle
from tests.runtime.distribution import invalidated, make

LONG_S = 60


def ask(conn, vehicle, content=b"", *, state="uploaded", content_type="image/jpeg", size=None):
    """A row of `photo_uploads`, as the API leaves it; its id."""
    (photo,) = conn.execute(
        "INSERT INTO photo_uploads (id, vehicle_id, state, content_type, bytes, reason)"
        " VALUES (nextval('photos_id_seq'), %s, %s, %s, %s, %s) RETURNING id",
        [
            vehicle,
            state,
            content_type,
            size or len(content) or 1,
            "no" if state == "refused" else None,
        ],
    ).fetchone()
    return photo


def upload(conn, store, vehicle, content=None, **more):
    """Ask, and upload."""
    content = picture() if content is None else content
    photo = ask(conn, vehicle, content, **more)
    store.write(raw_key(photo), content, "image/jpeg", "")
    return photo


def uploads(conn):
    return dict(conn.execute("SELECT id, state FROM photo_uploads").fetchall())


def photos(conn):
    rows = conn.execute("SELECT id, position, url, variants FROM photos ORDER BY position")
    return rows.fetchall()


def later(conn, interval="3 minutes"):
    """So much time passes, as far as the rows know."""
    conn.execute(
        f"UPDATE photo_uploads SET leased_until = leased_until - interval '{interval}',"
        f" changed_at = changed_at - interval '{interval}'"
    )


def everything(store):
    return [*store.keys("uploads/"), *store.keys("photos/")]


@pytest.fixture
def shift(conn, store):
    return Worker(conn, store, NoCdn())


@pytest.fixture
def vehicle(conn):
    return store_vehicle(conn)


def test_an_upload_becomes_the_vehicles_last_photo(conn, store, shift, vehicle):
    conn.execute(
        "INSERT INTO photos (vehicle_id, position, url) VALUES (%s, 4, 'https://x.example/1.jpg')",
        [vehicle],
    )
    photo = upload(conn, store, vehicle, picture(2000, 1500, exif=where_it_was_taken()))
    conn.execute("DELETE FROM search_dirty")
    assert shift.work(LONG_S) == 1
    _, (id_, position, url, variants) = photos(conn)
    assert (id_, position) == (photo, 5)
    assert [(each["width"], each["height"]) for each in variants] == [
        (320, 240),
        (800, 600),
        (1600, 1200),
    ]
    assert url == variants[1]["key"]
    assert everything(store) == sorted(each["key"] for each in variants)
    with Image.open(BytesIO(store.read(url, 1_000_000))) as shown:
        assert shown.size == (800, 600)
        assert not shown.getexif()
    assert uploads(conn) == {}
    # One change of the vehicle for the index, whatever the worker wrote down on its way.
    assert conn.execute("SELECT vehicle_id FROM search_dirty").fetchall() == [(vehicle,)]


def test_what_is_stored_may_be_kept_for_ever(conn, amazon, bucket, vehicle):
    store = S3Store(bucket, amazon)
    upload(conn, store, vehicle)
    Worker(conn, store, NoCdn()).work(LONG_S)
    client = boto3.client("s3", endpoint_url=amazon)
    for key in store.keys("photos/"):
        head = client.head_object(Bucket=bucket, Key=key)
        assert (head["CacheControl"], head["ContentType"]) == (IMMUTABLE, "image/webp")
    client.close()
    assert IMMUTABLE == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("said", "content", "reason"),
    [
        ({"content_type": "image/png"}, picture(), "The file is not image/png."),
        ({}, picture(200, 200), "each side needs at least 300"),
        ({}, picture()[:-300], "The file is broken"),
        ({"size": 10}, picture(), "The file is larger than was said."),
        ({"size": 10_000_000}, picture(), "smaller than was said"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(
    conn, store, shift, vehicle, said, content, reason
):
    photo = upload(conn, store, vehicle, content, **said)
    shift.work(LONG_S)
    assert uploads(conn) == {photo: "refused"}
    (why,) = conn.execute("SELECT reason FROM photo_uploads").fetchone()
    assert reason in why
    assert (photos(conn), everything(store)) == ([], [])
    assert shift.work(LONG_S) == 0
    later(conn, "8 days")
    assert shift.work(LONG_S) == 1
    assert uploads(conn) == {}


def test_a_file_that_never_came_is_refused(conn, shift, vehicle):
    ask(conn, vehicle)
    shift.work(LONG_S)
    assert conn.execute("SELECT reason FROM photo_uploads").fetchone() == (
        "Nothing had been uploaded: start again.",
    )


def test_an_upload_that_nobody_reported_is_found_and_one_that_never_came_is_forgotten(
    conn, store, shift, vehicle
):
    came = upload(conn, store, vehicle, state="pending")
    ask(conn, vehicle, state="pending")
    assert shift.work(LONG_S) == 0  # they may still be on their way
    later(conn, "2 hours")
    shift.work(LONG_S)
    assert [photo[0] for photo in photos(conn)] == [came]
    assert uploads(conn) == {}


def test_what_was_removed_goes_with_all_that_is_stored_of_it(conn, store, shift, vehicle):
    kept, gone = upload(conn, store, vehicle), upload(conn, store, vehicle)
    shift.work(LONG_S)
    store.write(raw_key(gone), b"left over", "image/jpeg", "")
    conn.execute("DELETE FROM photos WHERE id = %s", [gone])
    ask(conn, vehicle, state="removed")
    conn.execute("UPDATE photo_uploads SET id = %s", [gone])
    shift.work(LONG_S)
    assert uploads(conn) == {}
    assert all(key.startswith(folder(kept)) for key in everything(store))
    assert len(everything(store)) == 3


def test_a_cdn_is_told_of_what_was_removed(conn, amazon, bucket, vehicle):
    with make(amazon) as distribution:
        photo = ask(conn, vehicle, state="removed")
        Worker(conn, S3Store(bucket, amazon), CloudFront(distribution, amazon)).work(LONG_S)
        assert invalidated(amazon, distribution) == [[f"/photos/{photo}/*"]]
    assert uploads(conn) == {}


class KilledError(BaseException):
    """The process ended here."""


class Failing(FolderStore):
    """A folder whose n-th call ends in `error`."""

    calls = 0
    fails_at = 0
    error: BaseException = KilledError()

    def __getattribute__(self, name):
        if name in {"read", "write", "delete", "keys", "size"}:
            type(self).calls += 1
            if type(self).calls == type(self).fails_at:
                raise self.error
        return super().__getattribute__(name)


@pytest.fixture
def failing(settings, tmp_path):
    """`failing(at, error)`: a store on one folder; `failing(0)` never fails."""

    def make(at, error=None):
        kind = type("Failing", (Failing,), {"fails_at": at, "error": error or KilledError()})
        return kind(settings.model_copy(update={"state_dir": tmp_path}))

    return make


@pytest.mark.parametrize("at", range(1, 7))
def test_a_worker_that_dies_anywhere_leaves_the_rest_to_the_next(conn, failing, vehicle, at):
    good = failing(0)
    photo = upload(conn, good, vehicle)
    dying = failing(at)
    # read, three writes, delete: five calls, and the sixth never comes.
    if at < 6:
        with pytest.raises(KilledError):
            Worker(conn, dying, NoCdn()).work(LONG_S)
        assert Worker(conn, good, NoCdn()).work(LONG_S) == 0  # its lease has not run out
        later(conn)
    Worker(conn, good, NoCdn()).work(LONG_S)
    ((id_, _, _, variants),) = photos(conn)
    assert id_ == photo
    assert everything(good) == sorted(each["key"] for each in variants)
    assert uploads(conn) == {}


@pytest.mark.parametrize("at", range(1, 6))
@pytest.mark.parametrize("error", [StoreUnavailableError("away"), OSError("disk full")])
def test_a_store_that_does_not_answer_is_asked_again_later(conn, failing, vehicle, at, error):
    good = failing(0)
    upload(conn, good, vehicle)
    Worker(conn, failing(at, error), NoCdn()).work(LONG_S)
    assert conn.execute("SELECT attempts FROM photo_uploads").fetchone() == (0,)
    assert Worker(conn, good, NoCdn()).work(LONG_S) == 0
    later(conn, "31 seconds")
    Worker(conn, good, NoCdn()).work(LONG_S)
    assert (len(photos(conn)), uploads(conn)) == (1, {})


def test_a_picture_that_ends_the_process_is_refused_in_the_end(conn, failing, vehicle):
    photo = upload(conn, failing(0), vehicle)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(KilledError):
            Worker(conn, failing(1), NoCdn()).work(LONG_S)
        later(conn)
    Worker(conn, failing(0), NoCdn()).work(LONG_S)
    assert uploads(conn) == {photo: "refused"}
    (reason,) = conn.execute("SELECT reason FROM photo_uploads").fetchone()
    assert reason.startswith("The file cannot be processed")


def test_what_is_taken_away_while_it_is_looked_at_is_never_shown(conn, settings, tmp_path, vehicle):
    class Watched(FolderStore):
        def write(self, key, *more):
            if key.startswith("photos/"):  # as the API does it
                conn.execute("UPDATE photo_uploads SET state = 'removed'")
            super().write(key, *more)

    store = Watched(settings.model_copy(update={"state_dir": tmp_path}))
    upload(conn, store, vehicle)
    Worker(conn, store, NoCdn()).work(LONG_S)
    assert photos(conn) == []
    assert len(everything(store)) == 4  # three variants and the upload: the lease protects them
    later(conn)
    Worker(conn, store, NoCdn()).work(LONG_S)
    assert (everything(store), uploads(conn)) == ([], {})


def test_workers_at_once_share_the_photos_and_give_each_its_own_place(
    conn, database_url, store, vehicle
):
    ids = {upload(conn, store, vehicle, picture(400, 300)) for _ in range(8)}
    done = []

    def work():
        with psycopg.connect(database_url, autocommit=True) as connection:
            done.append(Worker(connection, store, NoCdn()).work(LONG_S))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)
    assert sum(done) == 8
    assert {photo[0] for photo in photos(conn)} == ids
    assert [photo[1] for photo in photos(conn)] == list(range(8))


def test_a_worker_begins_nothing_when_its_time_is_over(conn, store, shift, vehicle):
    upload(conn, store, vehicle)
    assert shift.work(0) == 0
    assert set(uploads(conn).values()) == {"uploaded"}
