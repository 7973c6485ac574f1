"""The CDN before stored objects, as far as it has to be told anything."""

import uuid
from collections.abc import Sequence
from typing import Any, Protocol

from runtime.settings import Settings


class Cdn(Protocol):
    """What keeps copies. Keys are hashed by content, so that only a removal concerns it."""

    def invalidate(self, paths: Sequence[str]) -> None:
        """Forget the copies of these paths, such as `/photos/7/*`; `*` only at the end."""


class NoCdn:
    """Nothing keeps copies but browsers, which cannot be told."""

    def invalidate(self, paths: Sequence[str]) -> None:
        """Nothing to do."""


class CloudFront:
    """Amazon's; credentials are what boto3 finds in the `AWS_*` environment."""

    def __init__(self, distribution: str, endpoint: str = "") -> None:
        import boto3

        self._distribution = distribution
        self._client: Any = boto3.client("cloudfront", endpoint_url=endpoint or None)

    def invalidate(self, paths: Sequence[str]) -> None:
        """Ask for it; edges follow within a minute or so."""
        self._client.create_invalidation(
            DistributionId=self._distribution,
            InvalidationBatch={
                "Paths": {"Quantity": len(paths), "Items": list(paths)},
                "CallerReference": uuid.uuid4().hex,
            },
        )


def open_cdn(settings: Settings) -> Cdn:
    """The CDN of `settings`."""
    if settings.cloudfront_distribution:
        return CloudFront(settings.cloudfront_distribution)
    return NoCdn()
