"""The runbook "Changing the mapping without downtime" of docs/indexing.md, step by step."""

import subprocess
import sys
import textwrap
from pathlib import Path

from indexer import rebuild
from search.mapping import MAPPING_HASH
from tests.indexer.site import Site
from tests.indexer.test_rebuild_failures import environment

# A process that runs the new code: one more line in search/fields.py.
NEW_CODE = textwrap.dedent("""
    import sys
    from search import fields
    colour = fields.Field(name="colour", kind=fields.Kind.KEYWORD, about="Colour", example="Red",
                          match=fields.ANY, weight=2, item=True)
    fields.FIELDS += (colour,)
    fields.FACETS += ("colour",)
    fields.BY_NAME = {field.name: field for field in fields.FIELDS}
    from cli.main import app
    app(sys.argv[1:])
""")


def new_code(site: Site, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", NEW_CODE, *command],
        env=environment(site) | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def migrate(site: Site) -> None:
    (view,) = sorted(Path("migrations/sql").glob("vehicle_documents_*.sql"))[-1:]
    with site.conn.transaction():
        site.conn.execute("ALTER TABLE vehicles ADD COLUMN colour text")
        site.conn.execute("ALTER TABLE vehicle_search_view ADD COLUMN colour integer")
        site.conn.execute("DROP VIEW vehicle_documents")
        statement = view.read_text().replace("    v.fuel,", "    v.fuel, v.colour,", 1)
        site.conn.execute(statement)  # type: ignore[call-overload]
        site.conn.execute("INSERT INTO search_dirty (vehicle_id) SELECT id FROM vehicles")


def red(site: Site, index: str) -> int:
    return int(site.elastic.count(index=index, query={"term": {"colour": "Red"}})["count"])


def test_a_new_field_comes_without_a_moment_in_which_the_index_stands_still(live: Site) -> None:
    vehicle = live.store()
    live.drain()
    old = live.serving()

    migrate(live)  # 1
    live.conn.execute("UPDATE vehicles SET colour = 'Red', seats = 7")
    assert live.drain() == 2
    assert live.document(vehicle)["seats"] == 7, "the old index is as fresh as ever"
    assert red(live, old.index_name) == 0, "and does not search what it does not know"

    said = new_code(live, "reindex", "--dry-run")  # 2
    assert "The mapping of the code is another one: new field colour." in said
    new_code(live, "reindex", "--if-needed")
    new = live.serving()
    assert new.id != old.id
    assert new.mapping_hash != MAPPING_HASH
    assert red(live, new.index_name) == 1

    live.conn.execute("UPDATE vehicles SET seats = 8")
    assert live.drain() == 1  # by a worker of the old code that is still there
    assert live.document(vehicle, old.index_name) == live.document(vehicle, new.index_name)

    back = rebuild.rollback(live.conn, live.elastic, live.alias)  # 4
    assert back.id == old.id
    assert live.found() == [vehicle]
    assert new.index_name in new_code(live, "index", "rollback")
    assert old.index_name in new_code(live, "index", "prune", "--standby")  # 5
    assert live.indices() == {new.index_name}
