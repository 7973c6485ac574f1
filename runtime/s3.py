"""Objects in an S3 bucket, Amazon's or another's.

Credentials and region are what boto3 finds in the `AWS_*` environment or the machine's role.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from runtime.object_store import (
    UPLOAD_S,
    NoSuchObjectError,
    StoreUnavailableError,
    TooLargeError,
    Upload,
)

_GONE = frozenset({"404", "NoSuchKey", "NotFound"})


@contextmanager
def _asking(key: str) -> Iterator[None]:
    """The SDK's errors as the store's own.

    Raises:
        NoSuchObjectError: there is no object `key`.
        StoreUnavailableError: anything else.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise NoSuchObjectError(key) from error
        raise StoreUnavailableError(str(error)) from error
    except BotoCoreError as error:
        raise StoreUnavailableError(str(error)) from error


class S3Store:
    """One bucket."""

    def __init__(self, bucket: str, endpoint: str = "") -> None:
        self._bucket = bucket
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint or None,
            config=Config(
                signature_version="s3v4",
                # Amazon names the bucket in the host, others mostly in the path.
                s3={"addressing_style": "path" if endpoint else "virtual"},
                connect_timeout=5,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )

    def sign_upload(self, key: str, content_type: str, size: int) -> Upload:
        """A presigned PUT: S3 refuses another type and another number of bytes.

        Not a POST policy with a range: some S3s have none, and a client knows its file's size.
        """
        named = {"ContentType": content_type, "ContentLength": size}
        url = self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": key, **named},
            ExpiresIn=UPLOAD_S,
            HttpMethod="PUT",
        )
        return Upload(url, {"Content-Type": content_type}, UPLOAD_S)

    def size(self, key: str) -> int | None:
        """What HEAD says."""
        try:
            with _asking(key):
                answer = self._client.head_object(Bucket=self._bucket, Key=key)
        except NoSuchObjectError:
            return None
        return int(answer["ContentLength"])

    def read(self, key: str, most: int) -> bytes:
        """The object, if it is not too large: the answer's head says so before its body is read."""
        with _asking(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            with answer["Body"] as body:
                if answer["ContentLength"] > most:
                    raise TooLargeError(key)
                return bytes(body.read())

    def write(self, key: str, content: bytes, content_type: str, cache_control: str) -> None:
        """Put; what a CDN passes on to browsers is stored with the object."""
        with _asking(key):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType=content_type,
                CacheControl=cache_control,
            )

    def keys(self, prefix: str) -> list[str]:
        """One page of the listing: the API's limit is 1,000."""
        with _asking(prefix):
            answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
        return [each["Key"] for each in answer.get("Contents", ())]

    def delete(self, keys: Iterable[str]) -> None:
        """One by one: deletions of several want a checksum that not every S3 knows."""
        for key in keys:
            with _asking(key):
                self._client.delete_object(Bucket=self._bucket, Key=key)
