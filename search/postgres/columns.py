"""The search table's columns, derived from the table of fields: how a document fills them."""

from search.fields import FIELDS, LONGEST_TOTAL, Field, Kind, Match

TABLE = "vehicle_search_view"
# Positions as Elasticsearch keeps them: 32 bits a coordinate, rounded down. So a vehicle on the
# edge of a map section is on the same side of it in both engines.
_STEP = {"lat": "180.0::float8 / 4294967296", "lon": "360.0::float8 / 4294967296"}
_TYPES = {Kind.INTEGER: "integer", Kind.LONG: "bigint", Kind.BOOLEAN: "boolean"}
_WEIGHTS = sorted({field.weight for field in FIELDS if field.weight}, reverse=True)
# PostgreSQL knows four labels of a word; the least weight needs none.
LABELS: dict[int, str] = dict(zip(_WEIGHTS, "ABCD", strict=False))
LEAST_WEIGHT = _WEIGHTS[-1]
if len(_WEIGHTS) > len("ABCD") + 1:
    raise RuntimeError("search/fields.py has more than five weights: PostgreSQL cannot tell them")


def _of(field: Field) -> dict[str, str]:
    """By column, the SQL that reads it from `document`."""
    part = f"document -> '{field.name}'"
    text = f"document ->> '{field.name}'"
    match field.kind:
        case _ if field.name == "id":
            return {}  # the key
        case Kind.KEYWORD if field.match is Match.ALL:
            return {field.name: f"document_texts({part})"}
        case Kind.KEYWORD:
            return {field.name: text}
        case Kind.INTEGER | Kind.LONG | Kind.BOOLEAN:
            return {field.name: f"({text})::{_TYPES[field.kind]}"}
        case Kind.POINT:
            return {
                axis: f"floor(({part} ->> '{axis}')::float8 / ({step})) * ({step})"
                for axis, step in _STEP.items()
            }
        case Kind.DATES:
            return {field.name: f"document_days({part})"}
        case Kind.TOTALS:
            return {field.name: f"document_totals({part})"}
        case _:
            return {}


def _text(field: Field) -> str:
    if field.match is Match.ALL:
        return f"array_to_string(document_texts(document -> '{field.name}'), ' ')"
    return f"document ->> '{field.name}'"


def _words(weight: int) -> str:
    texts = ", ".join(_text(field) for field in FIELDS if field.weight == weight)
    return f"vehicle_words(concat_ws(' ', {texts}))"


def feed() -> str:
    """The statement that writes documents; parameters `documents`, `version`, `hash`.

    Only a newer version overwrites, so a late write never brings back what is gone. The documents
    come as one JSON array: as an array of texts they took five times as long to arrive. OFFSET 0
    keeps the words from being made twice.
    """
    columns = {name: sql for field in FIELDS for name, sql in _of(field).items()}
    labelled = " || ".join(f"setweight({_words(w)}, '{label}')" for w, label in LABELS.items())
    fixed = ("version", "hidden", "mapping_hash", "content_hash", "document")
    names = (*fixed, *columns, "words", "everything")
    return f"""
        INSERT INTO {TABLE} AS old (id, {", ".join(names)})
        SELECT (document ->> 'id')::bigint, %(version)s, document ? 'hidden', %(hash)s,
            document ->> 'content_hash', document,
            {", ".join(columns.values())}, words, words || others
        FROM (
            SELECT document, {labelled} AS words, {_words(LEAST_WEIGHT)} AS others
            FROM jsonb_array_elements(%(documents)s::jsonb) AS document OFFSET 0
        ) AS given
        ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in names)}
        WHERE old.version < excluded.version
    """  # noqa: S608 - names and expressions from the table of fields


def total(days: int) -> str:
    """The column expression of the all-in total of so many days.

    Raises:
        ValueError: documents carry no total of so many days.
    """
    if not 1 <= days <= LONGEST_TOTAL:
        msg = f"documents carry totals of 1 to {LONGEST_TOTAL} days, not {days}"
        raise ValueError(msg)
    return f"total[{days}]"
