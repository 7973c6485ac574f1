"""The question side: a request becomes an engine's query and the answer becomes a page.

`fields.py` is the index contract from which everything else is derived. Never writes to the index.
"""
