"""Shapes of one vehicle and what hangs on it."""

from datetime import date, datetime
from typing import Self

from pydantic import Field

from api import media
from api.schemas.common import Location, Shape
from bookings.calendar import Availability, DatedQuote, Days
from bookings.pricing import LineCode
from bookings.rules import Reason
from bookings.vehicles import VehicleDetail
from models import CancellationPolicy, Vehicle, VehicleStatus


class Host(Shape):
    """Who rents the vehicle out."""

    id: int = Field(description="account", examples=[3])
    name: str = Field(description="as the host wants to be called", examples=["Keala"])


class VehicleOut(Shape):
    """A vehicle; null is what its listing does not say."""

    id: int = Field(description="identifies the vehicle everywhere", examples=[7])
    status: VehicleStatus = Field(description="only its host and admins see others than listed")
    title: str = Field(description="headline", examples=["2021 Toyota RAV4"])
    description: str = Field(description="in the host's words", examples=["Ready for the island."])
    make: str = Field(description="manufacturer", examples=["Toyota"])
    model: str | None = Field(description="model", examples=["RAV4"])
    year: int | None = Field(description="model year", examples=[2021])
    body: str | None = Field(description="body style", examples=["SUV"])
    fuel: str | None = Field(description="what it runs on", examples=["Petrol"])
    transmission: str | None = Field(description="gearbox", examples=["Automatic"])
    seats: int | None = Field(description="seats, the driver's included", examples=[5])
    doors: int | None = Field(description="doors", examples=[5])
    mileage_km: int | None = Field(description="odometer, km", examples=[42000])
    features: list[str] = Field(description="in display form", examples=[["Heated seats"]])
    photos: list[str] = Field(description="addresses, the cover first", examples=[[]])
    daily_rate: int = Field(description="cents a day, before fees", examples=[5000])
    currency: str = Field(description="ISO 4217, of every amount here", examples=["USD"])
    weekly_discount_pct: int = Field(description="off the rate from 7 days", examples=[10])
    monthly_discount_pct: int = Field(description="off the rate from 28 days", examples=[25])
    cleaning_fee: int = Field(description="cents, once per rental", examples=[2500])
    min_days: int = Field(description="shortest rental", examples=[1])
    max_days: int = Field(description="longest rental", examples=[365])
    notice_days: int = Field(description="days between booking and pick-up", examples=[0])
    instant_book: bool = Field(description="whether no one has to agree", examples=[True])
    cancellation_policy: CancellationPolicy = Field(
        description="what cancelling gives back", examples=["moderate"]
    )
    rating: float | None = Field(description="1 to 5; null without reviews", examples=[4.92])
    review_count: int = Field(description="reviews behind the rating", examples=[38])
    trips: int = Field(description="rentals that its source counts", examples=[51])
    location: Location = Field(description="where it stands")
    time_zone: str = Field(description="of its calendar", examples=["Pacific/Honolulu"])
    host: Host = Field(description="who rents it out")
    listed_at: datetime = Field(description="first listed", examples=["2026-03-01T09:00:00Z"])

    @classmethod
    def of(cls, detail: VehicleDetail, media_url: str) -> Self:
        """The shape of a detail; its photos are read at `media_url`."""
        vehicle = detail.vehicle
        same = {
            name: getattr(vehicle, name)
            for name in cls.model_fields
            if name in vehicle.__mapper__.columns and name != "title"
        }
        return cls(
            **same,
            title=headline(vehicle),
            features=detail.features,
            photos=[str(media.address(media_url, photo)) for photo in detail.photos],
            daily_rate=vehicle.daily_rate_cents,
            cleaning_fee=vehicle.cleaning_fee_cents,
            rating=stars(detail.rating),
            review_count=detail.review_count,
            location=Location(
                lat=vehicle.lat,
                lon=vehicle.lon,
                city=vehicle.city,
                region=vehicle.region,
                country=vehicle.country,
            ),
            host=Host(id=vehicle.host_id, name=detail.host_name),
        )


