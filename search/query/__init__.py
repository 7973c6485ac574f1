"""A search request as an Elasticsearch body: pure functions, one concern per file."""
