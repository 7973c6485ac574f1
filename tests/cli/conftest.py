"""Commands that touch the index run on a site of their own."""

from tests.indexer.site import live, site

__all__ = ["live", "site"]
