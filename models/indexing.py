"""What the indexer remembers: dirty log, index builds, refused documents, local medians."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
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
    fed: Mapped[bool] = mapped_column(server_default=text("false"))  # to the search table


class BuildState(StrEnum):
    """Builds in the first three states are live: every batch of the drain feeds them.

    A stopped one refused, a stale one failed for minutes: both lack what was written since.
    """

    BUILDING = "building"
    SERVING = "serving"
    STANDBY = "standby"
    STOPPED = "stopped"
    STALE = "stale"
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
    failing_since: Mapped[datetime | None]


class BuildSlice(Base):
    """A range of vehicle ids that one filler at a time puts into a build, page by page.

    `done_to` moves with every page that the index took: where another filler goes on after a crash.
    """

    __tablename__ = "index_build_slices"

    build_id: Mapped[int] = mapped_column(
        ForeignKey("index_builds.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    done_to: Mapped[int]
    last_id: Mapped[int]
    expected: Mapped[int] = mapped_column(Integer)
    sent: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    leased_until: Mapped[datetime | None]


class DeadLetter(Base):
    """A document that an index refused for what it is, with the index's own words.

    The last refusal of each vehicle; gone once the index took the vehicle after all.
    """

    __tablename__ = "index_dead_letters"
    __table_args__ = (Index(None, "vehicle_id"), UniqueConstraint("index_name", "vehicle_id"))

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


class IndexLag(Base):
    """How long changes took to become searchable: a histogram for every minute.

    `bucket` n counts those below the n-th bound of indexer/lag.py and not below the one before it.
    Minutes older than a day are added up in one of the year 1970, so that sums only grow.
    """

    __tablename__ = "index_lag"

    minute: Mapped[datetime] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    changes: Mapped[int]
    seconds: Mapped[float]


class IndexAudit(Base):
    """The result of one comparison of a store with the truth."""

    __tablename__ = "index_audits"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    store: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    checked: Mapped[int]
    missing: Mapped[int]
    stale: Mapped[int]
    extra: Mapped[int]
    differing: Mapped[int]
    pending: Mapped[int]
    repaired: Mapped[bool]
    partial: Mapped[bool]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