def headline(vehicle: Vehicle) -> str:
    """The title that the host gave, or what the vehicle is."""
    if vehicle.title is not None:
        return vehicle.title
    return " ".join(str(part) for part in (vehicle.year, vehicle.make, vehicle.model) if part)


class DaysOut(Shape):
    """The days from `start` up to, not including, `end`."""

    start: date = Field(description="first day", examples=["2027-06-01"])
    end: date = Field(description="the day after the last", examples=["2027-06-04"])

    @classmethod
    def each(cls, ranges: list[Days]) -> list[Self]:
        """The shapes of some ranges."""
        return [cls(start=days.start, end=days.end) for days in ranges]


class AvailabilityOut(Shape):
    """A window cut into taken and free days; every day of it is in exactly one of the two."""

    vehicle_id: int = Field(description="the vehicle", examples=[7])
    from_: date = Field(alias="from", description="first day", examples=["2027-06-01"])
    to: date = Field(description="the day after the last", examples=["2027-08-30"])
    taken: list[DaysOut] = Field(
        description="booked or kept by the host, in order, neighbours merged"
    )
    free: list[DaysOut] = Field(
        description="not taken, in order; `earliestStart` and the vehicle's shortest and longest "
        "rental still apply"
    )
    time_zone: str = Field(description="of all these days", examples=["Pacific/Honolulu"])
    earliest_start: date = Field(
        description="first day on which it can be picked up if booked now", examples=["2027-06-02"]
    )

    @classmethod
    def of(cls, vehicle_id: int, found: Availability) -> Self:
        """The shape of an availability."""
        return cls.model_validate(
            {
                "vehicleId": vehicle_id,
                "from": found.window.start,
                "to": found.window.end,
                "taken": DaysOut.each(found.taken),
                "free": DaysOut.each(found.free),
                "timeZone": found.time_zone,
                "earliestStart": found.earliest_start,
            }
        )


class QuoteLine(Shape):
    """One line of a quote."""

    code: LineCode = Field(description="stable; for your own wording", examples=["rental"])
    label: str = Field(description="in English", examples=["3 days"])
    amount: int = Field(description="cents; discounts are negative", examples=[15000])


class QuoteOut(Shape):
    """What the days cost, and whether they can be booked now."""

    vehicle_id: int = Field(description="the vehicle", examples=[7])
    start: date = Field(description="pick-up day", examples=["2027-06-01"])
    end: date = Field(description="return day", examples=["2027-06-04"])
    days: int = Field(description="days paid for", examples=[3])
    currency: str = Field(description="ISO 4217", examples=["USD"])
    lines: list[QuoteLine] = Field(description="what the total is made of, in order")
    total: int = Field(description="cents, everything included", examples=[16500])
    available: bool = Field(description="whether a booking would succeed now", examples=[True])
    reason: Reason | None = Field(
        description="why it would not; null if available", examples=["taken"]
    )
    token: str | None = Field(
        description="as `quote` of a booking, makes this price hold; null if not available",
        examples=["eyJvZiI6Wzdd.c2lnbmF0dXJl"],
    )
    expires_at: datetime | None = Field(
        description="until when the token is good, 15 minutes", examples=["2026-05-09T18:45:00Z"]
    )

    @classmethod
    def of(
        cls,
        vehicle_id: int,
        start: date,
        end: date,
        found: DatedQuote,
        signed: tuple[str | None, datetime | None],
    ) -> Self:
        """The shape of a quote."""
        return cls(
            vehicle_id=vehicle_id,
            start=start,
            end=end,
            days=found.days,
            currency=found.currency,
            lines=[
                QuoteLine(code=line.code, label=line.label, amount=line.cents)
                for line in found.quote.lines
            ],
            total=found.quote.total_cents,
            available=found.obstacle is None,
            reason=found.obstacle,
            token=signed[0],
            expires_at=signed[1],
        )


def stars(hundredths: int | None) -> float | None:
    """A stored rating as the API speaks it: 492 is 4.92."""
    return None if hundredths is None else hundredths / 100
