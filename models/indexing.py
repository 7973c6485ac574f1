"""What the indexer remembers: dirty log, index builds, refused documents, local medians."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CHAR, CheckConstraint, Identity, Index, Integer, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import Sequence

from models.base import Base, Xid8, one_of

# CACHE 1: a batch's version must be later than that of every batch that took one before it.
document_version = Sequence("document_version", metadata=Base.metadata, cache=1)


class SearchDirty(Base):
    """A vehicle whose document may have changed; written by triggers, deleted once searchable.

    No unique and no foreign key: an append never waits for another writer.
    """

    __tablename__ = "search_dirty"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    vehicle_id: Mapped[int]
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    xid: Mapped[int] = mapped_column(Xid8, server_default=func.pg_current_xact_id())
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class BuildState(StrEnum):
    """Builds in the first three states are live: every batch of the drain feeds them."""

    BUILDING = "building"
    SERVING = "serving"
    STANDBY = "standby"
    STOPPED = "stopped"
    DROPPED = "dropped"


LIVE_STATES = (BuildState.BUILDING, BuildState.SERVING, BuildState.STANDBY)


class IndexBuild(Base):
    """One Elasticsearch index, from its creation to its removal."""

    __tablename__ = "index_builds"
    __table_args__ = (
        CheckConstraint(one_of("state", BuildState), name="state"),
        Index(
            "uq_index_builds_serving",
            "state",
            unique=True,
            postgresql_where=text("state = 'serving'"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=False), primary_key=True)
    index_name: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(server_default=BuildState.BUILDING)
    mapping_hash: Mapped[str]
    documents: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    detail: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    swapped_at: Mapped[datetime | None]


class DeadLetter(Base):
    """A document that an index refused for what it is, with the index's own words."""

    __tablename__ = "index_dead_letters"
    __table_args__ = (Index(None, "vehicle_id"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    index_name: Mapped[str]
    vehicle_id: Mapped[int]
    version: Mapped[int]
    error: Mapped[str]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class PriceMedian(Base):
    """What comparable listings ask for a day: one body style in a region or, as '', a country.

    Frozen between recomputations (indexer/medians.py): documents name their price by it.
    """

    __tablename__ = "price_medians"
    __table_args__ = (CheckConstraint("median > 0", name="median"),)

    currency: Mapped[str] = mapped_column(CHAR(3), primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(primary_key=True)
    median: Mapped[int] = mapped_column(Integer)  # cents a day
    listings: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
