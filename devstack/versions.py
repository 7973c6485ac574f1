"""Versions, container images and build artifacts of the servers, in one place.

`docker-compose.yml` and the containers of the tests use the same images, so that a version is
raised here and nowhere else; a test compares the two.
"""

from typing import Final

POSTGRES_VERSION: Final = "18"
"""Major version; the embedded wheel is pinned in `pyproject.toml`."""
POSTGRES_IMAGE: Final = "postgres:18.6"

VALKEY_VERSION: Final = "9.1"
VALKEY_IMAGE: Final = "valkey/valkey:9.1"

ELASTICSEARCH_VERSION: Final = "9.5.0"
ELASTICSEARCH_IMAGE: Final = (
    f"docker.elastic.co/elasticsearch/elasticsearch:{ELASTICSEARCH_VERSION}"
)
ELASTICSEARCH_ARTIFACT: Final = (
    f"org.elasticsearch.distribution.integ-test-zip:elasticsearch:{ELASTICSEARCH_VERSION}:zip"
)
"""The same server as in the image, without its optional modules, as a Maven artifact."""
ELASTICSEARCH_SHA256: Final = "db0e275fd790f723eca7bcde96069fd6fed304ad23afdb70c8c09553dd9e8b1b"
MAVEN_COPY_GOAL: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
JDK_MINIMUM: Final = 21

POSTGRES_PORT: Final = 5432
VALKEY_PORT: Final = 6379
ELASTICSEARCH_PORT: Final = 9200
"""Ports inside the containers; servers started by this room take free ones."""
