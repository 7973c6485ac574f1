"""Both stores do the same; what only S3 does, a bucket of moto's server shows."""

import urllib.request
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from itsdangerous import URLSafeTimedSerializer
from pydantic import ValidationError

from runtime.cdn import CloudFront, NoCdn, open_cdn
from runtime.object_store import (
    UPLOAD_S,
    FolderStore,
    Grant,
    NoSuchObjectError,
    NotGrantedError,
    StoreUnavailableError,
    TooLargeError,
    open_store,
)
from runtime.s3 import S3Store
from runtime.settings import Settings
from tests.runtime.distribution import invalidated, make

SECRET = "a secret for tests that is long enough"  # pragma: allowlist secret


def put(store, key, content=b"content"):
    store.write(key, content, "image/webp", "public, max-age=31536000, immutable")


def test_what_is_written_can_be_read_and_is_replaced(store):
    put(store, "photos/7/a.webp")
    put(store, "photos/7/a.webp", b"another")
    assert store.read("photos/7/a.webp", most=7) == b"another"
    assert store.size("photos/7/a.webp") == 7


def test_what_is_not_there_is_none_and_an_error_to_read(store):
    assert store.size("photos/7/a.webp") is None
    with pytest.raises(NoSuchObjectError):
        store.read("photos/7/a.webp", most=10)


def test_no_more_is_read_than_asked_for(store):
    put(store, "a", bytes(11))
    with pytest.raises(TooLargeError):
        store.read("a", most=10)


def test_keys_are_those_below_a_prefix_and_go_when_told(store):
    for key in ("photos/7/a.webp", "photos/7/b.webp", "photos/70/a.webp", "uploads/7"):
        put(store, key)
    assert store.keys("photos/7/") == ["photos/7/a.webp", "photos/7/b.webp"]
    assert store.keys("photos/8/") == []
    store.delete(["photos/7/a.webp", "photos/7/b.webp", "photos/7/never.webp"])
    assert store.keys("photos/7/") == []
    assert store.keys("photos/70/") == ["photos/70/a.webp"]
    assert store.size("uploads/7") == 7


def test_an_s3_upload_is_signed_for_its_key_type_and_bytes(amazon, bucket):
    store = S3Store(bucket, amazon)
    upload = store.sign_upload("uploads/7", "image/png", 5)
    query = parse_qs(urlsplit(upload.url).query)
    # Real S3s refuse a request in which one of these is another; moto checks no signature.
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert query["X-Amz-Expires"] == [str(UPLOAD_S)]
    assert urlsplit(upload.url).path == f"/{bucket}/uploads/7"
    request = urllib.request.Request(
        upload.url, b"12345", headers=upload.headers, method=upload.method
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200
    assert store.read("uploads/7", most=5) == b"12345"


def test_amazons_own_s3_names_the_bucket_in_the_host(amazon, bucket):
    upload = S3Store(bucket).sign_upload("uploads/7", "image/png", 5)
    assert urlsplit(upload.url).hostname == f"{bucket}.s3.amazonaws.com"


def test_what_browsers_are_told_is_stored_with_the_object(amazon, bucket):
    put(S3Store(bucket, amazon), "photos/7/a.webp")
    client = boto3.client("s3", endpoint_url=amazon)
    head = client.head_object(Bucket=bucket, Key="photos/7/a.webp")
    assert head["CacheControl"] == "public, max-age=31536000, immutable"
    assert head["ContentType"] == "image/webp"
    client.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.size("a"),
        lambda store: store.read("a", 1),
        lambda store: store.write("a", b"", "image/webp", ""),
        lambda store: store.keys("a/"),
        lambda store: store.delete(["a"]),
    ],
)
def test_an_s3_that_is_gone_says_so_in_our_words(amazon, ask):
    with pytest.raises(StoreUnavailableError):
        ask(S3Store("media", "http://127.0.0.1:1"))


