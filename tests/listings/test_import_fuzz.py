"""Whatever is in a file, the import ends, and each of its rows is in or in the report."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.listings.files import EDMUNDS, GETAROUND, MONTREAL, TURO_US, Outcome, imported, write_csv

# The `conn` fixture is emptied once per test, not per example: the accounts below do not mind.
FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
NASTY = st.sampled_from(
    [
        "",
        "\x00",
        "1e999",
        "nan",
        "-1",
        "9" * 40,
        "0.000001",
        "\u202e",
        "' OR 1=1 --",
        "\u0660",
        "{}",
    ]
)
CELL = st.one_of(NASTY, st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | CELL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELL, inner, max_size=3),
    max_leaves=8,
)


def accounted(outcome: Outcome, rows: int) -> bool:
    """Every row is counted once, and each rejected one has one finding on a line of its own."""
    result = outcome.result
    lines = [finding.line for finding in outcome.rejected]
    return (
        result.error is None
        and result.rows == rows
        and result.inserted + result.changed + result.unchanged + result.rejected == rows
        and len(lines) == len(set(lines)) == result.rejected
    )


@FUZZ
@given(data=st.data())
@pytest.mark.parametrize("row", [TURO_US, GETAROUND, EDMUNDS], ids=["us", "fr", "reviews"])
def test_any_text_in_any_field(conn, row, data):
    fields = st.dictionaries(st.sampled_from(list(row)), CELL, max_size=4)
    changes = data.draw(st.lists(fields, min_size=1, max_size=5))
    with TemporaryDirectory() as folder:
        path = write_csv(Path(folder) / "file", row, *(row | change for change in changes))
        outcome = imported(conn, path)
    assert accounted(outcome, len(changes) + 1)


@FUZZ
@given(changes=st.lists(st.dictionaries(st.sampled_from(list(MONTREAL)), JSON, max_size=4)))
def test_any_json_in_any_field(conn, changes):
    listings = [MONTREAL, *(MONTREAL | {"id": str(n)} | c for n, c in enumerate(changes))]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_text("".join(json.dumps(listing) + "\n" for listing in listings))
        assert accounted(imported(conn, path), len(listings))


@FUZZ
@given(
    field=st.sampled_from(["vehicle", "rate", "location", "basicCarDetails", "ratings"]),
    inner=st.dictionaries(st.sampled_from(["make", "year", "name", "daily", "city"]), JSON),
)
def test_any_json_one_level_down(conn, field, inner):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        changed = MONTREAL | {"id": "2", field: MONTREAL[field] | inner}
        path.write_text(f"{json.dumps(MONTREAL)}\n{json.dumps(changed)}\n")
        assert accounted(imported(conn, path), 2)


@FUZZ
@given(lines=st.lists(st.binary(max_size=120).filter(lambda line: b"\n" not in line), max_size=8))
def test_any_bytes_below_a_header(conn, lines):
    header = ",".join(TURO_US).encode()
    good = ",".join(TURO_US.values()).encode()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(b"\n".join([header, *lines, good, b""]))
        outcome = imported(conn, path)
    result = outcome.result
    assert result.error is None
    assert result.rows == result.inserted + result.changed + result.unchanged + result.rejected
    # No garbage above it takes the good row along.
    assert result.inserted + result.unchanged == 1


@FUZZ
@given(content=st.binary(max_size=300))
def test_any_bytes_as_a_file_end_in_an_error_that_says_so(conn, content):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        assert imported(conn, path).result.error
