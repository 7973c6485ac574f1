"""`rides audit`, `rides index rollback`, `prune` and `dead-letters`, as an operator runs them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import exits, indexing
from cli.main import app
from indexer import builds
from tests.indexer.site import Site, building, once_filled
from tests.indexer.test_bulk import TOO_LONG

Run = Callable[..., Result]


@pytest.fixture
def run(site: Site, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `rides …` on the site's servers, on a wide terminal."""
    monkeypatch.setattr(indexing, "settings", lambda: site.settings)
    return lambda *arguments: CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def read(result: Result) -> Any:
    return json.loads(result.stdout)


# Audit


def test_an_audit_finds_says_and_mends(live: Site, run: Run) -> None:
    vehicle, name = live.store(), live.serving().index_name
    live.drain()
    clean = run("audit")
    assert clean.exit_code == 0, clean.output
    assert "vehicles/s" in clean.stdout

    live.elastic.delete(index=name, id=str(vehicle))
    found = run("audit")
    assert found.exit_code == exits.DIFFERENCES
    row = next(line for line in found.stdout.splitlines() if "missing" in line and name in line)
    assert str(vehicle) in row
    assert "1 vehicles are wrong: `rides audit --repair` mends them." in found.stdout
    assert (
        f"found 1 differences in {name}: run `rides audit --repair`"
        in run("index", "status").stdout
    )

    mended = run("audit", "--repair", "--json")
    assert mended.exit_code == 0
    stores = {store["store"]: store for store in read(mended)["stores"]}
    assert (stores[name]["missing"], stores[name]["repaired"]) == (1, True)
    assert stores[name]["findings"][0]["vehicle_id"] == vehicle
    live.drain()
    assert run("audit", "--deep", "--sample", "10").exit_code == 0
    assert live.found() == [vehicle]


def test_an_audit_of_an_index_that_is_gone_says_so(live: Site, run: Run) -> None:
    live.elastic.indices.delete(index=live.serving().index_name)
    result = run("audit")
    assert result.exit_code == exits.FAILED
    assert "No audit:" in result.stderr
    assert "`rides index status`" in result.stderr


# Rollback and prune


def test_a_rollback_is_checked_immediate_and_can_be_taken_back(live: Site, run: Run) -> None:
    first, second = live.serving(), live.rebuild()
    vehicle = live.store()
    live.drain()
    back = run("index", "rollback", "--json")
    assert back.exit_code == 0, back.output
    assert read(back) == {"index": first.index_name}
    assert set(live.elastic.indices.get_alias(name=live.alias)) == {first.index_name}
    assert live.found() == [vehicle], "it was fed all the time"
    assert live.states() == {first.index_name: "serving", second.index_name: "standby"}
    another = live.store()
    live.drain()
    assert run("index", "rollback").exit_code == 0
    assert live.serving().id == second.id
    assert live.found() == [vehicle, another]


def test_a_build_that_lacks_something_is_not_rolled_back_to(live: Site, run: Run) -> None:
    first, second = live.serving(), live.rebuild()
    vehicle = live.store()
    live.drain()
    live.elastic.delete(index=first.index_name, id=str(vehicle))
    result = run("index", "rollback", "--json")
    assert result.exit_code == exits.DIFFERENCES
    assert read(result)["findings"] == [
        {"store": first.index_name, "vehicle_id": vehicle, "kind": "missing", "fields": []}
    ]
    assert live.serving().id == second.id
    assert live.states()[first.index_name] == "standby"


def test_without_a_previous_build_there_is_no_rollback(live: Site, run: Run) -> None:
    result = run("index", "rollback")
    assert result.exit_code == exits.NOTHING
    assert "no build is on standby" in result.stderr


def test_prune_removes_what_nobody_needs_and_the_standby_only_when_told(
    live: Site, run: Run
) -> None:
    first, second = live.serving(), live.rebuild()
    left = builds.create(live.conn, live.elastic, live.alias)
    assert f"Removed {left.index_name}." in run("index", "prune").stderr
    assert live.indices() == {first.index_name, second.index_name}
    assert "Nothing to remove." in run("index", "prune").stderr
    assert read(run("index", "prune", "--standby", "--json")) == {"removed": [first.index_name]}
    assert live.indices() == {second.index_name}


def test_prune_does_not_touch_a_reindex_that_is_running(live: Site, run: Run) -> None:
    live.store()
    results: list[Result] = []
    live.rebuild(once_filled(lambda: results.append(run("index", "prune"))))
    assert results[0].exit_code == exits.BUSY


# Reindex


def test_a_dry_run_says_what_would_be_done_and_does_nothing(live: Site, run: Run) -> None:
    live.store()
    before = live.states()
    said = run("reindex", "--dry-run").stderr
    assert "Would make a new index of 1 vehicles." in said
    assert f"Would keep {live.serving().index_name} on standby" in said
    builds.create(live.conn, live.elastic, live.alias)
    outlook = read(run("reindex", "--dry-run", "--json"))
    assert outlook["resumes"] == building(live).index_name
    assert live.states() == before | {building(live).index_name: "building"}