def test_a_bucket_that_is_not_there_is_not_taken_for_an_empty_one(amazon):
    store = S3Store("no-such-bucket-of-ours", amazon)
    for ask in (lambda: put(store, "a"), lambda: store.keys("a/"), lambda: store.read("a", 1)):
        with pytest.raises(StoreUnavailableError, match="NoSuchBucket"):
            ask()


@pytest.fixture
def folder(settings, tmp_path):
    return FolderStore(settings.model_copy(update={"state_dir": tmp_path}))


def token(upload):
    return upload.url.rpartition("/")[2]


def test_a_folders_upload_goes_to_the_api_and_says_what_it_is_for(folder):
    upload = folder.sign_upload("uploads/7", "image/png", 5)
    assert upload.url.startswith("http://127.0.0.1:8000/v1/uploads/")
    assert (upload.method, upload.headers) == ("PUT", {"Content-Type": "image/png"})
    assert folder.granted(token(upload)) == Grant("uploads/7", "image/png", 5)


def test_an_address_that_was_altered_or_is_old_is_no_good(folder, monkeypatch):
    good = token(folder.sign_upload("uploads/7", "image/png", 5))
    for place in range(len(good)):
        other = "A" if good[place] != "A" else "B"
        with pytest.raises(NotGrantedError):
            folder.granted(good[:place] + other + good[place + 1 :])
    for salt in ("cursor: reviews of 7", "write token"):  # our other signatures
        with pytest.raises(NotGrantedError):
            folder.granted(URLSafeTimedSerializer(SECRET, salt=salt).dumps(["k", "t", 1]))
    from itsdangerous import timed

    later = timed.time.time() + timedelta(seconds=UPLOAD_S + 2).total_seconds()
    monkeypatch.setattr(timed.time, "time", lambda: later)
    with pytest.raises(NotGrantedError):
        folder.granted(good)


def test_no_key_leads_out_of_the_folder(folder):
    for key in ("../secret_key", "photos/../../secret_key", "/etc/passwd"):
        with pytest.raises(ValueError, match="leads out"):
            folder.read(key, most=10)


def test_a_worker_needs_no_secret_for_a_folder(tmp_path):
    store = open_store(Settings(state_dir=tmp_path, secret_key=None))
    put(store, "a")
    assert store.size("a") == 7


def test_a_cdn_forgets_what_it_is_told(amazon):
    with make(amazon) as distribution:
        CloudFront(distribution, amazon).invalidate(["/photos/7/*", "/photos/8/*"])
        assert invalidated(amazon, distribution) == [["/photos/7/*", "/photos/8/*"]]


def test_settings_choose_the_store_and_the_cdn(amazon):
    assert isinstance(open_store(Settings(secret_key=SECRET)), FolderStore)
    assert isinstance(open_cdn(Settings()), NoCdn)
    assert open_cdn(Settings()).invalidate(["/photos/7/*"]) is None
    remote = Settings(
        media_bucket="media",
        media_url="https://cdn.example.com/",
        cloudfront_distribution="E1",
    )
    assert isinstance(open_store(remote), S3Store)
    assert isinstance(open_cdn(remote), CloudFront)
    assert remote.media_address == "https://cdn.example.com"


def test_photos_are_read_from_the_api_unless_said_otherwise():
    assert Settings().media_address == "http://127.0.0.1:8000/media"
    assert Settings(host="0.0.0.0", port=9000).media_address == "http://127.0.0.1:9000/media"
    assert Settings(host="::").media_address == "http://[::1]:8000/media"
    behind = Settings(public_url="https://api.example.com/")
    assert behind.media_address == "https://api.example.com/media"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"media_bucket": "media"}, "RIDES_MEDIA_URL must say"),
        ({"media_url": "cdn.example.com"}, "is no address"),
        ({"public_url": "ftp://api.example.com"}, "is no address"),
        ({"s3_endpoint": "https://"}, "is no address"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_the_start(wrong, message):
    with pytest.raises(ValidationError, match=message):
        Settings(**wrong)
