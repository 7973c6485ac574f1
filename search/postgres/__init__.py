"""The engine that needs no search server: requests as SQL over `vehicle_search_view`.

Pure functions, one concern per file; `search/query/` is the same for Elasticsearch.
"""
