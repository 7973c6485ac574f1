"""HTTP: `app.py` wires, `routes/` has one file per resource, `schemas/` the shapes they speak.

No SQL, no Elasticsearch bodies and no rules of renting belong here.
"""
