"""The design's own test: a facet `colour` costs a migration, a line of fields and a view's column.

Done for real in a process and a database of its own: the three changes are made before anything
else is imported, then a vehicle is stored, indexed, filtered, counted, shown and documented.
"""

import json
import os
import subprocess
import sys
import textwrap

from elasticsearch import Elasticsearch

from tests.conftest import create_database, database_name

EXERCISE = textwrap.dedent("""
    import json
    from pathlib import Path

    # 1. One line in fields.py.
    from search import fields
    colour = fields.Field(name="colour", kind=fields.Kind.KEYWORD, about="Colour", example="Red",
                          match=fields.ANY, weight=2, item=True)
    fields.FIELDS += (colour,)
    fields.FACETS += ("colour",)
    fields.BY_NAME = {field.name: field for field in fields.FIELDS}

    # 2. and 3. A migration: the tables' columns, the view's column.
    from models.session import connect
    from runtime.settings import settings
    conn = connect(settings(), application="exercise")
    conn.execute("ALTER TABLE vehicles ADD COLUMN colour text")
    conn.execute("ALTER TABLE vehicle_search_view ADD COLUMN colour integer")
    (view,) = sorted(Path("migrations/sql").glob("vehicle_documents_*.sql"))[-1:]
    conn.execute("DROP VIEW vehicle_documents")
    conn.execute(view.read_text().replace("    v.fuel,", "    v.fuel, v.colour,", 1))

    from fastapi.testclient import TestClient
    from api.app import create_app
    from indexer.rebuild import rebuild
    from runtime.clients import elasticsearch
    from tests.factory import store_vehicle

    for colour in ("Red", "Blue", "Red"):
        store_vehicle(conn, colour=colour)
    with elasticsearch(settings()) as client:
        rebuild(conn, client, settings().index_alias, lambda done, total: None)
    with TestClient(create_app(settings())) as api:
        page = api.get("/v1/search/vehicles", params={"colour": "red", "q": "toyota"}).json()
        found = api.get("/v1/search/vehicles", params={"q": "blue toyota"}).json()
        refused = api.get("/v1/search/vehicles", params={"color": "red"}).json()
        published = api.get("/openapi.json").json()
    with TestClient(create_app(settings().model_copy(update={"elasticsearch_url": ""}))) as api:
        other = api.get("/v1/search/vehicles", params={"colour": "red", "q": "toyota"}).json()
        found_too = api.get("/v1/search/vehicles", params={"q": "blue toyota"}).json()
    parameters = published["paths"]["/v1/search/vehicles"]["get"]["parameters"]
    print(json.dumps({
        "shown": [item["colour"] for item in page["items"]],
        "facet": page["facets"]["colour"],
        "text": found["total"]["value"],
        "PostgreSQL": [item["colour"] for item in other["items"]],
        "its facets": [other["facets"] == page["facets"], found_too["total"]["value"]],
        "hint": "did you mean colour?" in refused["errors"][0]["message"],
        "parameter": "colour" in [parameter["name"] for parameter in parameters],
        "schema": "colour" in published["components"]["schemas"]["Item"]["properties"],
    }))
""")  # fmt: skip


def test_a_new_facet_costs_three_places(elastic: Elasticsearch, worker: str) -> None:
    template = database_name(os.environ["RIDES_DATABASE_URL"])
    environment = os.environ | {
        "RIDES_DATABASE_URL": create_database(f"rides_{worker}-colour", template),
        "RIDES_INDEX_ALIAS": f"vehicles-test-{worker}-colour",
        "RIDES_LOG_LEVEL": "error",
    }
    done = subprocess.run(
        [sys.executable, "-c", EXERCISE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "shown": ["Red", "Red"],
        "facet": [
            {"value": "Red", "count": 2, "selected": True},
            {"value": "Blue", "count": 1, "selected": False},
        ],
        "text": 1,
        "PostgreSQL": ["Red", "Red"],
        "its facets": [True, 1],
        "hint": True,
        "parameter": True,
        "schema": True,
    }
