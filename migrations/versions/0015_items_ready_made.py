"""What pages show of a vehicle beside its document: searches pass it on as it stands."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLE = "vehicle_search_documents"
_TERMS = ("daily_rate", "weekly_discount_pct", "monthly_discount_pct", "cleaning_fee")
_PLAIN = {
    "id": "id",
    "make": "make",
    "model": "model",
    "year": "year",
    "title": "title",
    "body": "body",
    "fuel": "fuel",
    "transmission": "transmission",
    "seats": "seats",
    "features": "features",
    "dailyRate": "daily_rate",
    "currency": "currency",
    "reviewCount": "review_count",
    "instantBook": "instant_book",
}
_PLACE = ("city", "region", "country")


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("item", sa.Text(), nullable=True))
    op.add_column(TABLE, sa.Column("terms", sa.ARRAY(sa.Integer()), nullable=True))
    # A worker of before writes a newer version without them.
    op.add_column(TABLE, sa.Column("item_version", sa.BigInteger(), nullable=True))
    # As the drain writes it from now on. The drain waits meanwhile, some seconds for 100,000 vehicles.
    op.execute(f"""
        UPDATE {TABLE} SET item_version = version, item = {_item()},
            terms = ARRAY[{", ".join(f"(d ->> '{name}')::integer" for name in _TERMS)}]
        FROM (SELECT id, document::jsonb AS d FROM {TABLE} WHERE NOT hidden) AS parsed
        WHERE parsed.id = {TABLE}.id
    """)  # noqa: S608 - constants only


def downgrade() -> None:
    op.drop_column(TABLE, "item_version")
    op.drop_column(TABLE, "terms")
    op.drop_column(TABLE, "item")


def _item() -> str:
    values = {f'"{name}":%s': f"d -> '{key}'" for name, key in _PLAIN.items()}
    values['"rating":%s'] = "to_jsonb(trim_scale((d ->> 'rating')::numeric / 100))"
    values['"location":{"lat":%s'] = "d #> '{location,lat}'"
    values['"lon":%s'] = "d #> '{location,lon}'"
    values |= {f'"{name}":%s': f"d -> '{name}'" for name in _PLACE[:-1]}
    values['"country":%s}'] = "d -> 'country'"
    values['"photoUrl":%s'] = "d -> 'photo_url'"  # comes last: its address is yet to be made
    written = ", ".join(f"coalesce({sql}, 'null')" for sql in values.values())
    return f"format('{{{','.join(values)}}}', {written})"
