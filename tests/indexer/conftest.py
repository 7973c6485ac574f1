"""Every test of the indexer may have a site of its own."""

from tests.indexer.site import live, site

__all__ = ["live", "site"]
