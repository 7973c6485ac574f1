"""Real PostgreSQL, Valkey and Elasticsearch on a machine without containers.

For development, demo and tests; imported by `cli/` and `tests/` only.
"""
