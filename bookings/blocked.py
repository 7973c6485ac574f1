"""Which days a host keeps, as conditions and queries for whoever asks what is free."""

from datetime import date

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import InstrumentedAttribute

from models import CalendarBlock


def blocked(
    vehicle_id: int | InstrumentedAttribute[int], start: date, end: date
) -> ColumnElement[bool]:
    """Whether the host keeps at least one day of [start, end)."""
    return exists().where(
        CalendarBlock.vehicle_id == vehicle_id, CalendarBlock.during.overlaps(Range(start, end))
    )


def blocks_in(vehicle_id: int, start: date, end: date) -> Select[Range[date]]:
    """The blocks that share a day with [start, end)."""
    return select(CalendarBlock.during).where(
        CalendarBlock.vehicle_id == vehicle_id, CalendarBlock.during.overlaps(Range(start, end))
    )
