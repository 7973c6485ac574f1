"""The tables from which PostgreSQL answers searches: documents, spread over columns."""

from typing import Any

from sqlalchemy import Identity, Index, Integer, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, DATEMULTIRANGE, JSON, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Point

Number = Mapped[int | None]


def _number() -> Number:
    return mapped_column(Integer)


class VehicleSearchRow(Base):
    """One vehicle, narrow: a column per field that is filtered, counted or sorted by.

    Texts are codes of `vehicle_search_values`. Of a hidden vehicle only the id is left.
    """

    __tablename__ = "vehicle_search_view"
    __table_args__ = (
        Index(None, "daily_rate", "id"),
        Index(None, "location", postgresql_using="gist"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hidden: Mapped[bool]
    make: Number = _number()
    model: Number = _number()
    year: Number = _number()
    body: Number = _number()
    fuel: Number = _number()
    transmission: Number = _number()
    seats: Number = _number()
    features: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    daily_rate: Number = _number()
    price_vs_median: Number = _number()
    weekly_discount_pct: Number = mapped_column(SmallInteger)
    monthly_discount_pct: Number = mapped_column(SmallInteger)
    cleaning_fee: Number = _number()
    rating: Number = _number()
    review_count: Number = _number()
    rating_evidence: Number = _number()
    rating_doubt: Number = _number()
    min_days: Number = _number()
    max_days: Number = _number()
    notice_days: Number = _number()
    instant_book: Mapped[bool | None]
    location: Mapped[Any | None] = mapped_column(Point)
    time_zone: Number = _number()
    city: Number = _number()
    region: Number = _number()
    country: Number = _number()
    host_id: Mapped[int | None]
    listed_at: Mapped[int | None]
    free: Mapped[Any | None] = mapped_column(DATEMULTIRANGE)


class VehicleSearchText(Base):
    """The words of one vehicle, labelled where it matters where they stand."""

    __tablename__ = "vehicle_search_texts"
    __table_args__ = (Index(None, "words", postgresql_using="gin"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    words: Mapped[str] = mapped_column(TSVECTOR)


class VehicleSearchDocument(Base):
    """One vehicle as the drain last wrote it, and by which version: what pages show.

    A hidden vehicle's row stays: a late write must find its version.
    """

    __tablename__ = "vehicle_search_documents"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    hidden: Mapped[bool]
    mapping_hash: Mapped[str]
    content_hash: Mapped[str | None]
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    item: Mapped[str | None]  # what pages show of it, as JSON that is passed on unread
    # For totals: daily rate, weekly and monthly discount in per cent, cleaning fee; cents.
    terms: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    item_version: Mapped[int | None]  # that both are of; of another, they are not read


class VehicleSearchValue(Base):
    """The dictionary: what a code of the narrow table stands for. Rows are only ever added.

    Field `name` lists the words that occur in names, to find those similar to a misspelt one.
    """

    __tablename__ = "vehicle_search_values"
    __table_args__ = (
        UniqueConstraint("field", "value"),
        Index(None, "field", "folded"),
        Index(None, "words", postgresql_using="gin"),
    )

    code: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    field: Mapped[str]
    value: Mapped[str] = mapped_column(Text(collation="C"))  # as it is displayed
    folded: Mapped[str]  # in lower case, as filters compare
    words: Mapped[str | None] = mapped_column(TSVECTOR)
