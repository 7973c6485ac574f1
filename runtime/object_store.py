"""Objects by key: an S3 bucket, or a folder where a machine of its own needs none.

Clients send objects to the store themselves, to an address that is signed for one key, one type
and one number of bytes. Signing asks nobody; everything else blocks and is for workers.
"""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from itsdangerous import BadData, URLSafeTimedSerializer

from runtime.settings import Settings

UPLOAD_S = 900  # that an address to upload to is good for
_TEMPORARY = ".part"


class NoSuchObjectError(Exception):
    """There is no object of this key."""


class TooLargeError(Exception):
    """The object has more bytes than were asked for."""


class StoreUnavailableError(Exception):
    """The store does not answer, or refuses us; trying again later may help."""


class NotGrantedError(Exception):
    """The address is not one that this store signed, or not any more."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A request that stores one object, to be sent with these headers and the bytes as its body."""

    url: str
    headers: dict[str, str]
    expires_s: int
    method: str = "PUT"


class ObjectStore(Protocol):
    """What a store can do; every call but `sign_upload` waits for it.

    Where it does not answer, each raises StoreUnavailableError (OSError: a folder's disk).
    """

    def sign_upload(self, key: str, content_type: str, size: int) -> Upload:
        """How somebody without credentials stores `size` bytes as `key`."""

    def size(self, key: str) -> int | None:
        """The object's bytes; None where there is none."""

    def read(self, key: str, most: int) -> bytes:
        """The object.

        Raises:
            NoSuchObjectError: there is none.
            TooLargeError: it is larger than `most` bytes; it was not read.
        """

    def write(self, key: str, content: bytes, content_type: str, cache_control: str) -> None:
        """Store an object, in place of the one of this key if there is any."""

    def keys(self, prefix: str) -> list[str]:
        """The keys that begin like this, at most 1,000."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there are no error."""


def open_store(settings: Settings) -> ObjectStore:
    """The store of `settings`."""
    if settings.media_bucket:
        from runtime.s3 import S3Store

        return S3Store(settings.media_bucket, settings.s3_endpoint)
    return FolderStore(settings)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed address lets its holder store."""

    key: str
    content_type: str
    size: int


class FolderStore:
    """Objects as files; the API takes uploads and serves what is below `public`."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.media_dir
        self._settings = settings

    def sign_upload(self, key: str, content_type: str, size: int) -> Upload:
        """An address of the API."""
        token = self._signer().dumps([key, content_type, size])
        # A client that knows it sends Content-Length by itself; none may set it in a browser.
        headers = {"Content-Type": content_type}
        return Upload(f"{self._settings.api_address}/v1/uploads/{token}", headers, UPLOAD_S)

    def granted(self, token: str) -> Grant:
        """What the holder of an address may store.

        Raises:
            NotGrantedError: it was not signed here, or more than 15 minutes ago.
        """
        try:
            return Grant(*self._signer().loads(token, max_age=UPLOAD_S))
        except BadData as error:
            raise NotGrantedError from error

    def size(self, key: str) -> int | None:
        """The file's bytes."""
        path = self.path(key)
        return path.stat().st_size if path.is_file() else None

    def read(self, key: str, most: int) -> bytes:
        """The file."""
        size = self.size(key)
        if size is None:
            raise NoSuchObjectError(key)
        if size > most:
            raise TooLargeError(key)
        return self.path(key).read_bytes()

    def write(self, key: str, content: bytes, content_type: str, cache_control: str) -> None:  # noqa: ARG002 - the API says both as it serves the file
        """Write beside, then rename: nobody reads half a file."""
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + _TEMPORARY)
        part.write_bytes(content)
        part.replace(path)

    def keys(self, prefix: str) -> list[str]:
        """The files below the folder that `prefix` names, which ends with a slash."""
        found = (each for each in self.path(prefix).rglob("*") if each.is_file())
        return sorted(str(each.relative_to(self._folder)) for each in found)[:1000]

    def delete(self, keys: Iterable[str]) -> None:
        """Remove files, and the folders that become empty."""
        for key in keys:
            path = self.path(key)
            path.unlink(missing_ok=True)
            if path.parent.is_dir() and not any(path.parent.iterdir()):
                shutil.rmtree(path.parent, ignore_errors=True)

    def _signer(self) -> URLSafeTimedSerializer:
        # Only the API signs: a worker may do without the secret.
        return URLSafeTimedSerializer(
            self._settings.require_secret(),
            salt="upload",
            # 48 bytes fill base64 without a spare bit: any changed character is noticed.
            signer_kwargs={"digest_method": hashlib.sha384, "key_derivation": "hmac"},
        )

    def path(self, key: str) -> Path:
        """The file of a key.

        Raises:
            ValueError: the key would lead out of the folder.
        """
        path = (self._folder / key).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            msg = f"{key!r} leads out of the store"
            raise ValueError(msg)
        return path