def test_a_changed_mapping_is_said_field_by_field(
    live: Site, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = builds.MAPPINGS["properties"]
    changed = {name: kind for name, kind in fields.items() if name != "seats"}
    changed |= {"wings": {"type": "integer"}, "year": {"type": "long"}}
    monkeypatch.setattr(builds, "MAPPINGS", builds.MAPPINGS | {"properties": changed})
    monkeypatch.setattr(builds, "MAPPING_HASH", "another")
    said = run("reindex", "--dry-run").stderr
    for line in ("new field wings", "field seats is gone", "field year changed"):
        assert f"The mapping of the code is another one: {line}." in said
    assert "analysis" not in said


def test_a_reindex_for_machines(live: Site, run: Run) -> None:
    live.store()
    live.store(make=TOO_LONG)
    result = run("reindex", "--json", "--max-rate", "1000", "--local")
    assert result.exit_code == 0, result.output
    said = read(result)
    assert said["index"] == live.serving().index_name
    assert (said["vehicles"], said["dead_letters"], said["resumed"]) == (2, 1, False)
    assert 0 <= said["seconds_checking"] <= said["seconds"]
    assert "2 vehicles in " in result.stderr
    assert "1 vehicles were refused" in result.stderr


def test_a_refused_swap_lists_what_differs(live: Site, run: Run) -> None:
    ids = [live.store() for _ in range(2)]
    live.drain()
    before = live.serving()
    create = builds.create

    def spoiled(*args: Any) -> builds.Build:
        """A vehicle that the new index holds and the database never had."""
        build = create(*args)
        live.elastic.index(index=build.index_name, id="999", document={"id": 999})
        return build

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builds, "create", spoiled)
        result = run("reindex", "--json")
    assert result.exit_code == exits.DIFFERENCES
    assert "Not swapped:" in result.stderr
    assert [each["vehicle_id"] for each in read(result)["findings"]] == [999]
    assert live.serving().id == before.id
    assert live.found() == ids


# Dead letters


def test_dead_letters_are_listed_shown_replayed_and_dropped(live: Site, run: Run) -> None:
    poison, other = live.store(make=TOO_LONG), live.store(model=TOO_LONG)
    live.drain()
    listed = read(run("index", "dead-letters", "list", "--json"))
    assert listed["total"] == 2
    first, second = sorted(listed["letters"], key=lambda letter: letter["vehicle_id"])
    assert (first["vehicle_id"], second["vehicle_id"]) == (poison, other)
    assert "document_parsing_exception" in run("index", "dead-letters", "list").stdout

    shown = read(run("index", "dead-letters", "show", str(first["id"]), "--json"))
    assert shown["document"]["make"] == TOO_LONG
    assert run("index", "dead-letters", "show", "999").exit_code == exits.NOTHING

    assert run("index", "dead-letters", "replay", str(first["id"])).exit_code == 0
    assert [row[0] for row in live.dirty()] == [poison]
    live.drain()
    again = read(run("index", "dead-letters", "list", "--json"))
    assert again["total"] == 2, "refused again: still one letter a vehicle"

    live.conn.execute("UPDATE vehicles SET make = 'Fiat' WHERE id = %s", [poison])
    live.drain()
    left = read(run("index", "dead-letters", "list", "--json"))["letters"]
    assert [letter["vehicle_id"] for letter in left] == [other], "a mended one needs no letter"
    assert live.found() == [poison]

    assert read(run("index", "dead-letters", "drop", "--all", "--json")) == {"dropped": 1}
    assert "No dead letters." in run("index", "dead-letters", "list").stdout


@pytest.mark.parametrize("command", ["replay", "drop"])
def test_nothing_is_done_to_all_letters_by_forgetting_the_ids(run: Run, command: str) -> None:
    assert run("index", "dead-letters", command).exit_code == 2
    assert run("index", "dead-letters", command, "--all", "7").exit_code == 2
    assert run("index", "dead-letters", command, "7").exit_code == exits.NOTHING


# Watch


def test_watch_shows_lag_queue_rate_and_errors(live: Site, run: Run) -> None:
    live.store()
    live.drain()
    live.store()
    live.conn.execute("UPDATE search_dirty SET at = at - interval '5 minutes', attempts = 3")
    shown = run("index", "watch", "--looks", "2", "--every", "0.2")
    assert shown.exit_code == 0
    assert "of 1" in shown.stdout, "the lag of one change"
    assert "1 changes, 1 of them tried before" in shown.stdout
    assert "changes/s" in shown.stdout
    assert f"{live.serving().index_name} serving" in shown.stdout
    assert "The oldest change has waited 30" in shown.stdout
