"""A CloudFront distribution for tests, and what it was told to forget."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import boto3

ORIGIN = {
    "Id": "s3",
    "DomainName": "media.s3.amazonaws.com",
    "S3OriginConfig": {"OriginAccessIdentity": ""},
}
BEHAVIOUR = {
    "TargetOriginId": "s3",
    "ViewerProtocolPolicy": "https-only",
    "MinTTL": 0,
    "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
}


@contextmanager
def make(endpoint: str) -> Iterator[str]:
    """The id of a new distribution."""
    client = boto3.client("cloudfront", endpoint_url=endpoint)
    made = client.create_distribution(
        DistributionConfig={
            "CallerReference": uuid4().hex,  # another is another distribution
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [ORIGIN]},
            "DefaultCacheBehavior": BEHAVIOUR,
        }
    )
    yield str(made["Distribution"]["Id"])
    client.close()


def invalidated(endpoint: str, distribution: str) -> list[list[str]]:
    """The paths of each invalidation."""
    client = boto3.client("cloudfront", endpoint_url=endpoint)
    listed = client.list_invalidations(DistributionId=distribution)["InvalidationList"]
    found = [
        client.get_invalidation(DistributionId=distribution, Id=each["Id"])["Invalidation"]
        for each in listed.get("Items", ())
    ]
    client.close()
    return [each["InvalidationBatch"]["Paths"]["Items"] for each in found]
