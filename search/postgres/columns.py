"""The search tables' columns, derived from the table of fields: how a document fills them.

Four tables. `vehicle_search_view` is narrow: what is filtered, counted and sorted by, texts as
codes. Beside it stand the words of each vehicle, its document and the item that pages show of it,
and the dictionary that says which code stands for which value.
"""

from collections.abc import Mapping

from search.fields import BY_NAME, FIELDS, LONGEST_TOTAL, Field, Kind, Match, camel

TABLE = "vehicle_search_view"
TEXTS = "vehicle_search_texts"
DOCUMENTS = "vehicle_search_documents"
VALUES = "vehicle_search_values"
# Of a row of the documents' table, the mapping's hash being given: whether this code wrote it. Code
# of before migration 0015 leaves items that were of the document before.
OURS = f"{DOCUMENTS}.mapping_hash = %s AND {DOCUMENTS}.item_version = {DOCUMENTS}.version"
PHOTO = "photo_url"
# Positions as Elasticsearch keeps them: 32 bits a coordinate, rounded down. So a vehicle on the
# edge of a map section is on the same side of it in both engines.
LON_STEP, LAT_STEP = 360 / 2**32, 180 / 2**32
_STEP = {"lon": "360.0::float8 / 4294967296", "lat": "180.0::float8 / 4294967296"}
LON, LAT = "location[0]", "location[1]"
_TYPES = {Kind.INTEGER: "integer", Kind.LONG: "bigint", Kind.BOOLEAN: "boolean"}
# What a total of any number of days is computed from, by the function that documents are made by.
_TERMS = ("daily_rate", "weekly_discount_pct", "monthly_discount_pct", "cleaning_fee")
# The same beside an item, from one of the documents' rows; with `days` as any expression.
TOTAL = "rental_total_cents(terms[1], terms[2]::smallint, terms[3]::smallint, terms[4], {days})"
# A whole document again: what pages do not show is put together from the narrow table's columns.
ROWS = f"""{DOCUMENTS}
    JOIN (SELECT id, hidden, free, {", ".join(_TERMS)} FROM {TABLE}) AS narrow USING (id)"""  # noqa: S608
WHOLE = f"""document::jsonb || jsonb_build_object(
    'total', (
        SELECT jsonb_object_agg(days::text, rental_total_cents({", ".join(_TERMS)}, days))
        FROM generate_series(1, {LONGEST_TOTAL}) AS days
    ),
    'free', (
        SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'gte', to_char(lower(range), 'YYYY-MM-DD'), 'lt', to_char(upper(range), 'YYYY-MM-DD')
        )) ORDER BY range) FROM unnest(free) AS range
    )
)"""  # noqa: S608 - constants only
# Where a word stands, as the labels of PostgreSQL's text search; values of facets need none.
LABELS = {"name": "A", "description": "B"}
CODED = tuple(field for field in FIELDS if field.kind is Kind.KEYWORD)
if unknown := [f.name for f in FIELDS if f.weight and f.kind is Kind.TEXT and f.name not in LABELS]:
    raise RuntimeError(f"search/postgres/columns.py needs a label of text search for {unknown}")


def codes(name: str, condition: str) -> str:
    """The codes of a field's values for which `condition` holds, as an array.

    The condition is over `value`, `folded` (the value in lower case) and `words`.
    """
    return f"ARRAY(SELECT code FROM {VALUES} WHERE field = '{name}' AND {condition})"  # noqa: S608


def _of(field: Field) -> dict[str, str]:
    """By column, the SQL that reads it from `document`."""
    part = f"document -> '{field.name}'"
    text = f"document ->> '{field.name}'"
    match field.kind:
        case _ if field.name == "id":
            return {}  # the key
        case Kind.KEYWORD if field.match is Match.ALL:
            return {field.name: codes(field.name, f"value = ANY(document_texts({part}))")}
        case Kind.KEYWORD:
            code = f"SELECT code FROM {VALUES} WHERE field = '{field.name}' AND value = {text}"  # noqa: S608
            return {field.name: f"({code})"}
        case Kind.INTEGER | Kind.LONG | Kind.BOOLEAN:
            return {field.name: f"({text})::{_TYPES[field.kind]}"}
        case Kind.POINT:
            axes = (
                f"floor(({part} ->> '{axis}')::float8 / ({step})) * ({step})"
                for axis, step in _STEP.items()
            )
            return {field.name: f"point({', '.join(axes)})"}
        case Kind.DATES:
            return {field.name: f"document_days({part})"}
        case Kind.TOTALS:
            return {name: f"(document ->> '{name}')::integer" for name in _TERMS}
        case _:
            return {}


def _text(field: Field) -> str:
    if field.match is Match.ALL:
        return f"array_to_string(document_texts(document -> '{field.name}'), ' ')"
    return f"document ->> '{field.name}'"


def _words() -> str:
    labelled = [
        f"setweight(vehicle_words({_text(BY_NAME[name])}), '{label}')"
        for name, label in LABELS.items()
    ]
    others = ", ".join(_text(f) for f in FIELDS if f.weight and f.name not in LABELS)
    return " || ".join([*labelled, f"vehicle_words(concat_ws(' ', {others}))"])


