"""What a vocabulary is built from, told by PostgreSQL as Elasticsearch's aggregations tell it.

The same values in the same shape, so that one reader makes the same vocabulary of either.
"""

from typing import Any

import psycopg

from search.fields import BY_NAME, Match
from search.postgres.columns import LAT, LON, TABLE, VALUES
from search.understand.vocabulary import (
    MOST_MAKES,
    MOST_MODELS,
    MOST_PARENTS,
    MOST_PLACES,
    MOST_VALUES,
    SINGLE,
)

_BUCKET = "'key', key, 'doc_count', n"


async def aggregations(url: str, timeout_s: int) -> dict[str, Any]:
    """The aggregations over what `vehicle_search_view` shows, on a connection of its own.

    Raises:
        psycopg.Error: the database does not answer in time.
    """
    async with await psycopg.AsyncConnection.connect(
        url,
        autocommit=True,
        connect_timeout=timeout_s,
        application_name="rides vocabulary",
        options=f"-c statement_timeout={timeout_s * 1000} -c jit=off",
    ) as connection:
        row: Any = await (await connection.execute(STATEMENT)).fetchone()
        return row[0]  # type: ignore[no-any-return]


def _values(name: str, most: int) -> str:
    source = f"SELECT {name} AS key FROM listed"  # noqa: S608 - names from the table of fields
    if BY_NAME[name].match is Match.ALL:
        source = (
            f"SELECT value AS key FROM listed, unnest({name}) AS code JOIN {VALUES} USING (code)"  # noqa: S608 - as above
        )
    return _buckets(
        f"SELECT key, count(*) AS n FROM ({source}) AS each GROUP BY key",  # noqa: S608 - as above
        most,
    )


def _buckets(counted: str, most: int, *below: str) -> str:
    """The most frequent keys of rows (key, n, …), ties by key; `below` are parts of each bucket."""
    return f"""(
        SELECT jsonb_build_object('buckets', coalesce(jsonb_agg(
            jsonb_build_object({", ".join((_BUCKET, *below))}) ORDER BY n DESC, key COLLATE "C"
        ), '[]'))
        FROM (
            SELECT * FROM ({counted}) AS every
            WHERE key IS NOT NULL ORDER BY n DESC, key COLLATE "C" LIMIT {most}
        ) AS top
    )"""  # noqa: S608 - our own statements


def _under(outer: str, inner: str, most: int) -> str:
    """By value of `outer`, in column `{inner}s`, the buckets of `inner`."""
    return f"""
        SELECT {outer} AS key, jsonb_build_object('buckets', coalesce(jsonb_agg(
            jsonb_build_object('key', {inner}, 'doc_count', n) ORDER BY place
        ) FILTER (WHERE {inner} IS NOT NULL AND place <= {most}), '[]')) AS {inner}s
        FROM (
            SELECT {outer}, {inner}, count(*) AS n, row_number() OVER (
                PARTITION BY {outer}
                ORDER BY {inner} IS NULL, count(*) DESC, {inner} COLLATE "C"
            ) AS place
            FROM listed GROUP BY {outer}, {inner}
        ) AS pairs GROUP BY {outer}
    """  # noqa: S608 - names from the table of fields


def _nested(outer: str, inners: dict[str, int], more: str = "") -> str:
    """The buckets of `outer`, each with the buckets of `inners`; `more` is computed of its rows."""
    joined = " ".join(
        f"LEFT JOIN ({_under(outer, inner, size)}) AS of_{inner} USING (key)"
        for inner, size in inners.items()
    )
    return f"""
        SELECT * FROM (
            SELECT {outer} AS key, count(*) AS n{more} FROM listed GROUP BY {outer}
        ) AS counted {joined}
    """  # noqa: S608 - names from the table of fields


def _statement() -> str:
    place = """,
        CASE WHEN count(lat) > 0 THEN jsonb_build_object('location',
            jsonb_build_object('lat', avg(lat), 'lon', avg(lon))) END AS middle,
        CASE WHEN count(lat) > 0 THEN jsonb_build_object('bounds', jsonb_build_object(
            'top_left', jsonb_build_object('lat', max(lat), 'lon', min(lon)),
            'bottom_right', jsonb_build_object('lat', min(lat), 'lon', max(lon)))) END AS corners"""
    parents = {"region": MOST_PARENTS, "country": MOST_PARENTS}
    region, country = "'region', regions", "'country', countrys"
    parts = {
        "make": _buckets(_nested("make", {"model": MOST_MODELS}), MOST_MAKES, "'model', models"),
        **{name: _values(name, MOST_VALUES) for name in SINGLE},
        "city": _buckets(
            _nested("city", parents, place),
            MOST_PLACES,
            region,
            country,
            "'centroid', middle",
            "'bounds', coalesce(corners, '{}')",
        ),
        "region": _buckets(_nested("region", {"country": MOST_PARENTS}), MOST_PLACES, country),
        "country": _values("country", MOST_PLACES),
    }
    names = dict.fromkeys(("make", "model", "city", "region", "country", *SINGLE))
    coded = [name for name in names if BY_NAME[name].match is not Match.ALL]
    columns = [f"of_{name}.value AS {name}" for name in coded] + [
        n for n in names if n not in coded
    ]
    decoded = " ".join(
        f"LEFT JOIN {VALUES} AS of_{name} ON of_{name}.code = {name}" for name in coded
    )
    told = ", ".join(f"'{name}', {part}" for name, part in parts.items())
    return f"""
        WITH listed AS MATERIALIZED (
            SELECT {", ".join(columns)}, {LAT} AS lat, {LON} AS lon
            FROM {TABLE} {decoded} WHERE NOT hidden
        )
        SELECT jsonb_build_object({told})
    """  # noqa: S608 - constants and names from the table of fields


STATEMENT = _statement()
