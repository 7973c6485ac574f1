"""Shapes of bookings."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field

from accounts.tokens import Principal
from api.schemas.common import LARGEST_ID, Body, IsoDate, Page, Shape
from api.schemas.vehicles import QuoteLine
from models import Booking, BookingStatus, CancellationPolicy, Payment, PaymentStatus

Amount = Annotated[int, Field(strict=True, ge=0, le=LARGEST_ID)]


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
    quote: Annotated[str, Field(max_length=4000)] | None = Field(
        None,
        description="`token` of a quote for these days, whose price then holds",
        examples=["eyJvZiI6Wzdd.c2lnbmF0dXJl"],
    )
    amount: Amount | None = Field(
        None,
        description="cents that the renter agreed to; refused with 409 if the days cost otherwise",
        examples=[16500],
    )


class PayIn(Body):
    """How to pay."""

    payment_method: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        None,
        description="id of a payment method of the provider, charged at once; without it the "
        "answer's `payment.clientSecret` lets the provider's own form take the card",
        examples=["pm_card_visa"],
    )


class RescheduleIn(Body):
    """Where to move a booking."""

    start: IsoDate = Field(description="new pick-up day", examples=["2027-06-02"])
    end: IsoDate = Field(description="new return day", examples=["2027-06-05"])
    amount: Amount | None = Field(
        None,
        description="cents that the renter agreed to; refused with 409 if the days cost otherwise",
        examples=[16500],
    )


class PaymentOut(Shape):
    """Where the money of a booking is."""

    status: PaymentStatus = Field(
        description="created and open wait for a card, authorised is reserved, captured is paid"
    )
    amount: int = Field(description="cents asked for", examples=[16500])
    captured: int = Field(description="cents taken", examples=[16500])
    refunded: int = Field(description="cents given back", examples=[0])
    refund_due: int = Field(description="cents on their way back", examples=[0])
    failure: str | None = Field(
        description="why the provider refused, if it did", examples=["card_declined"]
    )
    client_secret: str | None = Field(
        description="for the provider's form, while the payment waits for a card; else null",
        examples=["pi_3Nk_secret_9xY"],
    )

    @classmethod
    def of(cls, payment: Payment, *, to_renter: bool) -> Self:
        """The shape of a payment."""
        shown = to_renter and payment.status == PaymentStatus.OPEN
        return cls(
            status=PaymentStatus(payment.status),
            amount=payment.amount_cents,
            captured=payment.captured_cents,
            refunded=payment.refunded_cents,
            refund_due=payment.ordered_cents - payment.refunded_cents,
            failure=payment.failure,
            client_secret=payment.client_secret if shown else None,
        )


class BookingOut(Shape):
    """A booking, on the terms on which it was made."""

    id: int = Field(description="identifies the booking", examples=[42])
    vehicle_id: int = Field(description="the vehicle", examples=[7])
    status: BookingStatus = Field(
        description="held, confirmed and active take the days", examples=["held"]
    )
    start: date = Field(description="pick-up day", examples=["2027-06-01"])
    end: date = Field(description="return day", examples=["2027-06-04"])
    days: int = Field(description="days paid for", examples=[3])
    total: int = Field(description="cents, everything included", examples=[16500])
    currency: str = Field(description="ISO 4217", examples=["USD"])
    lines: list[QuoteLine] = Field(description="what the total is made of; empty if imported")
    cancellation_policy: CancellationPolicy = Field(
        description="what cancelling gives back", examples=["moderate"]
    )
    needs_approval: bool = Field(
        description="whether the host has to agree once it is paid", examples=[False]
    )
    expires_at: datetime | None = Field(
        description="until when a held booking takes its days; else null",
        examples=["2026-05-09T18:45:00Z"],
    )
    payment: PaymentOut | None = Field(description="null before it is paid for")
    created_at: datetime = Field(description="when it was made", examples=["2026-05-09T18:30:00Z"])

    @classmethod
    def of(cls, booking: Booking, payment: Payment | None, viewer: Principal) -> Self:
        """The shape of a booking."""
        start, end = booking.during.lower, booking.during.upper
        assert start is not None
        assert end is not None
        to_renter = viewer.account_id == booking.renter_id
        return cls(
            id=booking.id,
            vehicle_id=booking.vehicle_id,
            status=BookingStatus(booking.status),
            start=start,
            end=end,
            days=(end - start).days,
            total=booking.total_cents,
            currency=booking.currency,
            lines=[
                QuoteLine(code=code, label=label, amount=cents)
                for code, label, cents in booking.lines
            ],
            cancellation_policy=CancellationPolicy(booking.policy),
            needs_approval=booking.needs_approval,
            expires_at=booking.expires_at if booking.status == BookingStatus.HELD else None,
            payment=None if payment is None else PaymentOut.of(payment, to_renter=to_renter),
            created_at=booking.created_at,
        )


class CancellationOut(Shape):
    """What cancelling now would give back."""

    cancellation_policy: CancellationPolicy = Field(
        description="the booking's", examples=["moderate"]
    )
    percent: int = Field(description="of the price without its cleaning fee", examples=[50])
    refund: int = Field(description="cents, of what has been paid", examples=[8250])
    currency: str = Field(description="ISO 4217", examples=["USD"])


class BookingPage(Page):
    """Bookings, newest first."""

    items: list[BookingOut] = Field(description="this page")