def learn() -> str:
    """The statement that gives new values their codes; parameter `documents`.

    To be committed before `feed`, which looks the codes up. The order, and that nothing else is
    locked, keep workers from waiting for each other in a circle; values that are known are left
    alone, so that codes are not used up.
    """
    given = [
        f"SELECT '{field.name}', unnest(document_texts(document -> '{field.name}'))"
        if field.match is Match.ALL
        else f"SELECT '{field.name}', document ->> '{field.name}'"
        for field in CODED
    ]
    return f"""
        INSERT INTO {VALUES} (field, value, folded, words)
        SELECT field, value, {folded("value")}, vehicle_words(value)
        FROM (
            SELECT DISTINCT field, value
            FROM jsonb_array_elements(%(documents)s::jsonb) AS listed (document),
                LATERAL ({" UNION ALL ".join(given)}) AS each (field, value)
            WHERE value IS NOT NULL
        ) AS given
        WHERE NOT EXISTS (
            SELECT FROM {VALUES} AS known
            WHERE known.field = given.field AND known.value = given.value
        )
        ORDER BY field, value
        ON CONFLICT DO NOTHING
    """  # noqa: S608 - names and expressions from the table of fields


def _item() -> str:
    """The SQL that makes of `document` the text of its item, all that no request changes.

    As `search.page` makes it of a document. The photo comes last: its address is put together as
    the item leaves (`search.page.Ready`).
    """
    shown = {camel(f.name): _shown(f) for f in FIELDS if f.item and f.name != PHOTO}
    place = {name: f"document #> '{{location,{name}}}'" for name in ("lat", "lon")}
    place |= {name: f"document -> '{name}'" for name in ("city", "region", "country")}
    photo = {camel(PHOTO): f"document -> '{PHOTO}'"}
    written = ",".join([_written(shown), f'"location":{{{_written(place)}}}', _written(photo)])
    values = ", ".join(
        f"coalesce({sql}, 'null')" for part in (shown, place, photo) for sql in part.values()
    )
    return f"CASE WHEN NOT document ? 'hidden' THEN format('{{{written}}}', {values}) END"


def _written(values: Mapping[str, str]) -> str:
    # Doubled for psycopg, which takes a single % for its own.
    return ",".join(f'"{name}":%%s' for name in values)


def _shown(field: Field) -> str:
    if field.bounds and field.bounds.scale != 1:
        number = f"(document ->> '{field.name}')::numeric / {field.bounds.scale}"
        return f"to_jsonb(trim_scale({number}))"
    return f"document -> '{field.name}'"


def feed() -> str:
    """The statement that writes documents; parameters `documents`, `version`, `hash`.

    Only a newer version overwrites, so a late write never brings back what is gone. The documents'
    table alone decides, and its rows are locked before any other: the tables cannot disagree. The
    documents come as one JSON array: as an array of texts they took five times as long to arrive.
    """
    columns = {name: sql for field in FIELDS for name, sql in _of(field).items()}
    kept = (
        *("version", "hidden", "mapping_hash", "content_hash", "document"),
        *("item", "terms", "item_version"),
    )
    return f"""
        WITH given AS MATERIALIZED (
            SELECT (document ->> 'id')::bigint AS id, document
            FROM jsonb_array_elements(%(documents)s::jsonb) AS listed (document)
        ), newer AS (
            INSERT INTO {DOCUMENTS} AS old (id, {", ".join(kept)})
            SELECT id, %(version)s, document ? 'hidden', %(hash)s, document ->> 'content_hash',
                (document - '{{total,free}}'::text[])::json, {_item()},
                ARRAY[{", ".join(f"(document ->> '{name}')::integer" for name in _TERMS)}],
                %(version)s
            FROM given
            ON CONFLICT (id) DO UPDATE SET {_overwritten(kept)}
            WHERE old.version < excluded.version
            RETURNING id
        ), texts AS (
            INSERT INTO {TEXTS} (id, words) SELECT id, {_words()} FROM given JOIN newer USING (id)
            ON CONFLICT (id) DO UPDATE SET words = excluded.words
        )
        INSERT INTO {TABLE} (id, hidden, {", ".join(columns)})
        SELECT id, document ? 'hidden', {", ".join(columns.values())}
        FROM given JOIN newer USING (id)
        ON CONFLICT (id) DO UPDATE SET {_overwritten(("hidden", *columns))}
    """  # noqa: S608 - names and expressions from the table of fields


def _overwritten(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in names)


def folded(expression: str) -> str:
    """An expression in lower case, the same on every machine."""
    return f"lower({expression} COLLATE pg_c_utf8)"


def total(days: int) -> str:
    """The expression of the all-in total of so many days.

    Raises:
        ValueError: documents carry no total of so many days.
    """
    if not 1 <= days <= LONGEST_TOTAL:
        msg = f"documents carry totals of 1 to {LONGEST_TOTAL} days, not {days}"
        raise ValueError(msg)
    return f"rental_total_cents({', '.join(_TERMS)}, {days})"
