"""The table from which PostgreSQL answers searches: documents, spread over columns."""

from typing import Any

from sqlalchemy import Double, Index, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY, DATEMULTIRANGE, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class VehicleSearchRow(Base):
    """One vehicle as the drain last wrote it; a column per field that is filtered or sorted by.

    Of a hidden vehicle only the id and the version are left: a late write must find them.
    """

    __tablename__ = "vehicle_search_view"
    __table_args__ = (
        Index(None, "daily_rate", "id"),
        Index(None, "lat", "lon"),
        Index(None, "everything", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    hidden: Mapped[bool]
    mapping_hash: Mapped[str]
    content_hash: Mapped[str | None]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    make: Mapped[str | None]
    model: Mapped[str | None]
    year: Mapped[int | None] = mapped_column(Integer)
    body: Mapped[str | None]
    fuel: Mapped[str | None]
    transmission: Mapped[str | None]
    seats: Mapped[int | None] = mapped_column(Integer)
    features: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    daily_rate: Mapped[int | None] = mapped_column(Integer)
    price_vs_median: Mapped[int | None] = mapped_column(Integer)
    total: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    rating: Mapped[int | None] = mapped_column(Integer)
    review_count: Mapped[int | None] = mapped_column(Integer)
    rating_evidence: Mapped[int | None] = mapped_column(Integer)
    rating_doubt: Mapped[int | None] = mapped_column(Integer)
    min_days: Mapped[int | None] = mapped_column(Integer)
    max_days: Mapped[int | None] = mapped_column(Integer)
    notice_days: Mapped[int | None] = mapped_column(Integer)
    instant_book: Mapped[bool | None]
    lat: Mapped[float | None] = mapped_column(Double)
    lon: Mapped[float | None] = mapped_column(Double)
    time_zone: Mapped[str | None]
    city: Mapped[str | None]
    region: Mapped[str | None]
    country: Mapped[str | None]
    host_id: Mapped[int | None]
    listed_at: Mapped[int | None]
    free: Mapped[Any | None] = mapped_column(DATEMULTIRANGE)
    # Words labelled by the weight of where they stand; then those of the description as well.
    words: Mapped[str | None] = mapped_column(TSVECTOR)
    everything: Mapped[str | None] = mapped_column(TSVECTOR)
