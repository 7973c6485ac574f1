"""How vehicles and reviews come in: importers of listing files and the seeded demo marketplace.

Everything is written to PostgreSQL; the indexer carries it on. Never touches the search index.
"""
