"""What can be wrong with a file as such: each trap is reported, and the other rows are loaded."""

import gzip

import pytest

from listings.report import Action
from tests.listings.files import (
    MONTREAL,
    SCRAPER_ERROR,
    TURO_US,
    imported,
    vehicles,
    write_csv,
    write_jsonl,
    zipped,
)

HEADER = ",".join(TURO_US)
ROW = ",".join(TURO_US.values())


def row(**changes):
    return ",".join((TURO_US | changes).values())


def write_lines(path, *lines):
    path.write_bytes(b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines) + b"\n")
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "file"


def test_format_is_told_by_content_whatever_the_name_and_the_order_of_columns(conn, tmp_path):
    backwards = dict(reversed(TURO_US.items())) | {"a new column": "x"}
    path = write_csv(tmp_path / "photo.jpg", backwards)
    assert imported(conn, zipped(path)).result.format == "turo-us"
    assert [vehicle["model"] for vehicle in vehicles(conn)] == ["Model X"]


def test_json_format_is_told_even_behind_errors_of_the_scraper(conn, file):
    outcome = imported(conn, write_jsonl(file, *[SCRAPER_ERROR] * 20, MONTREAL))
    assert (outcome.result.format, outcome.result.rows) == ("turo-montreal", 21)
    assert (outcome.result.inserted, outcome.result.rejected) == (1, 20)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name,price\nTesla,3\n", "it begins 'name,price', which is none of the known formats"),
        (b"", "empty"),
        (b"\x1f\x8b\x08 broken", "broken gzip"),
        (f"{HEADER}\n{ROW}".encode("utf-16"), "iconv -f UTF-16"),
        (b"PK\x03\x04\x00\x00", "binary"),
    ],
)
def test_unknown_file_is_an_error_that_says_what_was_seen(conn, file, content, says):
    file.write_bytes(content)
    assert says in str(imported(conn, file).result.error)


def test_unknown_format_error_names_the_known_ones(conn, file):
    error = str(imported(conn, write_lines(file, "name,price")).result.error)
    known = ("turo-us", "turo-montreal", "getaround", "edmunds", "epa", "car-features")
    assert all(f"  {name}: " in error for name in known)


def test_other_files_are_loaded_beside_one_that_cannot_be(conn, tmp_path):
    bad = write_lines(tmp_path / "bad", "x")
    assert imported(conn, bad, write_csv(tmp_path / "good", TURO_US)).result.error
    assert len(vehicles(conn)) == 1


def test_byte_order_mark_and_windows_line_ends_are_no_dirt(conn, file):
    file.write_bytes(f"\ufeff{HEADER}\r\n{ROW}\r\n".encode())
    assert imported(conn, file).findings == []
    assert vehicles(conn)[0]["year"] == 2019


def test_windows_1252_is_read_and_reported(conn, file):
    outcome = imported(
        conn, write_lines(file, HEADER, row(**{"location.city": "Cañon City"}).encode("cp1252"))
    )
    [finding] = outcome.findings
    assert (finding.line, finding.action) == (2, Action.REPAIRED)
    assert finding.reason == "not UTF-8: read as Windows-1252"
    assert vehicles(conn)[0]["city"] == "Cañon City"


def test_bytes_of_no_encoding_reject_their_line_only(conn, file):
    outcome = imported(conn, write_lines(file, HEADER, b"\x81\x8d", ROW))
    assert [(f.line, f.reason) for f in outcome.rejected] == [(2, "neither UTF-8 nor Windows-1252")]
    assert (outcome.result.rows, outcome.result.inserted) == (2, 1)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("CitroÃ«n", "Citroën"), ("Citro\u00ebn", "Citroën"), ("Citroen", "Citroën")],
)
def test_make_without_its_accent_or_twice_encoded_is_repaired(conn, file, wrong, right):
    imported(conn, write_csv(file, TURO_US | {"vehicle.make": wrong}))
    assert vehicles(conn)[0]["make"] == right


def test_truncated_gzip_loads_what_is_there_and_says_so(conn, tmp_path):
    plain = tmp_path / "plain"
    rows = [row(**{"owner.id": str(n * 7919 % 100_000)}) for n in range(20_000)]
    whole = gzip.compress("\n".join([HEADER, *rows, ""]).encode())
    plain.write_bytes(whole[: len(whole) // 2])
    outcome = imported(conn, plain)
    [finding] = outcome.findings
    assert finding.reason == "the file is cut short from here"
    assert 1_000 < outcome.result.inserted < 20_000
    assert finding.line == outcome.result.inserted + 2


def test_file_cut_in_the_middle_of_a_row_rejects_it(conn, file):
    file.write_bytes(f"{HEADER}\n{ROW}\n{ROW[:40]}".encode())
    outcome = imported(conn, file)
    assert [(f.line, f.reason) for f in outcome.rejected] == [
        (3, "more or fewer cells than the header has")
    ]
    assert (3, Action.KEPT, "no line end: the file may be cut short") in [
        (f.line, f.action, f.reason) for f in outcome.findings
    ]


def test_ragged_rows_are_rejected_and_empty_cells_too_many_are_not(conn, file):
    outcome = imported(conn, write_lines(file, HEADER, ROW + ",,", ROW[:-5], ROW + ",9", "", "  "))
    assert [(f.line, f.action) for f in outcome.findings] == [
        (2, Action.REPAIRED),
        (3, Action.REJECTED),
        (4, Action.REJECTED),
    ]
    assert (outcome.result.rows, outcome.result.inserted) == (3, 1)


def test_row_may_span_lines_inside_quotes(conn, file):
    outcome = imported(conn, write_lines(file, HEADER, row(**{"location.city": '"Hilo\nBay"'})))
    assert (outcome.result.rows, outcome.result.inserted) == (1, 1)
    assert vehicles(conn)[0]["city"] == "Hilo Bay"


def test_quote_that_is_never_closed_costs_one_row_not_the_file(conn, file):
    rows = [row(**{"owner.id": str(n)}) for n in range(300)]
    broken = row(**{"location.city": '"Hilo'})
    outcome = imported(conn, write_lines(file, HEADER, broken, *rows))
    assert [(f.line, f.reason) for f in outcome.rejected] == [
        (2, "quotes or line ends that are not CSV")
    ]
    assert outcome.result.inserted == 300


def test_two_stray_quotes_far_apart_cost_two_rows(conn, file):
    broken = row(**{"location.city": '"Hilo'})
    rows = [row(**{"owner.id": str(n)}) for n in range(5)]
    outcome = imported(conn, write_lines(file, HEADER, broken, *rows, broken, ROW))
    assert [f.line for f in outcome.rejected] == [2, 8]
    assert outcome.result.inserted == 6


def test_endless_line_is_skipped_without_being_held(conn, file):
    outcome = imported(conn, write_lines(file, HEADER, "x" * 3_000_000, ROW))
    assert [(f.line, f.reason) for f in outcome.rejected] == [(2, "a line of more than 1 MiB")]
    assert outcome.result.inserted == 1


def test_lines_that_are_no_json_objects_are_rejected(conn, file):
    write_jsonl(file, MONTREAL, [1], SCRAPER_ERROR)
    with file.open("a") as lines:
        lines.write('{"id": "1", "vehicle": {"make"\n\nNaN\n')
    outcome = imported(conn, file)
    assert [(f.line, f.reason) for f in outcome.rejected] == [
        (2, "not a JSON object"),
        (3, "an error of the scraper, not a listing"),
        (4, "not valid JSON"),
        (6, "not valid JSON"),
    ]
    assert (outcome.result.rows, outcome.result.inserted) == (5, 1)
