"""Shapes of bookings."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field

from api.schemas.common import LARGEST_ID, Body, IsoDate, Page, Shape
from models import Booking, BookingStatus


class BookingIn(Body):
    """What to book."""

    vehicle_id: Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)] = Field(
        description="the vehicle", examples=[7]
    )
    start: IsoDate = Field(description="pick-up day", examples=["2027-06-01"])
    end: IsoDate = Field(
        description="return day, not paid for; at most 365 days after start",
        examples=["2027-06-04"],
    )


class BookingOut(Shape):
    """A booking."""

    id: int = Field(description="identifies the booking", examples=[42])
    vehicle_id: int = Field(description="the vehicle", examples=[7])
    status: BookingStatus = Field(
        description="held, confirmed and active take the days", examples=["confirmed"]
    )
    start: date = Field(description="pick-up day", examples=["2027-06-01"])
    end: date = Field(description="return day", examples=["2027-06-04"])
    days: int = Field(description="days paid for", examples=[3])
    total: int = Field(description="cents, everything included", examples=[16500])
    currency: str = Field(description="ISO 4217", examples=["USD"])
    created_at: datetime = Field(description="when it was made", examples=["2026-05-09T18:30:00Z"])

    @classmethod
    def of(cls, booking: Booking) -> Self:
        """The shape of a booking."""
        start, end = booking.during.lower, booking.during.upper
        assert start is not None
        assert end is not None
        return cls(
            id=booking.id,
            vehicle_id=booking.vehicle_id,
            status=BookingStatus(booking.status),
            start=start,
            end=end,
            days=(end - start).days,
            total=booking.total_cents,
            currency=booking.currency,
            created_at=booking.created_at,
        )


class BookingPage(Page):
    """Bookings, newest first."""

    items: list[BookingOut] = Field(description="this page")
